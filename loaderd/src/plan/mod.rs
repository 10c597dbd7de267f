//! Plans: what is sent when, and what is to be found by it. Pure and deterministic: from (spec, trace, seed) the same plan,
//! bit for bit, on any machine.
//!
//! A plan is a sequence of [`Slot`]s, and a slot is a time-ordered iterator of [`Invocation`]s. Plans are generated as
//! they are used: memory grows with the number of functions, never with the number of invocations.
//!
//! Each mode has a folder of its own: its settings (`spec`), what it sends (`plan`), what it finds (`findings`,
//! and `wire` for their message). What it supplies to the rest of the daemon is [`mod@contract`]; this file names it once.

mod checks;
mod cold_pool;
mod constant;
mod contract;
mod evidence;
mod fixed;
mod invocation;
mod merge;
mod needs;
mod numbering;
mod outline;
mod overload;
mod planned;
mod rounding;
mod share;
mod slot;
mod wire;

mod burst;
mod coldstart;
mod rps;
mod trace;

use std::sync::Arc;

use loader_proto::{
    json,
    v1::{self, run_spec},
};
use loader_trace::Trace;
use prost::Message as _;

pub use cold_pool::ColdPool;
pub use contract::{Collector, Findings, Mode, NoFindings, Observed, Plan, PlannedFunction};
use evidence::LONGEST_VERDICT;
pub use evidence::{Backlog, Judging, Late, SlotEvidence};
pub use invocation::{Invocation, Mark, Offset, Phase, Place, Target, Unit};
pub use needs::{TraceInput, TraceSource, Warmup};
pub use numbering::Numbering;
pub use outline::{FunctionOutline, Outline, SlotOutline};
pub use planned::{InvocationId, PlannedInvocation};
pub use rounding::{Rounding, fractional, whole_millis};
pub use share::{Shared, Shares, WrongShares, fingerprint};
pub use slot::{Slot, SlotHead, SlotOutcome};
pub(crate) use wire::distribution;

use crate::spec::{self, Check, Defaults, ModeFacts, RunSpec, Violation};

/// Reads the mode's part of a spec; absent, with faults, when it is wrong.
fn mode(check: &mut Check, message: &run_spec::Mode) -> Option<Box<dyn Mode>> {
    match message {
        run_spec::Mode::Trace(message) => boxed(trace::check(check, message)),
        run_spec::Mode::Rps(message) => boxed(rps::check(check, message)),
        run_spec::Mode::Burst(message) => boxed(burst::check(check, message)),
        run_spec::Mode::Coldstart(message) => boxed(coldstart::check(check, message)),
    }
}

fn boxed<M: Mode + 'static>(mode: Option<M>) -> Option<Box<dyn Mode>> {
    mode.map(|mode| Box::new(mode) as Box<dyn Mode>)
}

/// A whole spec, checked: the part common to all modes, and the mode's own.
#[derive(Debug)]
pub struct Request {
    /// The part common to all modes.
    pub run: RunSpec,
    /// The mode's own part.
    pub mode: Box<dyn Mode>,
}

impl Request {
    /// The plan. It needs the trace that [`Mode::trace`] requests.
    ///
    /// # Errors
    /// Every fault that shows only in spec and trace together, by field.
    pub fn plan(&self, trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
        self.mode.plan(&self.run, trace)
    }
}

/// The domain form of a whole spec, every default filled in.
///
/// # Errors
/// Every fault, by field: those of the common part first.
pub fn validate(message: &v1::RunSpec, defaults: &Defaults) -> Result<Request, Vec<Violation>> {
    let mut of_mode = Check::default();
    let mode = match &message.mode {
        Some(message) => mode(&mut of_mode, message),
        None => {
            let names = json::choices::<v1::RunSpec>("mode");
            of_mode.fault("mode", format!("is missing; give exactly one of {}", one_of(&names)));
            None
        }
    };
    let facts = mode.as_deref().map(|mode| ModeFacts {
        name: mode.name(),
        arrivals: mode.default_arrivals(),
        failure_ratio: mode.default_failure_ratio(),
        needs_scales: mode.needs_scales(),
    });
    let mut check = Check::default();
    let run = spec::common(&mut check, message, defaults, facts);
    check.append(of_mode);
    check.finish(run.zip(mode).map(|(run, mode)| Request { run, mode }))
}

/// The same of a spec that is encoded, as one process hands it to another.
///
/// # Errors
/// Every fault, by field; or bytes that are no spec.
pub fn validate_encoded(message: &[u8], defaults: &Defaults) -> Result<Request, Vec<Violation>> {
    match v1::RunSpec::decode(message) {
        Ok(message) => validate(&message, defaults),
        Err(error) => Err(vec![Violation::new("", format!("the spec cannot be decoded: {error}"))]),
    }
}

/// Names as a list in a sentence.
fn one_of(names: &[String]) -> String {
    match names {
        [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        names => names.concat(),
    }
}

#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
