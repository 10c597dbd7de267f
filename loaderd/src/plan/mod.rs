//! Plans: what is sent when. Pure and deterministic: from (spec, trace, seed) the same plan, bit for bit, on any machine.
//!
//! A plan is a sequence of [`Slot`]s, and a slot is a time-ordered iterator of [`Invocation`]s. Plans are generated as
//! they are used: memory grows with the number of functions, never with the number of invocations.

mod burst;
mod clamped;
mod coldstart;
mod constant;
mod fixed;
mod invocation;
mod merge;
mod outline;
mod overload;
mod rps;
mod trace;

pub use invocation::{Invocation, Mark, Offset, Phase, Target, Unit};
pub use outline::{FunctionOutline, Outline, SlotOutline};

use std::{ops::Range, sync::Arc, time::Duration};

use loader_trace::Trace;

use self::{burst::BurstPlan, coldstart::ColdStartPlan, rps::RpsPlan, trace::TracePlan};
use crate::spec::{Mode, RunSpec, TraceSpec, Violation};

/// A function that a plan calls; its place in [`Plan::functions`] is its [`crate::id::FunctionIndex`].
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedFunction {
    /// Its name: a DNS label, unique in the plan.
    pub name: String,
    /// Its id in the trace; empty where there is none.
    pub source_id: String,
    /// What triggered it in the trace; empty where that is not known.
    pub trigger: String,
    /// Instances that it starts with, unless the spec says otherwise.
    pub initial_scale: u32,
    /// Invocations of the whole plan, where that is known beforehand.
    pub invocations: Option<u64>,
    /// Most memory that an invocation asks for, in MiB: what a platform sizes its instances by.
    pub peak_memory_mib: u32,
}

/// A stretch of a plan: a minute of a trace, a step of a rate, …
pub struct Slot {
    /// Number of the slot, from 0.
    pub index: u32,
    /// What its rows count for.
    pub phase: Phase,
    /// When it begins, from the start of the load.
    pub start: Offset,
    /// How long it lasts. The next slot begins where it ends.
    pub duration: Duration,
    /// The rate that it stands for, in invocations per second.
    pub rate: f64,
    /// How many invocations `invocations` will give.
    pub planned: u64,
    /// How many of these count in the slot's statistics (all that are not [`Mark::StepWarmup`]).
    pub measured: u64,
    /// The invocations in order of their due time, each due inside the slot.
    pub invocations: Box<dyn Iterator<Item = Invocation> + Send>,
}

/// What happened while a slot was under way; what plans decide by. [`Mark::StepWarmup`] rows are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotOutcome {
    /// The slot.
    pub slot: u32,
    /// Invocations, of this slot or an earlier one, that ended while it was under way, in whatever way.
    pub returned: u64,
    /// Of those, the ones that failed.
    pub failed: u64,
    /// Invocations of this slot that should have found a cold function, where none was cold.
    pub shortfall: u64,
}

/// What a plan found by the outcomes that it was shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Findings {
    /// Nothing: the plan does not look at outcomes.
    #[default]
    None,
    /// See [`loader_proto::v1::RpsFindings`].
    Rps {
        /// The greatest rate of a slot that was not overloaded, if there was one, in invocations per second.
        held_rate: Option<f64>,
        /// Slots that were overloaded.
        overloaded_slots: u32,
        /// Whether the run ended at overload.
        ended_at_overload: bool,
    },
    /// See [`loader_proto::v1::ColdStartFindings`].
    ColdStart {
        /// Cold starts that were asked for in the slots so far.
        requested: u64,
        /// Shortfall of each slot so far.
        shortfall_by_slot: Vec<u64>,
        /// Whether the run ended at overload.
        ended_at_overload: bool,
    },
}

/// A plan under way.
pub trait Plan: Send {
    /// The functions that it calls. Never changes.
    fn functions(&self) -> &[PlannedFunction];

    /// The unit of time that invocations are numbered in.
    fn unit(&self) -> Unit;

    /// The functions from which a [`Target::Cold`] is chosen; empty for plans without such targets.
    fn cold_pool(&self) -> Range<u32> {
        0..0
    }

    /// Whether [`Plan::next_slot`] needs the outcome of the slot before. Where it does not, slots are asked for ahead of
    /// time, so that preparing one delays nothing.
    fn needs_outcomes(&self) -> bool;

    /// The next slot, or nothing when the plan has ended. `previous` is the outcome of the slot before: always there for
    /// a plan that needs outcomes, except for its first slot.
    fn next_slot(&mut self, previous: Option<&SlotOutcome>) -> Option<Slot>;

    /// What the plan found so far.
    fn findings(&self) -> Findings {
        Findings::None
    }

    /// How many of the invocations that were generated so far a clamp of run time or memory touched.
    fn clamped(&self) -> u64 {
        0
    }

    /// Invocations that each function is expected to have at work at the same time in the first part of the plan, by Little's
    /// law: arrival rate × mean run time. Nothing for plans that have no profiles.
    fn expected_concurrency(&self, _within: Duration) -> Vec<f64> {
        Vec::new()
    }

    /// What the plan will do, without doing it.
    fn outline(&self) -> Outline;
}

/// The plan of a spec. Mode trace needs its trace, which the other modes do not look at.
///
/// # Errors
/// Every fault that shows only in spec and trace together, by field.
pub fn build(spec: &RunSpec, trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
    Ok(match &spec.mode {
        Mode::Trace(mode) => Box::new(TracePlan::new(spec, mode, fitting(mode, trace)?)),
        Mode::Rps(mode) => Box::new(RpsPlan::new(spec, mode)),
        Mode::Burst(mode) => Box::new(BurstPlan::new(spec, mode)),
        Mode::ColdStart(mode) => Box::new(ColdStartPlan::new(spec, mode)),
    })
}

/// Most units of a trace. Each has a line in the plan's outline, which is held in memory; and of a trace of exact times
/// a single wrong one can make very many.
const MOST_UNITS: usize = 1 << 20;

/// The trace, if there is something in it to replay, for as long as the spec wants.
fn fitting(mode: &TraceSpec, trace: Option<Arc<Trace>>) -> Result<Arc<Trace>, Vec<Violation>> {
    let refuse = |field: &str, description: String| vec![Violation::new(field, description)];
    let Some(trace) = trace else { return Err(refuse("trace", "was not read".to_owned())) };
    if let Some(units) = mode.units.filter(|&units| units > trace.units) {
        let (has, unit) = (trace.units, mode.granularity.as_str());
        return Err(refuse("trace.duration", format!("asks for {units} {unit}s; the trace has {has}")));
    }
    if trace.units > MOST_UNITS {
        let (has, unit) = (trace.units, mode.granularity.as_str());
        let rule = format!("lasts {has} {unit}s; at most {MOST_UNITS} can be replayed, see trace.duration");
        return Err(refuse("trace", rule));
    }
    let seconds = mode.granularity.as_secs().saturating_mul(mode.units.unwrap_or(trace.units) as u64);
    if mode.warmup.is_some_and(|warmup| warmup.longest() >= Duration::from_secs(seconds)) {
        let rule = format!("hold and settle leave nothing of the trace's {seconds} seconds");
        return Err(refuse("trace.warmup", rule));
    }
    if trace.invocations() == 0 {
        return Err(refuse("trace", "has no invocation in the units that are replayed".to_owned()));
    }
    Ok(trace)
}

#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
