//! The pacer's heartbeat: the instant at which it should wake up next, for the watchdog.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::clock::Clock;

/// It waits for no instant.
const AT_REST: u64 = u64::MAX;

/// The heartbeat of whichever pacer is at work. Clones are the same.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    clock: Clock,
    began: Instant,
    /// When the pacer should wake up next, in nanoseconds since `began`, or [`AT_REST`].
    expected: Arc<AtomicU64>,
}

impl Heartbeat {
    /// Of a pacer that has not begun.
    pub fn new(clock: Clock) -> Self {
        Self { clock, began: clock.now(), expected: Arc::new(AtomicU64::new(AT_REST)) }
    }

    /// It will wake up then.
    pub(super) fn expect(&self, at: Instant) {
        let nanos = at.saturating_duration_since(self.began).as_nanos();
        self.expected.store(u64::try_from(nanos).unwrap_or(AT_REST), Ordering::Relaxed);
    }

    /// It waits for no instant any more.
    pub(super) fn rest(&self) {
        self.expected.store(AT_REST, Ordering::Relaxed);
    }

    /// How long ago it should have woken up, if it should have.
    pub fn overdue(&self) -> Option<Duration> {
        match self.expected.load(Ordering::Relaxed) {
            AT_REST => None,
            expected => {
                let expected = self.began + Duration::from_nanos(expected);
                self.clock.now().checked_duration_since(expected).filter(|late| !late.is_zero())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pacer_that_does_not_wake_up_is_overdue() {
        let heartbeat = Heartbeat::new(Clock);
        assert_eq!(heartbeat.overdue(), None);
        heartbeat.expect(Clock.now() + Duration::from_secs(5));
        assert_eq!(heartbeat.overdue(), None);
        tokio::time::advance(Duration::from_secs(8)).await;
        assert_eq!(heartbeat.overdue(), Some(Duration::from_secs(3)));
        heartbeat.rest();
        assert_eq!(heartbeat.overdue(), None);
    }
}
