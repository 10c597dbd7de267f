//! The files that a trace takes, and under which names they are stored elsewhere.

use std::collections::BTreeSet;

use super::files::Files;

/// Longest name of a file.
const LONGEST: usize = 100;

/// A file that reading a trace takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    /// Its name in the source.
    pub name: String,
    /// A name under which it may be stored elsewhere and still be known for what it is: ASCII letters and digits, `.`, `_`
    /// and `-`, at most in one folder; no two files of a trace have the same.
    pub store_as: String,
}

/// The stored files that `names` are, or are in, each once.
pub(super) fn stored(files: &Files<'_>, names: Vec<String>) -> Vec<Needed> {
    let stored: BTreeSet<String> = names.iter().map(|name| files.stored(name)).collect();
    let mut taken = BTreeSet::new();
    let unique = |name: String| {
        let plain = plain(&store_as(files, &name));
        let (folder, file) = plain.rsplit_once('/').map_or(("", plain.as_str()), |(folder, file)| (folder, file));
        let numbered = (2_u32..).map(|number| match folder {
            "" => format!("{number}-{file}"),
            folder => format!("{folder}/{number}-{file}"),
        });
        let mut candidates = std::iter::once(plain.clone()).chain(numbered);
        let store_as = candidates.find(|name| !taken.contains(name)).unwrap_or_else(|| plain.clone());
        taken.insert(store_as.clone());
        Needed { name, store_as }
    };
    stored.into_iter().map(unique).collect()
}

/// The name with the folder that says what it counts, which the folder's own path may have.
fn store_as(files: &Files<'_>, name: &str) -> String {
    let folder = files.tags(name).folder;
    let counts = folder.ends_with("_minute") || folder.ends_with("_second");
    if counts && !name.contains('/') { format!("{folder}/{name}") } else { name.to_owned() }
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
