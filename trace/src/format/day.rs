//! Traces that have files for each day, of which one is read.

use super::fault::{Fault, Problem};
use super::source::Source;

/// Names of daily files: prefix and suffix of the day's number, and how many digits it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Daily {
    pub(super) before: &'static str,
    pub(super) digits: usize,
    pub(super) after: &'static str,
}

impl Daily {
    /// The name of the file of `day`.
    pub(super) fn name(&self, day: u32) -> String {
        let Self { before, digits, after } = self;
        format!("{before}{day:0digits$}{after}")
    }

    /// The days of those among `names` that are such files, ascending.
    pub(super) fn days(&self, names: &[String]) -> Vec<u32> {
        let mut days: Vec<u32> = names.iter().filter_map(|name| self.day(name)).collect();
        days.sort_unstable();
        days
    }

    fn day(&self, name: &str) -> Option<u32> {
        let day = name.strip_prefix(self.before)?.strip_suffix(self.after)?.parse().ok()?;
        (self.name(day) == name).then_some(day)
    }

    /// The requested day, or the only one.
    pub(super) fn pick(&self, source: &dyn Source, names: &[String], requested: Option<u32>) -> Result<u32, Fault> {
        let days = self.days(names);
        match (requested, &days[..]) {
            (Some(day), days) if days.contains(&day) => Ok(day),
            (None, &[day]) => Ok(day),
            (Some(day), _) => Err(Fault::in_file(&self.name(day), Problem::FileMissing)),
            (None, []) => {
                let any = format!("{}{}{}", self.before, "N".repeat(self.digits), self.after);
                Err(Fault::in_file(&any, Problem::FileMissing))
            }
            (None, _) => Err(Fault::in_file(&source.location(), Problem::SeveralDays { days })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: Daily = Daily { before: "folder/d", digits: 2, after: ".csv" };

    #[test]
    fn knows_its_files() {
        for (name, day) in [
            ("folder/d00.csv", Some(0)),
            ("folder/d14.csv", Some(14)),
            ("folder/d141.csv", Some(141)),
            ("folder/d4.csv", None),
            ("folder/d004.csv", None),
            ("folder/d+4.csv", None),
            ("folder/d.csv", None),
            ("folder/d14.csv.gz", None),
            ("d14.csv", None),
        ] {
            assert_eq!(FILES.days(&[name.to_owned()]), Vec::from_iter(day), "{name}");
        }
        assert_eq!((FILES.name(7), FILES.name(141)), ("folder/d07.csv".to_owned(), "folder/d141.csv".to_owned()));
    }
}
