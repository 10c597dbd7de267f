//! Which figures there are.

use std::sync::LazyLock;

use loader_proto::{json, v1::RunSummary};

use super::direction::{Better, better};
use crate::figure::Quantity;

/// Units at the end of a field's name, with what they count.
const UNITS: [(&str, Quantity); 4] =
    [("Us", Quantity::Micros), ("Ratio", Quantity::Share), ("Mib", Quantity::Mib), ("share", Quantity::Share)];

/// Counts that are parts of the requested invocations.
const PARTS: [&str; 3] = ["issued", "returned", "failed"];

/// Rates.
const RATES: [&str; 3] = ["goodput", "rps.sustainedRate", "rps.unsustainedRate"];

/// How alike a name must be to a known one to be suggested, from 0 to 1 (Jaro-Winkler).
const ALIKE: f64 = 0.8;

/// What kind of number a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number in its unit.
    Value(Quantity),
    /// A count that is a part of the requested invocations: compared as a share of them.
    Part,
}

/// A figure of a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// Its name, such as `response.p99`.
    pub name: String,
    /// Its path in summary.json, such as `responseUs.p99`.
    pub path: String,
    /// What kind of number it is.
    pub kind: Kind,
    /// Which values are better; absent where neither are.
    pub better: Option<Better>,
}

impl Indicator {
    /// The figure at a path, of all these.
    fn of(path: &str, paths: &[String]) -> Self {
        let steps = path.split('.').map(|step| UNITS.iter().find_map(|(unit, _)| without(step, unit)).unwrap_or(step));
        let name = steps.collect::<Vec<_>>().join(".");
        // A count and its share, such as `responseInclFailures.failed` and `responseInclFailures.failedRatio`.
        let name = if paths.contains(&name) { path.to_owned() } else { name };
        let quantity = UNITS.iter().find(|(unit, _)| path.split('.').any(|step| step.ends_with(unit)));
        let rate = RATES.contains(&path).then_some(Quantity::PerSecond);
        let quantity = rate.or(quantity.map(|(_, quantity)| *quantity)).unwrap_or(Quantity::Number);
        // The number of values of a distribution is one, whatever its values count.
        let quantity = if path.ends_with(".count") { Quantity::Number } else { quantity };
        let kind = if PARTS.contains(&path) { Kind::Part } else { Kind::Value(quantity) };
        Self { better: better(&name), path: path.to_owned(), kind, name }
    }

    /// The unit of its values, as [`Figures`](super::Figures) has them.
    pub fn quantity(&self) -> Quantity {
        match self.kind {
            Kind::Value(quantity) => quantity,
            Kind::Part => Quantity::Share,
        }
    }
}

/// A field's name without the unit at its end; nothing where it has none, or is nothing else.
fn without<'a>(step: &'a str, unit: &str) -> Option<&'a str> {
    step.strip_suffix(unit).filter(|rest| !rest.is_empty())
}

/// Whether a number says when the run was, or what it was drawn from, and nothing of how it went.
fn is_no_figure(path: &str) -> bool {
    path == "seed" || path.ends_with("UnixUs")
}

static ALL: LazyLock<Vec<Indicator>> = LazyLock::new(|| {
    let paths = json::numbers::<RunSummary>();
    paths.iter().filter(|path| !is_no_figure(path)).map(|path| Indicator::of(path, &paths)).collect()
});

/// All figures, in the order of summary.json.
pub fn all() -> &'static [Indicator] {
    &ALL
}

/// The figure of that name, or at that path of summary.json.
///
/// # Errors
/// There is none: says so, with the nearest name that there is.
pub fn find(name: &str) -> Result<&'static Indicator, String> {
    let name = name.trim();
    all().iter().find(|it| it.name == name || it.path == name).ok_or_else(|| {
        let nearest = nearest(name).map(|it| format!("; did you mean {it}?")).unwrap_or_default();
        format!("there is no figure {name:?} in summary.json{nearest}")
    })
}

fn nearest(name: &str) -> Option<&'static str> {
    let given = name.to_lowercase();
    let scored = all().iter().map(|it| (strsim::jaro_winkler(&given, &it.name.to_lowercase()), it.name.as_str()));
    scored.filter(|(alike, _)| *alike >= ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_paths_without_units() {
        for (name, path, quantity, better) in [
            ("response.p99", "responseUs.p99", Quantity::Micros, Some(Better::Less)),
            (
                "responseInclFailures.failedRatio",
                "responseInclFailures.failedRatio",
                Quantity::Share,
                Some(Better::Less),
            ),
            ("achieved", "achievedRatio", Quantity::Share, Some(Better::More)),
            ("failed", "failed", Quantity::Share, Some(Better::Less)),
            ("coldStarts.share", "coldStarts.share", Quantity::Share, Some(Better::Less)),
            ("coldStarts.latencyP50", "coldStarts.latencyP50Us", Quantity::Micros, Some(Better::Less)),
            ("slowdown.geometricMean", "slowdown.geometricMean", Quantity::Number, Some(Better::Less)),
            ("rps.sustainedRate", "rps.sustainedRate", Quantity::PerSecond, Some(Better::More)),
            ("goodput", "goodput", Quantity::PerSecond, Some(Better::More)),
            ("response.count", "responseUs.count", Quantity::Number, None),
            ("response.intervals.p99.low", "responseUs.intervals.p99.low", Quantity::Micros, None),
            ("memoryInFlight.peak", "memoryInFlight.peakMib", Quantity::Mib, None),
        ] {
            let found = find(name).expect(name);
            assert_eq!((found.path.as_str(), found.quantity(), found.better), (path, quantity, better), "{name}");
            assert_eq!(find(path), Ok(found), "{path}");
        }
    }

    #[test]
    fn each_name_is_that_of_one_figure() {
        let names: BTreeSet<_> = all().iter().map(|it| &it.name).collect();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn what_is_no_figure_is_refused_with_the_nearest_one() {
        for (name, expected) in [
            ("response.p98", "there is no figure \"response.p98\" in summary.json; did you mean response.p9"),
            ("respose.p99", "did you mean response.p99?"),
            ("coldstarts.share", "did you mean coldStarts.share?"),
            ("seed", "there is no figure \"seed\""),
            ("t0UnixUs", "there is no figure"),
            ("", "there is no figure \"\" in summary.json"),
        ] {
            let fault = find(name).expect_err(name);
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
