//! Mode coldstart: a rate on one hot function, and in each slot a given number of invocations for cold ones.
//!
//! Overloaded slots, in which more than the failure ratio failed, end the run after as many as the tolerance. They are not
//! repeated, because the run's length is given, and slots follow each other without a wait, so that a slot is judged when
//! the next one has ended.

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

    fn needs_scales(&self) -> bool {
        true
    }

    fn plan(&self, run: &RunSpec, _trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
        Ok(Box::new(ColdStartPlan::new(run, self)))
    }
}
