//! The figures of a run, added up from its rows.

use std::{collections::BTreeMap, time::Duration};

use super::{
    AskedArrivals, Counts, Flight, Row,
    arrivals::Arrivals,
    distributions::Distributions,
    ratios::Slowdowns,
    slots::{CompletedSlot, SlotRow},
    stalls::{Side, Stalls},
    verdicts::{Held, Saturated},
    workers::WorkerStatistics,
};
use crate::{
    clock::Anchor,
    histogram::Histogram,
    id::WorkerIndex,
    plan::{Offset, Phase},
    steady::Thinned,
    units::micros,
};

/// The figures of one function.
#[derive(Debug, Clone, Default)]
pub struct FunctionStatistics {
    pub(super) requested: u64,
    pub(super) failed: u64,
    pub(super) cold_starts: u64,
    pub(super) response: Histogram,
    pub(super) scheduling_latency: Histogram,
    pub(super) slowdown: Slowdowns,
}

/// What figures depend on besides the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) t0: Anchor,
    /// Above it the loader is late.
    pub(super) lag_bound: Duration,
    /// The response time that counts for goodput; absent: any.
    pub(super) slo: Option<Duration>,
    /// Whether functions run for as long as requested.
    pub(super) is_timed: bool,
}

/// A run's figures.
#[derive(Debug)]
pub struct Statistics {
    rules: Rules,
    /// Of everything in the file.
    pub(super) all: Counts,
    /// Cold starts of everything in the file.
    pub(super) all_cold: u64,
    pub(super) first_due: Option<Offset>,
    /// Of the measured phase.
    pub(super) measured: Counts,
    pub(super) clamped: u64,
    /// Not sent, because of the bound of the memory in flight.
    pub(super) over_memory: u64,
    pub(super) cold_starts: u64,
    pub(super) cold_known: u64,
    /// Of the measured phase, without the warm-ups of steps.
    pub(super) distributions: Distributions,
    /// The same of the rows that the loader touched.
    pub(super) touched: Distributions,
    pub(super) sent: u64,
    pub(super) sent_failed: u64,
    pub(super) good: u64,
    pub(super) slowdown: Slowdowns,
    pub(super) cold_response: Histogram,
    pub(super) stalls: Stalls,
    pub(super) arrivals: Arrivals,
    pub(super) latencies: Thinned,
    pub(super) functions: Vec<FunctionStatistics>,
    pub(super) slots: Vec<SlotRow>,
    pub(super) saturated: Vec<Saturated>,
    pub(super) held: Vec<Held>,
    /// By worker; empty of a run without them.
    pub(super) workers: BTreeMap<WorkerIndex, WorkerStatistics>,
}

impl Statistics {
    /// Figures of a run over that many functions, with these requested arrivals.
    pub(super) fn new(functions: usize, asked: AskedArrivals, rules: Rules) -> Self {
        Self {
            rules,
            all: Counts::default(),
            all_cold: 0,
            first_due: None,
            measured: Counts::default(),
            clamped: 0,
            over_memory: 0,
            cold_starts: 0,
            cold_known: 0,
            distributions: Distributions::default(),
            touched: Distributions::default(),
            sent: 0,
            sent_failed: 0,
            good: 0,
            slowdown: Slowdowns::default(),
            cold_response: Histogram::default(),
            stalls: Stalls::default(),
            arrivals: Arrivals::new(asked),
            latencies: Thinned::default(),
            functions: vec![FunctionStatistics::default(); functions],
            slots: Vec::new(),
            saturated: Vec::new(),
            held: Vec::new(),
            workers: BTreeMap::new(),
        }
    }

    /// How many invocations have a row.
    pub fn rows(&self) -> u64 {
        self.all.requested
    }

    /// Whether the loader was the bottleneck in any measured slot so far.
    pub fn is_saturated(&self) -> bool {
        !self.saturated.is_empty()
    }

