//! Mode trace: the counts of a trace's functions, unit by unit.
//!
//! A slot is a unit (a minute or a second). In it each function has three streams of its own: when its invocations are
//! due, how long they run, how much memory they take. So one function's plan depends on no other's.

mod bounds;
mod names;
mod plan;
mod sizes;
mod spec;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use loader_trace::{Arrivals, Fallback, Limits, Options, Trace};

pub(super) use self::spec::check;
use self::{
    plan::TracePlan,
    spec::{TraceSpec, fitting},
};
use super::{Mode, Plan, TraceInput, checks::MOST_FUNCTIONS};
use crate::spec::{RunSpec, Violation};

impl Mode for TraceSpec {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn default_arrivals(&self) -> Arrivals {
        Arrivals::Poisson
    }

    fn trace(&self) -> Option<TraceInput> {
        let fallback = Fallback { runtime: self.default_runtime, memory_mib: self.default_memory_mib };
        let options = Options {
            format: self.format,
            day: self.day,
            size: self.size,
            unit: self.granularity.map(|granularity| Duration::from_secs(granularity.as_secs())),
            start: self.start,
            duration: self.duration,
            skip_incomplete: self.skip_incomplete,
            without_tables: false,
            strict: self.strict,
            fallback,
            limits: Limits { functions: MOST_FUNCTIONS as usize, ..Limits::default() },
        };
        Some(TraceInput { source: self.source.clone(), options })
    }

    fn plan(&self, run: &RunSpec, trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
        Ok(Box::new(TracePlan::new(run, self, fitting(self, trace)?)))
    }
}
