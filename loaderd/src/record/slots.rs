//! Slots while they are under way and until their last invocation has ended; then a row of slots.csv.

use std::{collections::BTreeMap, fmt, time::Duration};

use loader_proto::schema::SlotRecord;
use tokio::time::Instant;

use super::Row;
use crate::{
    clock::{Anchor, UnixMicros},
    histogram::Histogram,
    invoke::Status,
    plan::{Phase, SlotHead},
    units::micros,
};

/// The share of a slot's plan that must be sent inside the slot.
const ISSUED_SHARE: f64 = 0.99;

/// A finished slot, as in slots.csv. Invocations marked `step_warmup` are in none of its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotRow {
    /// Number of the slot, from 0.
    pub slot: u32,
    /// What its rows count for.
    pub phase: Phase,
    /// When the slot began.
    pub start: UnixMicros,
    /// How long it lasted.
    pub duration: Duration,
    /// The target rate, in invocations per second.
    pub rps: f64,
    /// Invocations of its plan.
    pub planned: u64,
    /// Invocations sent inside the slot.
    pub issued: u64,
    /// Invocations of the slot that were answered, whenever.
    pub returned: u64,
    /// Invocations of the slot with any status but ok.
    pub failed: u64,
    /// Cold starts, as reported by the functions.
    pub cold_starts: u64,
    /// Dispatch lag, 99th percentile, in microseconds.
    pub lag_p99_us: u64,
    /// Whether the loader was the bottleneck.
    pub saturated: bool,
    /// Response time from the send, median, in microseconds.
    pub response_p50_us: u64,
    /// Response time from the send, 99th percentile, in microseconds.
    pub response_p99_us: u64,
}

/// The row of slots.csv.
pub(super) fn record(row: &SlotRow) -> SlotRecord<'_> {
    let SlotRow {
        slot,
        phase,
        start: UnixMicros(start_unix_us),
        duration,
        rps,
        planned,
        issued,
        returned,
        failed,
        cold_starts,
        lag_p99_us,
        saturated,
        response_p50_us: _,
        response_p99_us: _,
    } = row;
    SlotRecord {
        slot: *slot,
        phase: phase.as_str().into(),
        start_unix_us: *start_unix_us,
        duration_us: micros(*duration),
        rps: *rps,
        planned: *planned,
        issued: *issued,
        returned: *returned,
        failed: *failed,
        cold_starts: *cold_starts,
        lag_p99_us: *lag_p99_us,
        saturated: *saturated,
    }
}

/// Why a slot was saturated, in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    pub(super) slot: u32,
    pub(super) lag_p99: Duration,
    pub(super) late: bool,
    pub(super) attempted: u64,
    pub(super) planned: u64,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, lag_p99, late, attempted, planned } = self;
        if *late {
            write!(f, "slot {slot}: dispatch lag p99 {:.1} ms", lag_p99.as_secs_f64() * 1e3)
        } else {
            write!(f, "slot {slot}: {attempted} of {planned} invocations sent in time")
        }
    }
}

/// A slot that is not complete yet.
#[derive(Debug)]
struct Open {
    head: SlotHead,
    closed: Option<Closed>,
    ended: u64,
    issued: u64,
    attempted: u64,
    returned: u64,
    failed: u64,
    cold_starts: u64,
    lag: Histogram,
    response: Histogram,
}

#[derive(Debug, Clone, Copy)]
struct Closed {
    complete: bool,
    dispatched: u64,
}

/// All slots that are not complete yet.
#[derive(Debug)]
pub(super) struct Slots {
    open: BTreeMap<u32, Open>,
    t0: Anchor,
    lag_bound: Duration,
}

/// A slot that is complete: its time is over and all its invocations have ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CompletedSlot {
    pub(super) row: SlotRow,
    pub(super) verdict: Option<Verdict>,
}

impl Slots {
    pub(super) fn new(t0: Anchor, lag_bound: Duration) -> Self {
        Self { open: BTreeMap::new(), t0, lag_bound }
    }

