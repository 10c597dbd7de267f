//! Mode rps: looks for the greatest rate that the platform sustains, slot by slot.
//!
//! ```text
//! slot ──▶ wait until it has drained ──evidence──▶ verdict ──▶ search ──rate──▶ next slot
//! ```
//! The linear search climbs; without an end rate a slot that was not sustained is repeated, and ends the run after so many.
//! With one the plan goes through all its rates whatever happens. The search by halving doubles the rate until it is too
//! great, then narrows the interval. Slots that say nothing are repeated a few times.

mod bisect;
mod climb;
mod findings;
mod plan;
mod ramp;
mod search;
mod spec;
#[cfg(test)]
mod tests;
mod tries;
mod verdict;
mod wire;

use std::sync::Arc;

use loader_trace::Trace;

pub(super) use self::spec::check;
use self::{plan::RpsPlan, spec::RpsSpec};
use super::{Mode, Plan};
use crate::spec::{RunSpec, Violation};

impl Mode for RpsSpec {
    fn name(&self) -> &'static str {
        "rps"
    }

    /// A rate at which more than a few fail is not sustained.
    fn default_failure_ratio(&self) -> f64 {
        0.01
    }

    fn plan(&self, run: &RunSpec, _trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
        Ok(Box::new(RpsPlan::new(run, self)))
    }
}
