//! What a file's name says beside what its header says: which of several sets it belongs to.

/// Where a file belongs, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tags {
    /// The folder that it is in, or the archive, lower case; empty for none.
    pub(super) folder: String,
    /// The folder that it is in, whatever archives there are; empty for none.
    pub(super) group: String,
    /// Its name without folder and endings, lower case.
    pub(super) stem: String,
    /// The number of its day: `….d07.csv`, `day_007.csv`.
    pub(super) day: Option<u32>,
    /// The size of its sample: `200_inv.csv`, `200/invocations.csv`.
    pub(super) size: Option<u32>,
    /// What its sample is called: the part before `_inv`, or the folder.
    pub(super) sample: Option<String>,
}

/// Endings that say nothing of what a file holds.
const ENDINGS: [&str; 7] = [".gz", ".zst", ".csv", ".txt", ".tsv", ".json", ".parquet"];

/// What the files of a sample are called after its name.
const PARTS: [&str; 3] = ["_inv", "_run", "_mem"];

impl Tags {
    /// Those of the file `name`.
    pub(super) fn of(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let (path, file) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let folder = path.rsplit('/').next().unwrap_or(path);
        // An archive that was made of one file or folder is named like it.
        let folder = folder.strip_suffix(".zip").unwrap_or(folder);
        let stem = without_endings(file);
        let part = PARTS.iter().find_map(|part| stem.strip_suffix(part));
        let sample = part.or_else(|| folder.parse::<u32>().is_ok().then_some(folder));
        let group = path.rsplit('/').find(|part| !part.ends_with(".zip")).unwrap_or_default();
        Self {
            group: group.to_owned(),
            day: day(stem),
            size: sample.and_then(|sample| sample.parse().ok()),
            sample: sample.map(str::to_owned),
            folder: folder.to_owned(),
            stem: stem.to_owned(),
        }
    }

    /// Whether both are of one set.
    pub(super) fn belongs_to(&self, other: &Self) -> bool {
        self.group == other.group && self.day == other.day && self.sample == other.sample
    }
}

fn without_endings(mut name: &str) -> &str {
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)) {
        name = shorter;
    }
    name
}

/// The digits after `.d` or `day_` at a name's end.
fn day(stem: &str) -> Option<u32> {
    let prefix = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &stem[prefix.len()..];
    (prefix.ends_with(".d") || prefix.ends_with("day_") || prefix == "d").then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_day_and_sample() {
        for (name, folder, stem, day, size) in [
            ("invocations.csv", "", "invocations", None, None),
            ("x/Invocations.CSV.gz", "x", "invocations", None, None),
            ("invocations_per_function_md.anon.d07.csv", "", "invocations_per_function_md.anon.d07", Some(7), None),
            ("requests_minute/day_007.csv", "requests_minute", "day_007", Some(7), None),
            ("requests_minute.zip/requests_minute/day_12.csv.zst", "requests_minute", "day_12", Some(12), None),
            ("requests_second.zip/day_000.csv", "requests_second", "day_000", Some(0), None),
            ("200_inv.csv", "", "200_inv", None, Some(200)),
            ("50/durations.csv", "50", "durations", None, Some(50)),
            ("small_mem.txt", "", "small_mem", None, None),
            ("2021.csv", "", "2021", None, None),
        ] {
            let tags = Tags::of(name);
            assert_eq!((tags.folder.as_str(), tags.stem.as_str(), tags.day, tags.size), (folder, stem, day, size));
        }
        for (name, group) in [("a.zip/b.csv", ""), ("x/a.zip/b.csv", "x"), ("a.zip/x/b.csv", "x"), ("b.csv", "")] {
            assert_eq!(Tags::of(name).group, group, "{name}");
        }
        assert_eq!(Tags::of("small_run.csv").sample.as_deref(), Some("small"));
    }
}
