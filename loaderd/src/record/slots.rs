//! Slots while they are under way and until their last invocation has ended; then a row of slots.csv.

use std::{collections::BTreeMap, time::Duration};

use loader_proto::schema::{Rounded, SlotRecord};
use tokio::time::Instant;

use super::{
    Flight, MemoryLevel, Row,
    capacity::Sends,
    memory::MemoryLoad,
    punctuality::Punctuality,
    verdicts::{Held, Saturated, SaturatedWorker},
};
use crate::{
    clock::{Anchor, UnixMicros},
    histogram::Histogram,
    id::WorkerIndex,
    invoke::Status,
    plan::{Offset, Phase, SlotHead},
    units::{micros, rounded, to_u32},
};

/// The share of a slot's invocations that may wait for the peer.
const HELD_SHARE: f64 = 0.01;

/// A finished slot, as in slots.csv. Invocations marked `step_warmup` are in none of its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotRow {
    /// Number of the slot, from 0.
    pub slot: u32,
    /// What its rows count for.
    pub phase: Phase,
    /// When the slot began.
    pub start: UnixMicros,
    /// How long it lasted, until the stop at the latest.
    pub duration: Duration,
    /// The target rate, in invocations per second.
    pub rps: f64,
    /// Invocations of its plan; of a slot that was cut short, those that came due.
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
    pub lag_p99_us: Option<u64>,
    /// Whether the loader was the bottleneck.
    pub saturated: bool,
    /// Response time from the send, median, in microseconds.
    pub response_p50_us: Option<u64>,
    /// Response time from the send, 99th percentile, in microseconds.
    pub response_p99_us: Option<u64>,
    /// The loader's own part of the dispatch lag, 99th percentile, in microseconds.
    pub own_lag_p99_us: Option<u64>,
    /// Whether the peer let the invocations go when they were due.
    pub open_loop: bool,
    /// Greatest memory that the invocations in flight asked for together, in MiB.
    pub memory_peak_mib: u64,
    /// The same, mean over the slot's time; absent of a slot without length.
    pub memory_mean_mib: Option<f64>,
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
        own_lag_p99_us,
        open_loop,
        memory_peak_mib,
        memory_mean_mib,
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
        own_lag_p99_us: *own_lag_p99_us,
        open_loop: Some(*open_loop),
        memory_peak_mib: Some(*memory_peak_mib),
        memory_mean_mib: memory_mean_mib.map(Rounded),
    }
}

/// A slot that is not complete yet.
#[derive(Debug)]
struct Open {
    head: SlotHead,
    closed: Option<Closed>,
    /// Absent of a slot of which no begin was reported.
    memory: Option<MemoryLoad>,
    ended: u64,
    issued: u64,
    punctuality: Punctuality,
    /// By worker; empty of a run without them.
    workers: BTreeMap<WorkerIndex, Punctuality>,
    sends: Sends,
    held: u64,
    stream_limit: Option<u32>,
    returned: u64,
    failed: u64,
    cold_starts: u64,
    lag: Histogram,
    own_lag: Histogram,
    response: Histogram,
}

/// How a slot's time ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closed {
    /// When it was cut short, from the start of the load.
    pub(super) cut: Option<Duration>,
    /// How many of its invocations came due.
    pub(super) dispatched: u64,
    /// Greatest memory in flight, in MiB.
    pub(super) memory_peak_mib: u64,
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
    pub(super) head: SlotHead,
    pub(super) row: SlotRow,
    pub(super) saturated: Option<Saturated>,
    /// The workers that were; none of a run without them.
    pub(super) saturated_workers: Vec<WorkerIndex>,
    pub(super) held: Option<Held>,
}

impl Slots {
    pub(super) fn new(t0: Anchor, lag_bound: Duration) -> Self {
        Self { open: BTreeMap::new(), t0, lag_bound }
    }

