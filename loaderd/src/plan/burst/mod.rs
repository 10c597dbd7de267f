//! Mode burst: a climbing rate on two functions, a hold, and in its middle a burst on one of them.

mod findings;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use loader_trace::Trace;

pub(super) use self::spec::check;
use self::{plan::BurstPlan, spec::BurstSpec};
use super::{Mode, Plan};
use crate::spec::{RunSpec, Violation};

impl Mode for BurstSpec {
    fn name(&self) -> &'static str {
        "burst"
    }

    fn plan(&self, run: &RunSpec, _trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
        Ok(Box::new(BurstPlan::new(run, self)))
    }
}
