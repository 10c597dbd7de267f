//! The own lag of each worker over the last seconds.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::standing::WorkerLag;
use crate::{histogram::Histogram, id::WorkerIndex};

/// How long lags gather; what is shown is of this time and of the one before.
const SPAN: Duration = Duration::from_secs(3);

/// The lags of one worker, in microseconds.
#[derive(Debug, Default)]
struct Lags {
    before: Histogram,
    now: Histogram,
}

/// The lags of all workers. Two distributions each, as there may be many.
#[derive(Debug, Default)]
pub(in crate::record) struct RecentLags {
    workers: BTreeMap<WorkerIndex, Lags>,
    begun: Option<Instant>,
}

impl RecentLags {
    /// Takes a row of a worker: its own lag, where it was sent.
    pub(in crate::record) fn add(&mut self, now: Instant, worker: WorkerIndex, own_lag: Option<Duration>) {
        self.turn(now);
        let lags = self.workers.entry(worker).or_default();
        own_lag.into_iter().for_each(|lag| lags.now.add_micros(lag));
    }

    /// What they show now, by index.
    pub(in crate::record) fn figures(&mut self, now: Instant) -> Vec<WorkerLag> {
        self.turn(now);
        let figure = |(&index, lags): (&WorkerIndex, &Lags)| {
            let mut both = lags.before.clone();
            both.merge(&lags.now);
            WorkerLag { index, own_lag_p99_us: both.percentile(0.99) }
        };
        self.workers.iter().map(figure).collect()
    }

    /// Begins another span, when it is time to.
    fn turn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(*self.begun.get_or_insert(now));
        if passed < SPAN {
            return;
        }
        self.begun = Some(now);
        for lags in self.workers.values_mut() {
            lags.before = std::mem::take(&mut lags.now);
            if passed >= 2 * SPAN {
                lags.before = Histogram::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn figures_are_those_of_the_last_seconds_by_worker() {
        let (begin, mut lags) = (Clock.now(), RecentLags::default());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let (first, second) = (WorkerIndex(0), WorkerIndex(1));
        (0..100).for_each(|_| lags.add(at(0), first, Some(Duration::from_micros(900))));
        (0..100).for_each(|_| lags.add(at(1), second, Some(Duration::from_micros(7))));
        lags.add(at(1), second, None);
        let lag = |index, own_lag_p99_us| WorkerLag { index, own_lag_p99_us };
        assert_eq!(lags.figures(at(2)), [lag(first, Some(900)), lag(second, Some(7))]);
        assert_eq!(lags.figures(at(4)), [lag(first, Some(900)), lag(second, Some(7))]);
        (0..99).for_each(|_| lags.add(at(5), first, Some(Duration::from_micros(50))));
        assert_eq!(lags.figures(at(8)), [lag(first, None), lag(second, None)], "99 values have no such percentile");
        assert_eq!(lags.figures(at(60)), [lag(first, None), lag(second, None)]);
    }
}
