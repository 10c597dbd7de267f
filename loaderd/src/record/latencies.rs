//! The scheduling latencies of a warm-up's last minute, by which its end is decided.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Over how long they are kept.
const WINDOW: Duration = Duration::from_secs(60);

/// Most that are kept. At higher rates the window is shorter.
const MOST: usize = 1 << 17;

/// Latencies of rows as they came, each with the instant at which it was recorded.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Arc<Mutex<VecDeque<(Instant, Duration)>>>);

impl Latencies {
    fn all(&self) -> MutexGuard<'_, VecDeque<(Instant, Duration)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one. The oldest goes when it is over a minute old.
    pub fn note(&self, now: Instant, latency: Duration) {
        let mut all = self.all();
        while all.len() >= MOST || all.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            all.pop_front();
        }
        all.push_back((now, latency));
    }

    /// Those of the last minute, in seconds, in their order. When there are more than `most`, every n-th of them.
    pub fn last_minute(&self, now: Instant, most: usize) -> Vec<f64> {
        let all = self.all();
        let begin = all.partition_point(|(at, _)| now.saturating_duration_since(*at) > WINDOW);
        let every = (all.len() - begin).div_ceil(most.max(1)).max(1);
        all.range(begin..).step_by(every).map(|(_, latency)| latency.as_secs_f64()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn they_are_those_of_the_last_minute_thinned_where_there_are_many() {
        let (latencies, begin) = (Latencies::default(), Clock.now());
        for second in 0..100 {
            latencies.note(begin + Duration::from_secs(second), Duration::from_secs(second));
        }
        let now = begin + Duration::from_secs(100);
        let all = latencies.last_minute(now, 1000);
        assert_eq!((all.len(), all[0], all[59]), (60, 40.0, 99.0));
        assert_eq!(latencies.last_minute(now, 20), (0..20).map(|i| 40.0 + 3.0 * f64::from(i)).collect::<Vec<_>>());
        assert_eq!(latencies.last_minute(now + Duration::from_secs(500), 20), [0.0; 0]);
    }
}
