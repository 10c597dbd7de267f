//! The search by halving: the rate doubles until one is not sustained, then the interval is halved until it is narrow
//! enough, and both edges are tried three times.
//!
//! ```text
//! start ─▶ 2 × start ─▶ … ─▶ not sustained ─▶ the middle, again and again ─▶ narrow ─▶ each edge, three times
//!                                                     ▲                                       │
//!                                                     └────── an edge was refuted ────────────┘
//! ```

use std::time::Duration;

use super::{tries::Tries, verdict::Verdict};
use crate::plan::{checks::HIGHEST_RATE, fixed::invocations};

/// How often each edge is tried.
const EDGE_TRIES: u32 = 3;

/// A search by halving.
#[derive(Debug, Clone)]
pub(super) struct Bisect {
    /// The first rate, and the least.
    start: f64,
    /// The greatest rate.
    last: f64,
    /// How narrow the interval is made, as a share of its upper edge.
    precision: f64,
    /// Length of a slot: rates that differ by no invocation in it are the same.
    slot: Duration,
    /// The greatest rate at which nothing was due.
    empty: Option<f64>,
    tries: Tries,
}

impl Bisect {
    pub(super) fn new(start: f64, end: Option<f64>, precision: f64, slot: Duration) -> Self {
        Self { start, last: end.unwrap_or(HIGHEST_RATE), precision, slot, empty: None, tries: Tries::default() }
    }

    /// The rate of the next slot; nothing when the search has ended.
    pub(super) fn rate(&self) -> Option<f64> {
        if let Some(tied) = self.tries.tied() {
            return Some(tied);
        }
        match self.tries.edges() {
            (None, None) => match self.empty {
                None => Some(self.start),
                Some(empty) => self.doubled(empty),
            },
            // Nothing below was sustained; the start is the least rate that is tried.
            (None, Some(upper)) => self.unsure(upper),
            (Some(lower), None) => self.doubled(lower).or_else(|| self.unsure(lower)),
            (Some(lower), Some(upper)) => {
                self.middle(lower, upper).or_else(|| self.unsure(lower)).or_else(|| self.unsure(upper))
            }
        }
    }

    /// Twice that rate, or the last one; nothing beyond it.
    fn doubled(&self, rate: f64) -> Option<f64> {
        (rate < self.last).then(|| (2.0 * rate).min(self.last))
    }

    /// The middle of an interval that is not narrow enough yet.
    fn middle(&self, lower: f64, upper: f64) -> Option<f64> {
        let middle = f64::midpoint(lower, upper);
        let count = |rate| invocations(rate, self.slot);
        let distinct = count(lower) < count(middle) && count(middle) < count(upper);
        (distinct && upper - lower > self.precision * upper).then_some(middle)
    }

    /// That rate, where it was not tried often enough to be an edge.
    fn unsure(&self, rate: f64) -> Option<f64> {
        (self.tries.of(rate).tried < EDGE_TRIES).then_some(rate)
    }

    /// Takes the verdict on a rate.
    pub(super) fn take(&mut self, rate: f64, verdict: Verdict) {
        if verdict == Verdict::Empty {
            self.empty = Some(rate);
        }
        self.tries.take(rate, verdict);
    }
}
