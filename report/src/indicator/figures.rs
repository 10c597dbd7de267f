//! The figures of one summary.

use std::collections::BTreeMap;

use loader_proto::{
    json::{self, Integers},
    v1::RunSummary,
};
use serde_json::Value;

use super::catalogue::{Indicator, Kind, all};

/// The figures of a run, by name. One that the run does not have is absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    values: BTreeMap<String, f64>,
    /// Of parts of the requested invocations: their numbers.
    counts: BTreeMap<String, f64>,
}

impl Figures {
    /// Those of a summary.
    pub fn of(summary: &RunSummary) -> Self {
        Self::of_json(&json::to_full_value(summary, Integers::Numbers))
    }

    /// Those of summary.json.
    pub fn of_json(summary: &Value) -> Self {
        let known = all().iter().filter_map(|indicator| Some((indicator.name.clone(), value(indicator, summary)?)));
        let parts = all().iter().filter(|indicator| indicator.kind == Kind::Part);
        let counts = parts.filter_map(|indicator| Some((indicator.name.clone(), number(summary, &indicator.path)?)));
        Self { values: known.collect(), counts: counts.collect() }
    }

    /// The value of a figure, in its unit; of a part of the requested invocations, its share.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// The number of a part of the requested invocations; absent of other figures.
    pub fn count(&self, name: &str) -> Option<f64> {
        self.counts.get(name).copied()
    }
}

impl FromIterator<(String, f64)> for Figures {
    fn from_iter<I: IntoIterator<Item = (String, f64)>>(figures: I) -> Self {
        let values = figures.into_iter().filter(|(_, value)| value.is_finite()).collect();
        Self { values, counts: BTreeMap::new() }
    }
}

/// The number of a summary at a path.
fn number(summary: &Value, path: &str) -> Option<f64> {
    let found = path.split('.').try_fold(summary, |value, step| value.get(step))?;
    found.as_f64().filter(|value| value.is_finite())
}

fn value(indicator: &Indicator, summary: &Value) -> Option<f64> {
    let found = number(summary, &indicator.path)?;
    match indicator.kind {
        Kind::Value(_) => Some(found),
        Kind::Part => number(summary, "requested").filter(|all| *all > 0.0).map(|all| found / all),
    }
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::Distribution;

    use super::*;

    #[test]
    fn what_a_run_does_not_have_is_absent_and_zero_is_zero() {
        let response_us = Some(Distribution { count: 5, p50: Some(1200), ..Distribution::default() });
        let figures = Figures::of(&RunSummary {
            requested: 200,
            failed: 3,
            response_us,
            goodput: Some(0.0),
            ..RunSummary::default()
        });
        for (name, expected) in [
            ("response.p50", Some(1200.0)),
            ("response.p99", None),
            ("failed", Some(0.015)),
            ("goodput", Some(0.0)),
            ("slowdown.geometricMean", None),
            ("requested", Some(200.0)),
        ] {
            assert_eq!(figures.get(name), expected, "{name}");
        }
        assert_eq!(Figures::of(&RunSummary::default()).get("failed"), None, "of nothing there is no share");
    }
}
