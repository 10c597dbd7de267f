//! Mode rps: a rate that rises from slot to slot, until its end or until the platform no longer holds it.
//!
//! Without an end rate an overloaded slot is repeated, and overload ends the run. With one the plan goes through all its
//! rates whatever happens, and overload is only counted.

mod climb;
mod findings;
mod plan;
mod ramp;
mod spec;
#[cfg(test)]
mod tests;
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

    fn plan(&self, run: &RunSpec, _trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
        Ok(Box::new(RpsPlan::new(run, self)))
    }
}
