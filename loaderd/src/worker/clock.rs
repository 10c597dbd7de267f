use std::time::Duration;

use tokio::time::Instant;

use crate::{clock::Clock, units};

/// What a reading of this clock is at its begin, nanoseconds: enough that no offset makes one negative.
const BEGIN: i64 = 1 << 60;

/// This process's monotonic clock as numbers, which can be compared with another machine's.
#[derive(Debug, Clone, Copy)]
pub struct WorkerClock {
    clock: Clock,
    began: Instant,
    /// Added to each reading, nanoseconds: as if this were another machine.
    offset_ns: i64,
}

impl WorkerClock {
    /// One that begins now, and is so far ahead of itself.
    pub(super) fn new(clock: Clock, offset_ns: i64) -> Self {
        Self { clock, began: clock.now(), offset_ns }
    }

    /// The clock that it reads.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// The present reading, nanoseconds.
    pub(super) fn read(&self) -> u64 {
        let since = units::nanos(self.clock.now().saturating_duration_since(self.began));
        self.begin().saturating_add(since)
    }

    /// The instant at which it reads so.
    pub(super) fn instant(&self, reading_ns: u64) -> Instant {
        match reading_ns.checked_sub(self.begin()) {
            Some(since) => self.began + Duration::from_nanos(since),
            None => self.began,
        }
    }

    fn begin(&self) -> u64 {
        BEGIN.saturating_add(self.offset_ns).unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reading_names_an_instant() {
        let (plain, ahead) = (WorkerClock::new(Clock, 0), WorkerClock::new(Clock, 50_000_000));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(ahead.read() - plain.read(), 50_000_000);
        let now = Clock.now();
        assert_eq!(ahead.instant(ahead.read()), now);
        assert_eq!(plain.instant(plain.read() + 1_000_000), now + Duration::from_millis(1));
        assert_eq!(plain.instant(0), now - Duration::from_secs(3));
    }
}
