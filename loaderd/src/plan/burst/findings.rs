//! The findings of mode burst: response times within the hold, before the burst and from its begin until one second after it.

use std::time::Duration;

use super::{
    roles::{BURST, BURSTY, STEADY, VICTIM_MARK},
    spec::BurstSpec,
};
use crate::{
    histogram::{Distribution, Histogram},
    plan::{Collector, Findings, Observed},
};

/// How long after the burst's last invocation its effect is still measured.
const AFTERMATH: Duration = Duration::from_secs(1);

/// The findings of mode burst; response times in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BurstFindings {
    /// Of steady before the burst.
    pub(super) steady_before_us: Distribution,
    /// Of steady during the burst.
    pub(super) steady_during_us: Distribution,
    /// Of bursty before the burst.
    pub(super) bursty_before_us: Distribution,
    /// Of the burst's own invocations.
    pub(super) burst_us: Distribution,
    /// Of the victim's invocation; absent when it did not succeed.
    pub(super) victim: Option<Duration>,
    /// Whether the victim's invocation found a cold instance; absent when that is not known.
    pub(super) victim_cold: Option<bool>,
}

/// Sorts successful invocations by what they were, and by when they were due.
#[derive(Debug)]
pub(super) struct BurstCollector {
    hold: Duration,
    begin: Duration,
    end: Duration,
    steady_before: Histogram,
    steady_during: Histogram,
    bursty_before: Histogram,
    burst: Histogram,
    victim: Option<Duration>,
    victim_cold: Option<bool>,
}

impl BurstCollector {
    pub(super) fn new(spec: &BurstSpec) -> Self {
        let (hold, begin, end) = spec.burst_window();
        Self {
            hold,
            begin,
            end: end + AFTERMATH,
            steady_before: Histogram::default(),
            steady_during: Histogram::default(),
            bursty_before: Histogram::default(),
            burst: Histogram::default(),
            victim: None,
            victim_cold: None,
        }
    }
}

impl Collector for BurstCollector {
    fn observe(&mut self, row: &Observed<'_>) {
        let Some(response) = row.response.filter(|_| row.succeeded) else { return };
        let due = row.planned.due.as_duration();
        let before = due >= self.hold && due < self.begin;
        let during = due >= self.begin && due < self.end;
        let of = match (row.planned.mark, row.planned.function) {
            (BURST, _) => &mut self.burst,
            (VICTIM_MARK, _) => {
                self.victim = Some(response);
                self.victim_cold = row.cold_start;
                return;
            }
            (_, STEADY) if before => &mut self.steady_before,
            (_, STEADY) if during => &mut self.steady_during,
            (_, BURSTY) if before => &mut self.bursty_before,
            _ => return,
        };
        of.add_micros(response);
    }

    fn finish(self: Box<Self>) -> Option<Box<dyn Findings>> {
        Some(Box::new(BurstFindings {
            steady_before_us: Distribution::from(&self.steady_before),
            steady_during_us: Distribution::from(&self.steady_during),
            bursty_before_us: Distribution::from(&self.bursty_before),
            burst_us: Distribution::from(&self.burst),
            victim: self.victim,
            victim_cold: self.victim_cold,
        }))
    }
}
