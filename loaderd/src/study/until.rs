//! When a cell has enough runs: once the interval of its median is narrow enough.

use loader_proto::v1;
use loader_report::{
    indicator,
    statistics::{self, Decision},
};

use super::{MOST_RUNS, share::share};
use crate::{spec::Check, units};

/// Half width that is narrow enough, where the study does not say.
const DEFAULT_HALF_WIDTH: f64 = 0.05;

/// Runs before the first look and at the end, where the study does not say. Of fewer than 5 no interval is looked at.
const DEFAULT_RUNS: (u32, u32) = (5, 20);

/// When a cell has enough runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Until {
    /// The name of the figure whose median is looked at.
    pub figure: String,
    /// When it is looked at, and what is narrow enough.
    pub rule: statistics::Until,
    /// Runs at which a cell ends in any case.
    pub at_most: u32,
}

impl Until {
    /// Reads when a cell has enough runs; absent where the study does not ask for it.
    pub(super) fn read(check: &mut Check, message: Option<&v1::Until>) -> Option<Option<Self>> {
        let Some(v1::Until { figure, half_width, at_least, at_most }) = message else { return Some(None) };
        let found = indicator::find(figure);
        if let Err(description) = &found {
            check.fault("until.figure", description.clone());
        }
        let half_width = share(check, "until.halfWidth", *half_width, DEFAULT_HALF_WIDTH);
        let (least, most) = (DEFAULT_RUNS.0, units::to_u32(MOST_RUNS));
        let at_least = check.count("until.atLeast", *at_least, least, least..=most);
        let default = at_least.unwrap_or(least).max(DEFAULT_RUNS.1);
        let at_most = check.count("until.atMost", *at_most, default, at_least.unwrap_or(least)..=most);
        let (half_width, at_least, at_most) = (half_width?, at_least?, at_most?);
        match statistics::Until::new(half_width, at_least, at_most) {
            Ok(rule) => Some(Some(Self { figure: found.ok()?.name.clone(), rule, at_most })),
            Err(description) => {
                check.fault("until", description);
                None
            }
        }
    }

    /// Whether one of the looks that are fixed beforehand finds the interval of a cell narrow enough: `values` has the figure of each run
    /// of the cell that has come to an end, in their order, and nothing where the run is no sample or has no such figure.
    pub fn is_reached(&self, values: &[Option<f64>]) -> bool {
        let looks = self.rule.looks().iter().enumerate();
        looks.filter_map(|(number, look)| Some((number, values.get(..*look as usize)?))).any(|(number, values)| {
            let known: Vec<f64> = values.iter().copied().flatten().collect();
            matches!(self.rule.look(number, &known), Decision::Narrow(_))
        })
    }
}
