//! What a mode supplies to the rest of the daemon. Nothing else distinguishes modes.
//!
//! ```text
//! message ──check──▶ Mode ──plan──▶ Plan ──────slots──────▶ dispatch ──rows──▶ record
//!                                    └───▶ Collector ◀───────rows and slots───────┘
//!                                              └──finish──▶ Findings ──▶ summary
//! ```

use std::{fmt::Debug, sync::Arc, time::Duration};

use loader_proto::v1;
use loader_trace::{Arrivals, Trace};

use super::{ColdPool, Judging, Outline, PlannedInvocation, Slot, SlotHead, SlotOutcome, TraceInput, Unit, Warmup};
use crate::spec::{RunSpec, Violation};

/// The mode's part of a spec, checked.
pub trait Mode: Debug + Send + Sync {
    /// The mode's name: that of its field in a spec.
    fn name(&self) -> &'static str;

    /// The arrivals of a run that names none.
    fn default_arrivals(&self) -> Arrivals {
        Arrivals::Equidistant
    }

    /// The greatest share of a slot's invocations that may fail, in a run that names none.
    fn default_failure_ratio(&self) -> f64 {
        0.3
    }

    /// Whether it must know how many instances each function has.
    fn needs_scales(&self) -> bool {
        false
    }

    /// The trace that [`Mode::plan`] needs; absent for a mode that replays none.
    fn trace(&self) -> Option<TraceInput> {
        None
    }

    /// The plan of a run of this mode, over the trace that [`Mode::trace`] requests.
    ///
    /// # Errors
    /// Every fault that shows only in spec and trace together, by field.
    fn plan(&self, run: &RunSpec, trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>>;
}

/// A function that a plan calls; its index in [`Plan::functions`] is its [`crate::id::FunctionIndex`].
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedFunction {
    /// Its name: a DNS label, unique in the plan.
    pub name: String,
    /// Its id in the trace; empty without a trace.
    pub source_id: String,
    /// What triggered it in the trace; empty where that is not known.
    pub trigger: String,
    /// Instances that it starts with, unless the spec sets another number.
    pub initial_scale: u32,
    /// Invocations of the whole plan, where that is known beforehand.
    pub invocations: Option<u64>,
    /// Most memory that an invocation requests, in MiB: what a platform sizes its instances by.
    pub peak_memory_mib: u32,
}

/// A plan under way.
pub trait Plan: Send {
    /// The functions that it calls. Never changes.
    fn functions(&self) -> &[PlannedFunction];

    /// The unit of time that invocations are numbered in.
    fn unit(&self) -> Unit;

    /// The functions from which a [`super::Target::Cold`] is chosen; empty for plans without such targets.
    fn cold_pool(&self) -> ColdPool {
        ColdPool::default()
    }

    /// Whether [`Plan::next_slot`] needs the outcome of the slot before. Where it does not, slots are asked for ahead of
    /// time, so that preparing one delays nothing.
    fn needs_outcomes(&self) -> bool;

    /// What the plan judges its slots by, by their outcomes; absent for a plan that judges none.
    fn judging(&self) -> Option<Judging> {
        None
    }

    /// The next slot, or nothing when the plan has ended. `previous` is the outcome of the slot before: always there for
    /// a plan that needs outcomes, except for its first slot.
    fn next_slot(&mut self, previous: Option<&SlotOutcome>) -> Option<Slot>;

    /// What gathers the mode's findings during the load. To be asked for before the first slot.
    fn collector(&self) -> Box<dyn Collector> {
        Box::new(NoFindings)
    }

    /// The mode's names of [`super::Mark::Extra`].
    fn extra_marks(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether due times are given exactly, as by a trace of single invocations, instead of drawn from the arrival process.
    fn has_exact_times(&self) -> bool {
        false
    }

    /// Why the plan's invocations cannot be listed before the run; absent when they can.
    fn undetermined(&self) -> Option<Violation> {
        None
    }

    /// The warm-up before the measured part; absent: none.
    fn warmup(&self) -> Option<Warmup> {
        None
    }

    /// Invocations that each function is expected to serve concurrently in the first part of the plan, by Little's
    /// law: arrival rate × mean run time. Nothing for plans that have no profiles.
    fn expected_concurrency(&self, _within: Duration) -> Vec<f64> {
        Vec::new()
    }

    /// Invocations that each function is expected to serve concurrently in a slot of `outline`, which is the plan's own, by
    /// Little's law. Absent for plans whose functions share every slot in the same way.
    fn slot_concurrency(&self, _slot: usize, _outline: &Outline) -> Option<Vec<f64>> {
        None
    }

    /// What the plan will do, without doing it.
    fn outline(&self) -> Outline;

    /// The outline, unless it is found that nobody wants it any more, which long ones ask between slots.
    fn outline_while(&self, is_wanted: &dyn Fn() -> bool) -> Option<Outline> {
        is_wanted().then(|| self.outline())
    }
}

/// An invocation that has ended, as passed to collectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed<'a> {
    /// What was planned, its function resolved.
    pub planned: &'a PlannedInvocation,
    /// Whether the function did what was requested.
    pub succeeded: bool,
    /// Sent minus due; absent when it was not sent.
    pub lag: Option<Duration>,
    /// Response time from the send; absent when there was no answer.
    pub response: Option<Duration>,
    /// Whether it found a cold instance; absent when that is not known.
    pub cold_start: Option<bool>,
}

/// Collects the findings of a mode. It gets all that is recorded, in the order in which it is recorded.
pub trait Collector: Debug + Send {
    /// Called when a slot begins.
    fn slot_opened(&mut self, _slot: &SlotHead) {}

    /// An invocation of the measured part has ended, or was not sent.
    fn observe(&mut self, _row: &Observed<'_>) {}

    /// A slot was carried out to its end, and the wait after it is over, with the outcome that the plan gets. Some of its
    /// invocations may still be in flight.
    fn slot_closed(&mut self, _outcome: &SlotOutcome) {}

    /// What was found; nothing for a mode without findings.
    fn finish(self: Box<Self>) -> Option<Box<dyn Findings>>;
}

/// The findings of a mode, in addition to what the summaries of all modes have.
pub trait Findings: Debug + Send + Sync {
    /// Sets the mode's field of the API's summary.
    fn fill(&self, summary: &mut v1::RunSummary);
}

/// The collector of a mode without findings.
#[derive(Debug, Clone, Copy)]
pub struct NoFindings;

impl Collector for NoFindings {
    fn finish(self: Box<Self>) -> Option<Box<dyn Findings>> {
        None
    }
}