    /// A slot begins, with this much memory in flight of earlier ones.
    pub(super) fn opened(&mut self, head: SlotHead, memory: MemoryLevel) {
        let at = |offset: Offset| self.t0.instant + offset.as_duration();
        let memory = MemoryLoad::new(at(head.start), memory, at(head.end()));
        self.open(head).memory = Some(memory);
    }

    /// The slot begins for one more worker, with this much memory of its own in flight of earlier ones.
    pub(super) fn joined(&mut self, slot: u32, worker: WorkerIndex, memory: MemoryLevel) {
        if let Some(load) = self.open.get_mut(&slot).and_then(|open| open.memory.as_mut()) {
            load.joined(worker, memory);
        }
    }

    /// Takes a row; the slot, when this row completes it.
    pub(super) fn row(&mut self, row: &Row) -> Option<CompletedSlot> {
        let (t0, bound) = (self.t0.instant, self.lag_bound);
        let open = self.open(row.planned.slot);
        open.ended += 1;
        open.memory.iter_mut().for_each(|memory| memory.handed_out(row, t0));
        open.sends.add(row, t0, &open.head);
        if row.planned.counts() {
            open.count(row, t0, bound);
        }
        if let Flight::Until(ended) = row.flight {
            self.freed(row.worker, ended, row.planned.memory_mib);
        }
        self.completed(row.planned.slot.index)
    }

    /// The slot's time is over, after `dispatched` of its invocations, or was cut short at that time of the load; the slot,
    /// when all of them have ended.
    pub(super) fn closed(&mut self, head: SlotHead, closed: Closed) -> Option<CompletedSlot> {
        let t0 = self.t0.instant;
        let open = self.open(head);
        if let (Some(cut), Some(memory)) = (closed.cut, &mut open.memory) {
            memory.cut(t0 + cut);
        }
        open.closed = Some(closed);
        self.completed(head.index)
    }

    /// Memory was freed, in the slot whose time it was; that is one of the last ones.
    fn freed(&mut self, worker: Option<WorkerIndex>, at: Instant, memory_mib: u32) {
        let mut latest = self.open.values_mut().rev().filter_map(|open| open.memory.as_mut());
        if let Some(memory) = latest.find(|memory| !memory.begins_after(at)) {
            memory.ended(worker, at, memory_mib);
        }
    }

    fn open(&mut self, head: SlotHead) -> &mut Open {
        self.open.entry(head.index).or_insert_with(|| Open::new(head))
    }

    fn completed(&mut self, slot: u32) -> Option<CompletedSlot> {
        let open = self.open.get(&slot)?;
        let closed = open.closed.filter(|closed| open.ended >= closed.dispatched)?;
        let open = self.open.remove(&slot)?;
        Some(open.complete(closed, &self.t0, self.lag_bound))
    }
}

impl Open {
    fn new(head: SlotHead) -> Self {
        Self {
            head,
            closed: None,
            memory: None,
            ended: 0,
            issued: 0,
            punctuality: Punctuality::default(),
            workers: BTreeMap::new(),
            sends: Sends::default(),
            held: 0,
            stream_limit: None,
            returned: 0,
            failed: 0,
            cold_starts: 0,
            lag: Histogram::default(),
            own_lag: Histogram::default(),
            response: Histogram::default(),
        }
    }

    fn count(&mut self, row: &Row, t0: Instant, bound: Duration) {
        let outcome = &row.outcome;
        let allowed = self.head.end().as_duration() + bound;
        self.issued += u64::from(outcome.sent.is_some_and(|sent| sent <= t0 + allowed));
        self.punctuality.add(row, t0, allowed, bound);
        if let Some(worker) = row.worker {
            self.workers.entry(worker).or_default().add(row, t0, allowed, bound);
        }
        self.held += u64::from(row.was_held(bound) && !is_refused(outcome.status));
        self.stream_limit = self.stream_limit.max(outcome.stream_limit);
        self.returned += u64::from(outcome.response.is_some());
        self.failed += u64::from(!row.succeeded());
        self.cold_starts += u64::from(outcome.cold_start == Some(true));
        if let (Some(lag), Some(own)) = (row.lag(t0), row.own_lag(t0)) {
            self.lag.add(micros(lag));
            self.own_lag.add(micros(own));
        }
        if let (true, Some(response)) = (row.succeeded(), outcome.response) {
            self.response.add(micros(response));
        }
    }

