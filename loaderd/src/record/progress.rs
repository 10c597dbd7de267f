//! How far a run has come: counts since its start, percentiles over its last seconds.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{Missed, workers::WorkerLag};
use crate::{histogram::Histogram, plan::Phase};

/// Length of one piece of the window.
const PIECE: Duration = Duration::from_secs(1);

/// Length of the window.
const WINDOW: Duration = Duration::from_secs(5);

/// Figures of a running run, from its rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Number of the current slot, from 0.
    pub slot: u32,
    /// What it counts for; absent before the first slot.
    pub phase: Option<Phase>,
    /// The target rate in it, in invocations per second.
    pub target_rate: f64,
    /// Invocations that have ended.
    pub completed: u64,
    /// Of those, invocations that failed.
    pub failed: u64,
    /// Cold starts, as reported by the functions.
    pub cold_starts: u64,
    /// Dispatch lag of the last seconds, 99th percentile, in microseconds.
    pub lag_p99_us: Option<u64>,
    /// The loader's own lag of the last seconds, 99th percentile, in microseconds.
    pub own_lag_p99_us: Option<u64>,
    /// Response time of the last seconds, median, in microseconds.
    pub response_p50_us: Option<u64>,
    /// Response time of the last seconds, 99th percentile, in microseconds.
    pub response_p99_us: Option<u64>,
    /// Whether the loader was the bottleneck so far.
    pub saturated: bool,
    /// The expectation by which the run is to end, once one was missed.
    pub missed: Option<Missed>,
    /// What the rows of each worker show, by index; those that have rows.
    pub workers: Vec<WorkerLag>,
}

/// What the window has of a row, in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) lag: Option<u64>,
    pub(super) own_lag: Option<u64>,
    pub(super) response: Option<u64>,
}

/// The distributions of what the window has.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pub(super) lag: Histogram,
    pub(super) own_lag: Histogram,
    pub(super) response: Histogram,
}

/// One second of rows.
#[derive(Debug)]
struct Piece {
    begin: Instant,
    values: Recent,
}

/// The last seconds of a run.
#[derive(Debug, Default)]
pub(super) struct Window {
    pieces: VecDeque<Piece>,
}

impl Window {
    /// Takes a row's figures.
    pub(super) fn add(&mut self, now: Instant, Times { lag, own_lag, response }: Times) {
        if self.pieces.back().is_none_or(|piece| now.duration_since(piece.begin) >= PIECE) {
            self.pieces.push_back(Piece { begin: now, values: Recent::default() });
        }
        if let Some(Piece { values, .. }) = self.pieces.back_mut() {
            lag.into_iter().for_each(|lag| values.lag.add(lag));
            own_lag.into_iter().for_each(|lag| values.own_lag.add(lag));
            response.into_iter().for_each(|response| values.response.add(response));
        }
    }

    /// Lags and response time over the window.
    pub(super) fn figures(&mut self, now: Instant) -> Recent {
        while self.pieces.front().is_some_and(|piece| now.duration_since(piece.begin) > WINDOW) {
            self.pieces.pop_front();
        }
        let mut figures = Recent::default();
        for Piece { values, .. } in &self.pieces {
            figures.lag.merge(&values.lag);
            figures.own_lag.merge(&values.own_lag);
            figures.response.merge(&values.response);
        }
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn figures_are_those_of_the_last_seconds() {
        let begin = Clock.now();
        let mut window = Window::default();
        let times = |lag, own_lag, response| Times { lag: Some(lag), own_lag, response };
        window.add(begin, times(1_000_000, Some(1_000_000), None));
        window.add(begin + Duration::from_secs(6), times(10, Some(7), Some(500)));
        window.add(begin + Duration::from_secs(8), times(30, None, Some(700)));
        let Recent { lag, own_lag, response } = window.figures(begin + Duration::from_secs(8));
        assert_eq!((lag.count(), lag.max(), own_lag.count(), own_lag.max()), (2, Some(30), 1, Some(7)));
        assert_eq!((response.quantile(0.5), response.quantile(0.99)), (Some(500), Some(700)));
    }
}
