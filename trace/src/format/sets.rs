//! Which files of a folder with several sets are meant, and which belong together.

use std::collections::BTreeSet;

use super::files::Files;
use super::header::Header;
use super::problem::Problem;
use super::reading::Selection;
use super::tags::Tags;

/// The one of `mains` that day and size select; `what` they hold, in the plural.
pub(super) fn pick(
    files: &Files<'_>,
    mains: &[String],
    selection: &Selection,
    what: &'static str,
) -> Result<String, Problem> {
    let mut tagged: Vec<(&String, Tags)> = mains.iter().map(|name| (name, files.tags(name))).collect();
    if let Some(day) = selection.day {
        let days = distinct(&tagged, |tags| tags.day);
        tagged.retain(|(_, tags)| tags.day == Some(day));
        if tagged.is_empty() {
            return Err(Problem::NoDay { day, days });
        }
    }
    if let Some(size) = selection.size {
        let sizes = distinct(&tagged, |tags| tags.size);
        tagged.retain(|(_, tags)| tags.size == Some(size));
        if tagged.is_empty() {
            return Err(Problem::NoSample { size, sizes });
        }
    }
    if let [(name, _)] = tagged[..] {
        return Ok(name.clone());
    }
    let (days, samples) = (distinct(&tagged, |tags| tags.day), distinct(&tagged, |tags| tags.sample.clone()));
    let numbers = distinct(&tagged, |tags| tags.size);
    Err(if days.len() > 1 {
        Problem::SeveralDays { days }
    } else if samples.len() > 1 {
        let numbered = numbers.len() == samples.len();
        let by_number = numbers.iter().map(ToString::to_string).collect();
        Problem::SeveralSamples { samples: if numbered { by_number } else { samples }, numbered }
    } else {
        Problem::SeveralTables { what, names: tagged.into_iter().map(|(name, _)| name.clone()).collect() }
    })
}

/// The different values, in order.
fn distinct<T: Ord>(tagged: &[(&String, Tags)], value: impl Fn(&Tags) -> Option<T>) -> Vec<T> {
    tagged.iter().filter_map(|(_, tags)| value(tags)).collect::<BTreeSet<T>>().into_iter().collect()
}

/// A table that belongs to another: how it is told.
pub(super) struct Companion<'a> {
    /// What it holds, in the plural.
    pub(super) what: &'static str,
    /// Whether a header is that of such a table.
    pub(super) is: &'a dyn Fn(&Header) -> bool,
    /// What its name usually begins or ends with.
    pub(super) usual: &'a [&'a str],
}

/// The file that belongs to `main`: beside it, of its day and sample, with the right header. Where several have that, the one
/// with the usual name; where none has, a file with the usual name, whose reader says what is wrong. None when there is none.
pub(super) fn companion(files: &Files<'_>, main: &str, wanted: &Companion<'_>) -> Result<Option<String>, Problem> {
    let of_main = files.tags(main);
    let beside = |is: &dyn Fn(&Tags) -> bool| -> Vec<&str> {
        files.names().filter(|&name| name != main && is(&files.tags(name))).collect()
    };
    let same = beside(&|tags| tags.belongs_to(&of_main));
    // A sample beside tables that are not named after it.
    let plain = beside(&|tags| tags.group == of_main.group && tags.day.is_none() && tags.sample.is_none());
    for candidates in [same, plain] {
        let told = |name: &&str| Header::of(files, name).is_ok_and(|header| (wanted.is)(&header));
        let right: Vec<&str> = candidates.iter().copied().filter(told).collect();
        let usual = |name: &&str| {
            let stem = files.tags(name).stem;
            wanted.usual.iter().any(|usual| stem.starts_with(usual) || stem.ends_with(usual))
        };
        let usual_of = |names: &[&str]| -> Vec<String> {
            names.iter().copied().filter(|name| usual(name)).map(str::to_owned).collect()
        };
        match (&right[..], &usual_of(&right)[..]) {
            ([name], _) => return Ok(Some((*name).to_owned())),
            (_, [name]) => return Ok(Some(name.clone())),
            ([], _) => {
                if let [name] = &usual_of(&candidates)[..] {
                    return Ok(Some(name.clone()));
                }
            }
            (names, _) => {
                let names = names.iter().map(|&name| name.to_owned()).collect();
                return Err(Problem::SeveralTables { what: wanted.what, names });
            }
        }
    }
    Ok(None)
}