    fn complete(self, closed: Closed, t0: &Anchor, bound: Duration) -> CompletedSlot {
        let planned = if closed.cut.is_some() { self.punctuality.counted } else { self.head.measured };
        let held = self.held(bound);
        let workers = self.saturated_workers();
        let tells_capacity = closed.cut.is_none() && held.is_none();
        let saturated = self.saturated(planned, &workers, tells_capacity);
        let end = closed.cut.map_or(self.head.end().as_duration(), |cut| cut.min(self.head.end().as_duration()));
        let row = SlotRow {
            slot: self.head.index,
            phase: self.head.phase,
            start: t0.unix.plus(self.head.start.as_duration()),
            duration: end.saturating_sub(self.head.start.as_duration()),
            rps: self.head.rate,
            planned,
            issued: self.issued,
            returned: self.returned,
            failed: self.failed,
            cold_starts: self.cold_starts,
            lag_p99_us: self.lag.percentile(0.99),
            saturated: saturated.is_some(),
            response_p50_us: self.response.percentile(0.5),
            response_p99_us: self.response.percentile(0.99),
            own_lag_p99_us: self.own_lag.percentile(0.99),
            open_loop: held.is_none(),
            memory_peak_mib: closed.memory_peak_mib,
            memory_mean_mib: self.memory.and_then(|memory| memory.mean_mib()),
        };
        let saturated_workers = workers.into_iter().map(|worker| worker.index).collect();
        CompletedSlot { head: self.head, row, saturated, saturated_workers, held }
    }

    /// The workers that were the bottleneck. Each is judged by the invocations of its share that came due.
    fn saturated_workers(&self) -> Vec<SaturatedWorker> {
        let lateness = self.workers.iter().filter_map(|(&index, worker)| {
            let lateness = worker.lateness(worker.counted)?;
            Some(SaturatedWorker { index, lateness })
        });
        lateness.collect()
    }

    /// Whether the loader was the bottleneck: all of it, or a worker. Of several workers the one that missed most is named.
    fn saturated(&self, planned: u64, workers: &[SaturatedWorker], tells_capacity: bool) -> Option<Saturated> {
        let slot = self.head.index;
        if let Some(&worst) = workers.iter().max_by_key(|worker| worker.lateness.missed) {
            let SaturatedWorker { index, lateness } = worst;
            return Some(Saturated {
                slot,
                lateness,
                worker: Some((index, to_u32(workers.len() - 1))),
                workers_needed: None,
            });
        }
        let lateness = self.punctuality.lateness(planned)?;
        let asks_for_more = tells_capacity && lateness.is_short() && self.workers.is_empty();
        let workers_needed = asks_for_more.then(|| self.sends.workers_needed(&self.head)).flatten();
        Some(Saturated { slot, lateness, worker: None, workers_needed })
    }

    /// Whether more invocations than may waited for the peer.
    fn held(&self, bound: Duration) -> Option<Held> {
        let is_held = self.held as f64 > HELD_SHARE * self.punctuality.counted as f64;
        is_held.then(|| {
            let busy = self.response.mean().map(|mean| self.head.rate * mean / 1e6);
            let limit = self.stream_limit.filter(|&limit| limit > 0);
            let needed =
                busy.zip(limit).map(|(busy, limit)| to_u32(rounded((busy / f64::from(limit)).ceil().max(1.0))));
            let (held, of) = (self.held, self.punctuality.counted);
            Held { slot: self.head.index, held, of, bound, stream_limit: self.stream_limit, connections_needed: needed }
        })
    }
}

/// Whether no connection could be made, which is a failure of its own.
fn is_refused(status: Status) -> bool {
    matches!(status, Status::ConnectError | Status::ConnectTimeout)
}

#[cfg(test)]
mod tests;
