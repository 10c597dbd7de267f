//! The files that a trace takes, and under which names they are stored elsewhere.

use std::collections::BTreeSet;

use super::files::Files;

/// Longest name of a file.
const LONGEST: usize = 100;

/// A file that reading a trace takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    /// Its name in the source; of one in an archive `archive.zip/path/in/it`.
    pub name: String,
    /// A name under which it may be stored elsewhere and still be known for what it is: ASCII letters and digits, `.`, `_`
    /// and `-`, at most in one folder; no two files of a trace have the same.
    pub store_as: String,
    /// Whether it is in an archive with other files, which are not needed: [`super::extract`] takes it out.
    pub extract: bool,
}

/// The stored files that `names` are, each once: an archive as a whole where all that it holds is needed, and otherwise those
/// of its files that are.
pub(super) fn stored(files: &Files<'_>, names: Vec<String>) -> Vec<Needed> {
    let names: BTreeSet<String> = names.into_iter().collect();
    let whole = |stored: &str| files.members_of(stored).all(|member| names.contains(member));
    let taken: BTreeSet<(String, bool)> = names
        .iter()
        .map(|name| {
            let stored = files.stored(name);
            let extract = stored != *name && !whole(&stored);
            (if extract { name.clone() } else { stored }, extract)
        })
        .collect();
    let mut known = BTreeSet::new();
    let unique = |(name, extract): (String, bool)| {
        let plain = plain(&store_as(files, &name, extract));
        let (folder, file) = plain.rsplit_once('/').map_or(("", plain.as_str()), |(folder, file)| (folder, file));
        let numbered = (2_u32..).map(|number| match folder {
            "" => format!("{number}-{file}"),
            folder => format!("{folder}/{number}-{file}"),
        });
        let mut candidates = std::iter::once(plain.clone()).chain(numbered);
        let store_as = candidates.find(|name| !known.contains(name)).unwrap_or_else(|| plain.clone());
        known.insert(store_as.clone());
        Needed { name, store_as, extract }
    };
    taken.into_iter().map(unique).collect()
}

/// The name, with the folder that says what it counts, which the folder's own path may have, or an archive's name.
fn store_as(files: &Files<'_>, name: &str, extract: bool) -> String {
    let tags = files.tags(name);
    let counts = tags.folder.ends_with("_minute") || tags.folder.ends_with("_second");
    let file = name.rsplit('/').next().unwrap_or(name);
    let folder = if counts { &tags.folder } else { &tags.group };
    match (folder.as_str(), counts || extract) {
        ("", true) => file.to_owned(),
        (folder, true) => format!("{folder}/{file}"),
        (_, false) => name.to_owned(),
    }
}

/// The name in characters that every system takes.
fn plain(name: &str) -> String {
    let of = |part: &str| {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
        // Of a long name the end says what it is.
        let (skipped, part) = (part.chars().count().saturating_sub(LONGEST), part.chars().map(allowed));
        let part: String = part.skip(skipped).collect();
        if part.starts_with('.') { format!("_{part}") } else { part }
    };
    name.split('/').map(of).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_plain() {
        for (name, expected) in [
            ("invocations.csv", "invocations.csv"),
            ("requests_minute/day_000.csv", "requests_minute/day_000.csv"),
            ("my trace (1).csv.gz", "my_trace__1_.csv.gz"),
            (".hidden.csv", "_.hidden.csv"),
            ("Ilúvatar/über.csv", "Il_vatar/_ber.csv"),
        ] {
            assert_eq!(plain(name), expected);
        }
        assert_eq!(plain(&format!("{}.csv", "x".repeat(300))).len(), LONGEST);
    }
}
