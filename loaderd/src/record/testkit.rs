//! Rows for tests, built from a few figures.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    clock::{Anchor, Clock, UnixMicros},
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{InvocationId, Mark, Offset, Phase, PlannedInvocation, SlotHead, Unit},
    record::{Flight, Row, SummaryFacts},
};

/// The instant from which the tests' offsets count.
pub(super) fn t0() -> Anchor {
    Anchor { unix: UnixMicros(1_000_000_000), ..Clock.anchor() }
}

/// Slot `index` of ten seconds with `planned` invocations.
pub(super) fn head(index: u32, planned: u64) -> SlotHead {
    SlotHead {
        index,
        phase: Phase::Measure,
        start: Offset::from_nanos(u64::from(index) * 10_000_000_000),
        duration: Duration::from_secs(10),
        rate: planned as f64 / 10.0,
        planned,
        measured: planned,
    }
}

/// An invocation of the first function, due at the slot's begin.
pub(super) fn planned(slot: SlotHead) -> PlannedInvocation {
    PlannedInvocation {
        id: InvocationId { of: Unit::Second, unit: 0, number: 0 },
        ordinal: None,
        slot,
        mark: Mark::None,
        function: FunctionIndex(0),
        due: slot.start,
        runtime_us: 10_000,
        runtime_ms: 10,
        memory_mib: 2,
        clamped: false,
    }
}

/// A row that was sent `lag_ms` late and answered after `response_ms`, having run as long as requested.
pub(super) fn row(t0: &Anchor, slot: SlotHead, lag_ms: u64, response_ms: u64) -> Row {
    let planned = planned(slot);
    let due = t0.instant + planned.due.as_duration();
    let outcome = Outcome {
        sent: Some(due + Duration::from_millis(lag_ms)),
        response: Some(Duration::from_millis(response_ms)),
        runtime_us: Some(planned.runtime_us),
        memory_kib: Some(2048),
        instance: "f-1".to_owned(),
        cold_start: Some(false),
        instance_started: Some(UnixMicros(7)),
        ..Outcome::bare(Status::Ok, "")
    };
    let ended = due + Duration::from_millis(lag_ms + response_ms);
    Row { planned, outcome, flight: Flight::Until(ended), worker: None }
}

/// A row that was not sent.
pub(super) fn unsent(slot: SlotHead, status: Status) -> Row {
    Row { planned: planned(slot), outcome: Outcome::bare(status, "why"), flight: Flight::Never, worker: None }
}

impl SummaryFacts {
    /// Facts of a run of one function that began then.
    pub(super) fn of(t0: UnixMicros) -> Self {
        Self {
            seed: 1,
            t0,
            not_due: Some(0),
            clock_changes: None,
            functions: vec!["f".to_owned()],
            instances_started: 0,
            findings: None,
            dropped_functions: BTreeMap::new(),
            notes: Vec::new(),
            warmup: None,
            disturbances: Vec::new(),
            workers: Vec::new(),
            max_clock_error: None,
        }
    }
}
