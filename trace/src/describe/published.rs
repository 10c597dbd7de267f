//! Published statistics as rows of a table: what was found, what is published, and whether they agree.

use std::collections::BTreeMap;

use super::figures::Figures;
use crate::azure2019::{HOURLY_SHARE, POPULAR_SHARE, RUNTIME_LN, TRIGGERS, VARYING_SHARE, memory_quantile};

/// What a row's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Percent of the whole.
    Percent,
    /// Time in seconds.
    Seconds,
    /// Megabytes, as the platform counts them.
    Megabytes,
    /// A number without a unit.
    Plain,
}

/// How far what is found may lie from what is published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// An absolute difference, in percentage points.
    Points(f64),
    /// In percent of the published value.
    Percent(f64),
}

/// One statistic, as found and as published.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What the statistic measures, as text for users.
    pub statistic: String,
    /// In which unit `found` and `target` are.
    pub unit: Unit,
    /// The value of the trace; absent where the trace has no data for it.
    pub found: Option<f64>,
    /// The published value.
    pub target: f64,
    /// How far they may lie apart.
    pub tolerance: Tolerance,
}

impl Row {
    /// Whether the trace has the published value, within the tolerance; absent where the trace has no data for it.
    pub fn met(&self) -> Option<bool> {
        let most = match self.tolerance {
            Tolerance::Points(points) => points,
            Tolerance::Percent(percent) => self.target.abs() * percent / 100.0,
        };
        self.found.map(|found| (found - self.target).abs() <= most)
    }
}

/// Tolerance of shares, in percentage points.
const POINTS: f64 = 2.0;
/// Tolerance of everything else, in percent.
const PERCENT: f64 = 5.0;

/// A statistic that is a share; `found` is from 0 to 1, `target` in percent.
fn share(statistic: &str, found: Option<f64>, target: f64) -> Row {
    let found = found.map(|found| found * 100.0);
    Row { statistic: statistic.to_owned(), unit: Unit::Percent, found, target, tolerance: Tolerance::Points(POINTS) }
}

fn value(statistic: &str, unit: Unit, found: Option<f64>, target: f64) -> Row {
    Row { statistic: statistic.to_owned(), unit, found, target, tolerance: Tolerance::Percent(PERCENT) }
}

/// `figures` compared with those of Azure Functions in 2019 ([`crate::azure2019`]).
pub fn azure2019(figures: &Figures) -> Vec<Row> {
    let of = |shares: &Option<BTreeMap<String, f64>>, name: &str| {
        shares.as_ref().map(|shares| shares.get(name).copied().unwrap_or(0.0))
    };
    let mut rows = Vec::new();
    for trigger in TRIGGERS {
        let found = of(&figures.functions_by_trigger, trigger.name);
        rows.push(share(&format!("functions by trigger: {}", trigger.name), found, trigger.functions));
    }
    for trigger in TRIGGERS {
        let found = of(&figures.invocations_by_trigger, trigger.name);
        rows.push(share(&format!("invocations by trigger: {}", trigger.name), found, trigger.invocations));
    }
    rows.extend(apps(figures));
    rows.extend([
        share("timers at most once a minute", figures.timers_minutely, 95.0),
        share("quietest hour, of the mean hour", figures.quietest_hour, 50.0),
        share("functions whose longest run time is at most 10 s", figures.functions_up_to_10s, 75.0),
        value("average run time, median", Unit::Seconds, figures.runtime_median_s, RUNTIME_LN.0.exp()),
        value("average run time, deviation of ln", Unit::Plain, figures.runtime_ln_deviation, RUNTIME_LN.1),
        value("memory of an app, median", Unit::Megabytes, figures.memory_median_mb, memory_quantile(0.5)),
        value("memory of an app, 90th percentile", Unit::Megabytes, figures.memory_p90_mb, memory_quantile(0.9)),
    ]);
    rows
}

fn apps(figures: &Figures) -> [Row; 8] {
    [
        share("apps with one function", figures.apps_of_one, 54.0),
        share("apps with at most ten functions", figures.apps_up_to_ten, 95.0),
        share("apps with only HTTP functions", figures.apps_only_http, 43.0),
        share("apps with only timers", figures.apps_only_timers, 13.0),
        share("apps invoked at most once an hour", figures.apps_hourly, HOURLY_SHARE * 100.0),
        share("apps invoked at most once a minute", figures.apps_minutely, 81.0),
        share(
            &format!("invocations of the most popular {} % of apps", POPULAR_SHARE * 100.0),
            figures.popular_invocations,
            99.6,
        ),
        share("apps with inter-arrival CV above 1", figures.apps_varying, VARYING_SHARE * 100.0),
    ]
}
