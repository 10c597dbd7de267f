//! Rows for tests, built from a few figures.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    clock::{Anchor, Clock, UnixMicros},
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{InvocationId, Mark, Offset, Phase, PlannedInvocation, SlotHead, Unit},
    record::{
        AskedArrivals, Flight, MemoryLevel, Row, Statistics, Summary, SummaryFacts,
        slots::{Closed, Slots},
        statistics::Rules,
        summarise,
    },
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

/// The summary of rows of one slot or more, all of which are complete.
pub(super) fn summary(rules: Rules, rows: &[Row]) -> Summary {
    let mut statistics = Statistics::new(1, AskedArrivals::Planned, rules);
    let mut slots = Slots::new(rules.t0, rules.lag_bound);
    let mut heads = BTreeMap::<u32, (SlotHead, u64)>::new();
    for row in rows {
        heads.entry(row.planned.slot.index).or_insert((row.planned.slot, 0)).1 += 1;
    }
    for (head, dispatched) in heads.into_values() {
        slots.opened(head, MemoryLevel { at: rules.t0.instant + head.start.as_duration(), mib: 4 });
        assert!(slots.closed(head, Closed { cut: None, dispatched, memory_peak_mib: 6 }).is_none());
    }
    for row in rows {
        statistics.row(row);
        if let Some(completed) = slots.row(row) {
            statistics.slot_completed(completed);
        }
    }
    summarise(statistics, facts(rules))
}

pub(super) fn facts(rules: Rules) -> SummaryFacts {
    SummaryFacts::of(rules.t0.unix)
}

/// The summary of a run whose invocations were all answered, after these times; whether each was a cold start.
pub(crate) fn answered(responses: impl IntoIterator<Item = (Duration, bool)>) -> Summary {
    let rules = Rules { t0: t0(), lag_bound: Duration::from_millis(10), slo: None, is_timed: true };
    let responses: Vec<_> = responses.into_iter().collect();
    let slot = head(0, responses.len() as u64);
    let of_response = |(response, is_cold): (Duration, bool)| {
        let mut row = row(&rules.t0, slot, 0, 0);
        row.outcome.response = Some(response);
        row.outcome.cold_start = Some(is_cold);
        row.flight = Flight::Until(rules.t0.instant + row.planned.due.as_duration() + response);
        row
    };
    summary(rules, &responses.into_iter().map(of_response).collect::<Vec<_>>())
}
