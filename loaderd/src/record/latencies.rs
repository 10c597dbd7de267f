//! The scheduling latencies of a window of a warm-up, for the judge of when it is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};

use crate::steady::Thinned;

/// Latencies of the window under way, in the order of completion; thinned where they are very many. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Arc<Mutex<Window>>);

#[derive(Debug, Default)]
struct Window {
    begin: Option<Instant>,
    seconds: Thinned,
}

impl Latencies {
    fn window(&self) -> MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a window: what was due before is in none.
    pub fn begin(&self, now: Instant) {
        *self.window() = Window { begin: Some(now), seconds: Thinned::default() };
    }

    /// Takes the latency of an invocation that was due at `due`.
    pub fn record(&self, due: Instant, latency: Duration) {
        let mut window = self.window();
        if window.begin.is_some_and(|begin| due >= begin) {
            window.seconds.push(latency.as_secs_f64());
        }
    }

    /// How many latencies the window has.
    pub fn count(&self) -> usize {
        self.window().seconds.count()
    }

    /// Latencies of the window, in seconds.
    pub fn seconds(&self) -> Vec<f64> {
        self.window().seconds.values().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_window_has_what_was_due_in_it() {
        let (latencies, begin) = (Latencies::default(), Clock.now());
        let at = |second| begin + Duration::from_secs(second);
        latencies.record(at(0), Duration::from_secs(1));
        assert_eq!(latencies.count(), 0, "no window has begun");
        latencies.begin(at(10));
        for second in 8..14 {
            latencies.record(at(second), Duration::from_secs(second));
        }
        assert_eq!((latencies.count(), latencies.seconds()), (4, vec![10.0, 11.0, 12.0, 13.0]));
        latencies.begin(at(20));
        assert_eq!(latencies.seconds(), [0.0; 0]);
    }
}