    /// Takes a row; the slot, when this row completes it.
    pub(super) fn row(&mut self, row: &Row) -> Option<CompletedSlot> {
        let (t0, bound) = (self.t0.instant, self.lag_bound);
        let open = self.open(row.planned.slot);
        open.ended += 1;
        if row.planned.counts() {
            open.count(row, t0, bound);
        }
        self.completed(row.planned.slot.index)
    }

    /// The slot's time is over, after `dispatched` of its invocations; the slot, when all of them have ended.
    pub(super) fn closed(&mut self, head: SlotHead, dispatched: u64, complete: bool) -> Option<CompletedSlot> {
        self.open(head).closed = Some(Closed { complete, dispatched });
        self.completed(head.index)
    }

    fn open(&mut self, head: SlotHead) -> &mut Open {
        self.open.entry(head.index).or_insert_with(|| Open::new(head))
    }

    fn completed(&mut self, slot: u32) -> Option<CompletedSlot> {
        let open = self.open.get(&slot)?;
        let closed = open.closed.filter(|closed| open.ended >= closed.dispatched)?;
        let open = self.open.remove(&slot)?;
        let verdict = open.verdict(closed, self.lag_bound);
        Some(CompletedSlot { row: open.into_row(&self.t0, verdict.is_some()), verdict })
    }
}

impl Open {
    fn new(head: SlotHead) -> Self {
        Self {
            head,
            closed: None,
            ended: 0,
            issued: 0,
            attempted: 0,
            returned: 0,
            failed: 0,
            cold_starts: 0,
            lag: Histogram::default(),
            response: Histogram::default(),
        }
    }

    fn count(&mut self, row: &Row, t0: Instant, bound: Duration) {
        let outcome = &row.outcome;
        let end = t0 + self.head.end().as_duration();
        if let Some(sent) = outcome.sent {
            self.issued += u64::from(sent <= end + bound);
        }
        // An attempt without a connection counts as sent in time: the loader is not the cause.
        let refused = matches!(outcome.status, Status::ConnectError | Status::ConnectTimeout);
        let in_time = outcome.sent.is_some_and(|sent| sent <= end + bound + outcome.connect.unwrap_or_default());
        self.attempted += u64::from(refused || in_time);
        self.returned += u64::from(outcome.response.is_some());
        self.failed += u64::from(!row.succeeded());
        self.cold_starts += u64::from(outcome.cold_start == Some(true));
        if let Some(lag) = row.own_lag(t0) {
            self.lag.add(micros(lag));
        }
        if let (true, Some(response)) = (row.succeeded(), outcome.response) {
            self.response.add(micros(response));
        }
    }

    /// Whether the loader was the bottleneck. A slot that was cut short is judged by its lag alone.
    fn verdict(&self, closed: Closed, bound: Duration) -> Option<Verdict> {
        let lag_p99 = Duration::from_micros(self.lag.quantile(0.99));
        let late = lag_p99 > bound;
        let short = closed.complete && (self.attempted as f64) < ISSUED_SHARE * self.head.measured as f64;
        (late || short).then_some(Verdict {
            slot: self.head.index,
            lag_p99,
            late,
            attempted: self.attempted,
            planned: self.head.measured,
        })
    }

    fn into_row(self, t0: &Anchor, saturated: bool) -> SlotRow {
        SlotRow {
            slot: self.head.index,
            phase: self.head.phase,
            start: t0.unix.plus(self.head.start.as_duration()),
            duration: self.head.duration,
            rps: self.head.rate,
            planned: self.head.measured,
            issued: self.issued,
            returned: self.returned,
            failed: self.failed,
            cold_starts: self.cold_starts,
            lag_p99_us: self.lag.quantile(0.99),
            saturated,
            response_p50_us: self.response.quantile(0.5),
            response_p99_us: self.response.quantile(0.99),
        }
    }
}

#[cfg(test)]
mod tests;
