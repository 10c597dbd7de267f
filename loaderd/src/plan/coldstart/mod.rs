//! Mode coldstart: a rate on one hot function, and in each slot a given number of invocations for cold ones.
//!
//! Overloaded slots are counted as in mode rps and end the run when there are enough; they are not repeated, because the
//! run's length is given.

mod findings;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use loader_trace::Trace;

pub(super) use self::spec::check;
use self::{plan::ColdStartPlan, spec::ColdStartSpec};
use super::{Mode, Plan};
use crate::spec::{RunSpec, Violation};

impl Mode for ColdStartSpec {
    fn name(&self) -> &'static str {
        "coldstart"
    }

    fn plan(&self, run: &RunSpec, _trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
        Ok(Box::new(ColdStartPlan::new(run, self)))
    }
}
