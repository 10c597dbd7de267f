//! Plans for tests, and what they give.

use std::{sync::Arc, time::Duration};

pub(crate) use loader_proto::v1::RpsFindings;
use loader_proto::{json, v1};
use loader_trace::{Counts, Load, MemoryProfile, RuntimeProfile, Trace, TraceFunction};
use serde_json::Value;

use super::{
    Collector, Invocation, InvocationId, Mark, Offset, Phase, Plan, PlannedInvocation, Request, Slot, SlotEvidence,
    SlotHead, SlotOutcome, Target, Unit, validate,
};
use crate::{id::FunctionIndex, spec::Defaults};

/// The spec in JSON, checked.
pub(super) fn request(value: &Value) -> Request {
    let (message, faults) = json::from_value::<v1::RunSpec>(value);
    assert!(faults.is_empty(), "{faults:?}");
    validate(&message, &Defaults { platform: "local".to_owned() }).expect("a valid spec")
}

/// The plan of a spec in JSON.
pub(crate) fn plan(value: &Value) -> Box<dyn Plan> {
    request(value).plan(None).expect("a plan")
}

/// The plan of a spec in JSON over a trace.
pub(super) fn trace_plan(value: &Value, trace: Trace) -> Box<dyn Plan> {
    request(value).plan(Some(Arc::new(trace))).expect("a plan")
}

/// A function that runs 10 to 40 ms and takes 20 to 70 MiB, invoked so often in each unit.
pub(super) fn function(id: &str, counts: &[u32]) -> TraceFunction {
    let runtime = [10.0, 11.0, 15.0, 20.0, 30.0, 39.0, 40.0];
    let memory = [20.0, 22.0, 30.0, 40.0, 50.0, 60.0, 65.0, 70.0];
    TraceFunction {
        id: id.to_owned(),
        owner: "o".to_owned(),
        app: "a".to_owned(),
        trigger: Some("http".to_owned()),
        load: Load::Counts(Counts::new(counts)),
        runtime: Some(RuntimeProfile::from_millis(runtime).expect("ascending")),
        memory: Some(MemoryProfile::from_mib(memory).expect("ascending")),
    }
}

/// A trace of functions that have as many units as the first has counts.
pub(super) fn trace(functions: Vec<TraceFunction>) -> Trace {
    let units = functions.first().map_or(0, |function| match &function.load {
        Load::Counts(counts) => counts.units(),
        Load::Events(_) => 0,
    });
    Trace { functions, units, unit: Duration::from_secs(1) }
}

/// A slot, all of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Whole {
    pub(super) index: u32,
    pub(super) start_ms: u64,
    pub(super) duration_ms: u64,
    pub(super) rate: f64,
    pub(super) planned: u64,
    pub(super) measured: u64,
    pub(super) invocations: Vec<Invocation>,
}

impl From<Slot> for Whole {
    fn from(slot: Slot) -> Self {
        let millis = |nanos: u64| nanos / 1_000_000;
        Self {
            index: slot.index,
            start_ms: millis(slot.start.as_nanos()),
            duration_ms: millis(u64::try_from(slot.duration.as_nanos()).expect("short")),
            rate: slot.rate,
            planned: slot.planned,
            measured: slot.measured,
            invocations: slot.invocations.collect(),
        }
    }
}

/// What a slot shows of which all hundred invocations were sent in time, and so many failed.
pub(super) fn evidence(slot: u32, failed: u64) -> SlotEvidence {
    SlotEvidence { slot, planned: 100, in_time: 100, succeeded: 100 - failed, ..SlotEvidence::default() }
}

/// The outcome of such a slot.
pub(super) fn outcome(slot: u32, failed: u64) -> SlotOutcome {
    SlotOutcome { slot, evidence: Some(Box::new(evidence(slot, failed))), ..SlotOutcome::default() }
}

/// Up to `most` slots, when nothing fails.
pub(super) fn slots(plan: &mut dyn Plan, most: usize) -> Vec<Whole> {
    let mut previous = None;
    let mut slots = Vec::new();
    while slots.len() < most {
        let Some(slot) = plan.next_slot(previous.as_ref()) else { break };
        previous = Some(outcome(slot.index, 0));
        slots.push(Whole::from(slot));
    }
    slots
}

/// An invocation of one long slot that has come due.
pub(crate) fn planned(due_ms: u64, function: FunctionIndex, mark: Mark) -> PlannedInvocation {
    let duration = Duration::from_mins(1);
    let slot = SlotHead {
        index: 0,
        phase: Phase::Measure,
        start: Offset::default(),
        duration,
        rate: 1.0,
        planned: 60,
        measured: 60,
    };
    let due = Offset::from_nanos(due_ms * 1_000_000);
    let id = InvocationId { of: Unit::Minute, unit: 0, number: 0 };
    let (runtime_us, runtime_ms, memory_mib) = (1000, 1, 1);
    PlannedInvocation {
        id,
        ordinal: None,
        slot,
        mark,
        function,
        due,
        runtime_us,
        runtime_ms,
        memory_mib,
        clamped: false,
    }
}

/// The heads of up to `most` slots with these outcomes, and what the plan's collector, shown the same, puts into a summary.
pub(super) fn found(
    plan: &mut dyn Plan,
    most: usize,
    mut outcome: impl FnMut(u32) -> SlotOutcome,
) -> (Vec<SlotHead>, v1::RunSummary) {
    let (mut collector, mut heads, mut previous) = (plan.collector(), Vec::new(), None);
    while heads.len() < most {
        let Some(slot) = plan.next_slot(previous.as_ref()) else { break };
        let Slot { index, phase, start, duration, rate, planned, measured, invocations: _ } = slot;
        let head = SlotHead { index, phase, start, duration, rate, planned, measured };
        collector.slot_opened(&head);
        let outcome = outcome(index);
        collector.slot_closed(&outcome);
        heads.push(head);
        previous = Some(outcome);
    }
    let mut summary = v1::RunSummary::default();
    if let Some(findings) = collector.finish() {
        findings.fill(&mut summary);
    }
    (heads, summary)
}

/// What the collector of a plan of mode rps has found.
pub(crate) fn rps_findings(collector: Box<dyn Collector>) -> RpsFindings {
    let mut summary = v1::RunSummary::default();
    if let Some(findings) = collector.finish() {
        findings.fill(&mut summary);
    }
    summary.rps.expect("findings of mode rps")
}

/// An invocation as a line: due in nanoseconds, target, run time in microseconds, memory in MiB, mark.
pub(super) fn line(invocation: &Invocation) -> String {
    let Invocation { due, target, runtime_us, memory_mib, clamped: _, mark, place: _ } = invocation;
    let target = match target {
        Target::Function(function) => function.0.to_string(),
        Target::Cold { otherwise } => format!("cold|{}", otherwise.0),
    };
    format!("{} {target} {runtime_us} {memory_mib} {}", due.as_nanos(), mark.as_str()).trim_end().to_owned()
}

/// All invocations of some slots, as lines.
pub(super) fn lines(slots: &[Whole]) -> Vec<String> {
    slots.iter().flat_map(|slot| &slot.invocations).map(line).collect()
}
