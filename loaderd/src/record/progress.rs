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

/// One second of rows.
#[derive(Debug)]
struct Piece {
    begin: Instant,
    lag: Histogram,
    response: Histogram,
}

/// The last seconds of a run.
#[derive(Debug, Default)]
pub(super) struct Window {
    pieces: VecDeque<Piece>,
}

impl Window {
    /// Takes a row's figures, in microseconds.
    pub(super) fn add(&mut self, now: Instant, lag: Option<u64>, response: Option<u64>) {
        if self.pieces.back().is_none_or(|piece| now.duration_since(piece.begin) >= PIECE) {
            self.pieces.push_back(Piece { begin: now, lag: Histogram::default(), response: Histogram::default() });
        }
        if let Some(piece) = self.pieces.back_mut() {
            lag.into_iter().for_each(|lag| piece.lag.add(lag));
            response.into_iter().for_each(|response| piece.response.add(response));
        }
    }

    /// Lag and response time over the window.
    pub(super) fn figures(&mut self, now: Instant) -> (Histogram, Histogram) {
        while self.pieces.front().is_some_and(|piece| now.duration_since(piece.begin) > WINDOW) {
            self.pieces.pop_front();
        }
        let mut figures = (Histogram::default(), Histogram::default());
        for piece in &self.pieces {
            figures.0.merge(&piece.lag);
            figures.1.merge(&piece.response);
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
        window.add(begin, Some(1_000_000), None);
        window.add(begin + Duration::from_secs(6), Some(10), Some(500));
        window.add(begin + Duration::from_secs(8), Some(30), Some(700));
        let (lag, response) = window.figures(begin + Duration::from_secs(8));
        assert_eq!((lag.count(), lag.max()), (2, Some(30)));
        assert_eq!((response.quantile(0.5), response.quantile(0.99)), (Some(500), Some(700)));
    }
}
