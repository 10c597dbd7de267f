//! A run's figures, added up row by row.

use std::{collections::BTreeMap, time::Duration};

use super::{
    AskedArrivals, Row,
    arrivals::Arrivals,
    slots::{SlotRow, Verdict},
};
use crate::{
    clock::Anchor,
    histogram::Histogram,
    plan::{Phase, SlotHead},
    units::{micros, rounded},
};

/// By how much ratios are scaled in a [`Histogram`] of whole numbers.
const RATIO_SCALE: f64 = 1000.0;

/// A distribution of slowdowns.
#[derive(Debug, Clone, Default)]
pub struct Slowdowns(Histogram);

impl Slowdowns {
    fn add(&mut self, slowdown: f64) {
        self.0.add(rounded(slowdown * RATIO_SCALE));
    }
}

/// The figures of slowdowns; 1 is perfect, all are 0 without a value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Slowdown {
    /// Number of values.
    pub count: u64,
    /// Geometric mean of the values.
    pub geometric_mean: f64,
    /// Median (50th percentile).
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl From<&Slowdowns> for Slowdown {
    fn from(Slowdowns(histogram): &Slowdowns) -> Self {
        Self {
            count: histogram.count(),
            geometric_mean: histogram.geometric_mean() / RATIO_SCALE,
            p50: histogram.quantile(0.5) as f64 / RATIO_SCALE,
            p99: histogram.quantile(0.99) as f64 / RATIO_SCALE,
        }
    }
}

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

/// A run's figures: of its measured part, but for the counts of rows and the slots.
#[derive(Debug, Default)]
pub struct Statistics {
    pub(super) rows: u64,
    pub(super) rows_failed: u64,
    pub(super) rows_cold: u64,
    pub(super) requested: u64,
    pub(super) issued: u64,
    pub(super) returned: u64,
    pub(super) failed: u64,
    pub(super) by_status: BTreeMap<String, u64>,
    pub(super) lag: Histogram,
    pub(super) response_from_due: Histogram,
    pub(super) response: Histogram,
    pub(super) scheduling_latency: Histogram,
    pub(super) slowdown: Slowdowns,
    pub(super) cold_starts: u64,
    pub(super) cold_known: u64,
    pub(super) cold_latency: Histogram,
    pub(super) functions: Vec<FunctionStatistics>,
    pub(super) slots: Vec<SlotRow>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) measured_load: Duration,
    pub(super) arrivals: Arrivals,
}

impl Statistics {
    /// Figures of a run over that many functions, with these requested arrivals.
    pub(super) fn new(functions: usize, asked: AskedArrivals) -> Self {
        let functions = vec![FunctionStatistics::default(); functions];
        Self { functions, arrivals: Arrivals::new(asked), ..Self::default() }
    }

    /// Whether the loader was the bottleneck in any slot so far.
    pub fn is_saturated(&self) -> bool {
        !self.verdicts.is_empty()
    }

    pub(super) fn slot_closed(&mut self, head: &SlotHead) {
        self.measured_load = self.measured_load.max(head.end().as_duration());
    }

    pub(super) fn slot_completed(&mut self, row: SlotRow, verdict: Option<Verdict>) {
        let measured = row.phase == Phase::Measure;
        self.slots.push(row);
        self.verdicts.extend(verdict.filter(|_| measured));
    }

    /// Counts one row.
    pub(super) fn row(&mut self, row: &Row, t0: &Anchor) {
        let outcome = &row.outcome;
        let failed = u64::from(!row.succeeded());
        let cold = u64::from(outcome.cold_start == Some(true));
        self.rows += 1;
        self.rows_failed += failed;
        self.rows_cold += cold;
        if row.planned.slot.phase == Phase::Warmup {
            return;
        }
        self.requested += 1;
        self.issued += u64::from(outcome.sent.is_some());
        self.returned += u64::from(outcome.response.is_some());
        self.failed += failed;
        *self.by_status.entry(outcome.status.as_str().into_owned()).or_default() += 1;
        self.cold_starts += cold;
        self.cold_known += u64::from(outcome.cold_start.is_some());
        if let Some(function) = self.functions.get_mut(row.planned.function.as_usize()) {
            function.requested += 1;
            function.failed += failed;
            function.cold_starts += cold;
        }
        self.arrivals.row(row, t0.instant);
        if let Some(lag) = row.own_lag(t0.instant) {
            self.lag.add(micros(lag));
        }
        if row.planned.is_measured() && row.succeeded() {
            self.measured(row, t0);
        }
    }

    fn measured(&mut self, row: &Row, t0: &Anchor) {
        let Some(response) = row.outcome.response else { return };
        self.response.add(micros(response));
        self.response_from_due.add(micros(response + row.lag(t0.instant).unwrap_or_default()));
        if row.outcome.cold_start == Some(true) {
            self.cold_latency.add(micros(response));
        }
        let function = self.functions.get_mut(row.planned.function.as_usize());
        let mut unknown = FunctionStatistics::default();
        let function = function.unwrap_or(&mut unknown);
        function.response.add(micros(response));
        if let Some(latency) = row.scheduling_latency() {
            self.scheduling_latency.add(micros(latency));
            function.scheduling_latency.add(micros(latency));
        }
        if let Some(slowdown) = row.slowdown() {
            self.slowdown.add(slowdown);
            function.slowdown.add(slowdown);
        }
    }
}
