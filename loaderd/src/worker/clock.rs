use std::time::Duration;

use tokio::time::Instant;

use crate::{
    clock::{Anchor, Clock},
    units,
};

/// This process's monotonic clock as numbers, which can be compared with another machine's. It begins with the time of day: so what
/// lies between two of them is what lies between the wall clocks of their machines, as they were set then.
#[derive(Debug, Clone, Copy)]
pub struct WorkerClock {
    clock: Clock,
    began: Anchor,
    /// Added to each reading, nanoseconds: as if this were another machine.
    offset_ns: i64,
}

impl WorkerClock {
    /// One that begins now, and is so far ahead of itself.
    pub(super) fn new(clock: Clock, offset_ns: i64) -> Self {
        Self::from(clock, clock.anchor(), offset_ns)
    }

    /// One that begins at an instant.
    fn from(clock: Clock, began: Anchor, offset_ns: i64) -> Self {
        Self { clock, began, offset_ns }
    }

    /// The clock that it reads.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// The present reading, nanoseconds.
    pub(super) fn read(&self) -> u64 {
        let since = units::nanos(self.clock.now().saturating_duration_since(self.began.instant));
        self.begin().saturating_add(since)
    }

    /// The instant at which it reads so.
    pub(super) fn instant(&self, reading_ns: u64) -> Instant {
        match reading_ns.checked_sub(self.begin()) {
            Some(since) => self.began.instant + Duration::from_nanos(since),
            None => self.began.instant,
        }
    }

    fn begin(&self) -> u64 {
        self.began.nanos().saturating_add_signed(self.offset_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reading_names_an_instant() {
        let began = Clock.anchor();
        let (plain, ahead) = (WorkerClock::from(Clock, began, 0), WorkerClock::from(Clock, began, 50_000_000));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(ahead.read() - plain.read(), 50_000_000);
        let now = Clock.now();
        assert_eq!(ahead.instant(ahead.read()), now);
        assert_eq!(plain.instant(plain.read() + 1_000_000), now + Duration::from_millis(1));
        assert_eq!(plain.instant(0), now - Duration::from_secs(3));
    }
}
