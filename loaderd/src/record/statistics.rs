//! A run's figures, added up row by row.

use std::{collections::BTreeMap, time::Duration};

use super::{
    AskedArrivals, Row, Tally,
    arrivals::Arrivals,
    row::Planned,
    slots::{SlotRow, Verdict, micros},
};
use crate::{
    clock::Anchor,
    dispatch::SlotHead,
    plan::{Mark, Phase},
};

/// By how much ratios are scaled in a [`Tally`] of whole numbers.
const RATIO_SCALE: f64 = 1000.0;

/// A distribution of slowdowns.
#[derive(Debug, Clone, Default)]
pub struct Slowdowns(Tally);

impl Slowdowns {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
    fn add(&mut self, slowdown: f64) {
        self.0.add((slowdown * RATIO_SCALE).round() as u64);
    }
}

impl From<&Slowdowns> for loader_proto::v1::Slowdown {
    fn from(Slowdowns(tally): &Slowdowns) -> Self {
        Self {
            count: tally.count(),
            geometric_mean: tally.geometric_mean() / RATIO_SCALE,
            p50: tally.quantile(0.5) as f64 / RATIO_SCALE,
            p99: tally.quantile(0.99) as f64 / RATIO_SCALE,
        }
    }
}

/// One function's figures.
#[derive(Debug, Clone, Default)]
pub struct FunctionStatistics {
    pub(super) requested: u64,
    pub(super) failed: u64,
    pub(super) cold_starts: u64,
    pub(super) response: Tally,
    pub(super) scheduling_latency: Tally,
    pub(super) slowdown: Slowdowns,
}

/// Mode burst: what is told apart, see [`loader_proto::v1::BurstFindings`].
#[derive(Debug, Clone, Default)]
pub(super) struct BurstStatistics {
    pub(super) steady_before: Tally,
    pub(super) steady_during: Tally,
    pub(super) bursty_before: Tally,
    pub(super) burst: Tally,
    pub(super) victim: Option<Duration>,
    pub(super) victim_cold: bool,
}

/// When the burst of a run in mode burst goes, and which functions are whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BurstWindow {
    /// When the hold begins, from the start of the load.
    pub hold: Duration,
    /// When the burst begins.
    pub begin: Duration,
    /// One second after the burst's last invocation.
    pub end: Duration,
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
    pub(super) lag: Tally,
    pub(super) response_from_due: Tally,
    pub(super) response: Tally,
    pub(super) scheduling_latency: Tally,
    pub(super) slowdown: Slowdowns,
    pub(super) cold_starts: u64,
    pub(super) cold_known: u64,
    pub(super) cold_latency: Tally,
    pub(super) functions: Vec<FunctionStatistics>,
    pub(super) slots: Vec<SlotRow>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) measured_load: Duration,
    pub(super) shortfall: u64,
    pub(super) cold_sent: u64,
    pub(super) burst: BurstStatistics,
    pub(super) arrivals: Arrivals,
}

impl Statistics {
    /// Figures of a run over that many functions, whose arrivals were asked to be so.
    pub(super) fn new(functions: usize, asked: AskedArrivals) -> Self {
        let functions = vec![FunctionStatistics::default(); functions];
        Self { functions, arrivals: Arrivals::new(asked), ..Self::default() }
    }

    /// Whether the loader was the bottleneck in any slot so far.
    pub fn is_saturated(&self) -> bool {
        !self.verdicts.is_empty()
    }

    pub(super) fn slot_closed(&mut self, head: &SlotHead, shortfall: u64) {
        self.measured_load = self.measured_load.max(head.end().as_duration());
        self.shortfall += shortfall;
    }

    pub(super) fn slot_settled(&mut self, row: SlotRow, verdict: Option<Verdict>) {
        let measured = row.phase == Phase::Measure.as_str();
        self.slots.push(row);
        self.verdicts.extend(verdict.filter(|_| measured));
    }

    /// Takes a row.
    pub(super) fn row(&mut self, row: &Row, t0: &Anchor, burst: Option<&BurstWindow>) {
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
        self.cold_sent += u64::from(row.planned.mark == Mark::Cold && outcome.sent.is_some());
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
        if let Some(window) = burst {
            self.burst(row, window);
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
        let mut nobody = FunctionStatistics::default();
        let function = function.unwrap_or(&mut nobody);
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

    /// Sorts a row of mode burst. The plan's functions are steady, bursty and victim, in this order.
    fn burst(&mut self, row: &Row, window: &BurstWindow) {
        let Planned { mark, function, due, .. } = row.planned;
        let due = due.as_duration();
        let Some(response) = row.outcome.response.filter(|_| row.succeeded()) else { return };
        let before = due >= window.hold && due < window.begin;
        let during = due >= window.begin && due < window.end;
        match (mark, function.0) {
            (Mark::Burst, _) => self.burst.burst.add(micros(response)),
            (Mark::Victim, _) => {
                self.burst.victim = Some(response);
                self.burst.victim_cold = row.outcome.cold_start == Some(true);
            }
            (_, 0) if before => self.burst.steady_before.add(micros(response)),
            (_, 0) if during => self.burst.steady_during.add(micros(response)),
            (_, 1) if before => self.burst.bursty_before.add(micros(response)),
            _ => {}
        }
    }
}