    pub(super) fn slot_completed(&mut self, completed: CompletedSlot) {
        let CompletedSlot { head, row, saturated, saturated_workers, held } = completed;
        let measured = row.phase == Phase::Measure;
        self.arrivals.slot_completed(&head, row.duration);
        self.slots.push(row);
        self.saturated.extend(saturated.filter(|_| measured));
        self.held.extend(held.filter(|_| measured));
        for worker in saturated_workers.into_iter().filter(|_| measured) {
            self.workers.entry(worker).or_default().saturated_slots += 1;
        }
    }

    /// Counts one row.
    pub(super) fn row(&mut self, row: &Row) {
        let cold = u64::from(row.outcome.cold_start == Some(true));
        self.all.add(row);
        if let Some(worker) = row.worker {
            self.workers.entry(worker).or_default().add(row, self.rules.t0.instant);
        }
        self.all_cold += cold;
        self.first_due = Some(self.first_due.map_or(row.planned.due, |first| first.min(row.planned.due)));
        if row.planned.slot.phase == Phase::Warmup {
            return;
        }
        self.measured.add(row);
        self.clamped += u64::from(row.planned.clamped);
        self.over_memory += u64::from(row.flight == Flight::OverMemory);
        self.cold_starts += cold;
        self.cold_known += u64::from(row.outcome.cold_start.is_some());
        if let Some(function) = self.functions.get_mut(row.planned.function.as_usize()) {
            function.requested += 1;
            function.failed += u64::from(!row.succeeded());
            function.cold_starts += cold;
        }
        self.arrivals.row(row, self.rules.t0.instant);
        self.good += u64::from(self.is_good(row));
        if row.planned.is_measured() {
            self.counted(row);
        }
    }

    /// Whether it came back well and in time. Those of the warm-ups of steps count, as the time that they took does.
    fn is_good(&self, row: &Row) -> bool {
        let in_time = |response| self.rules.slo.is_none_or(|slo| response <= slo);
        row.succeeded() && row.outcome.response.is_some_and(in_time)
    }

    /// Takes a row whose figures count in distributions.
    fn counted(&mut self, row: &Row) {
        let t0 = self.rules.t0.instant;
        self.distributions.add(row, t0);
        self.touch(row);
        if row.outcome.sent.is_none() {
            return;
        }
        self.sent += 1;
        let Some(response) = row.outcome.response.filter(|_| row.succeeded()) else {
            self.sent_failed += 1;
            return;
        };
        if row.outcome.cold_start == Some(true) {
            self.cold_response.add(micros(response));
        }
        let latency = row.scheduling_latency();
        if let Some(latency) = latency {
            self.latencies.push(latency.as_secs_f64());
        }
        let slowdown = row.slowdown().filter(|_| self.rules.is_timed);
        if let Some(slowdown) = slowdown {
            self.slowdown.add(slowdown);
        }
        if let Some(function) = self.functions.get_mut(row.planned.function.as_usize()) {
            function.response.add(micros(response));
            latency.into_iter().for_each(|latency| function.scheduling_latency.add(micros(latency)));
            slowdown.into_iter().for_each(|slowdown| function.slowdown.add(slowdown));
        }
    }

    /// Notes where the loader itself was late.
    fn touch(&mut self, row: &Row) {
        let Rules { t0, lag_bound, .. } = self.rules;
        if row.own_delay(t0.instant) > lag_bound {
            self.touched.add(row, t0.instant);
            self.touched.rows += 1;
        }
        let since = |instant: tokio::time::Instant| instant.saturating_duration_since(t0.instant);
        let Some(sent) = row.outcome.sent.map(since) else { return };
        if row.own_lag(t0.instant).is_some_and(|lag| lag > lag_bound) {
            self.stalls.add(row.worker, Side::Send, row.planned.due.as_duration(), sent);
        }
        if let (Some(response), Some(lag)) = (row.outcome.response, row.outcome.receive_lag)
            && lag > lag_bound
        {
            self.stalls.add(row.worker, Side::Receive, sent + response, sent + response + lag);
        }
    }
}

#[cfg(test)]
mod tests;
