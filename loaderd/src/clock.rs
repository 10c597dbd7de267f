//! The only user of the operating system's clocks.
//!
//! Two clocks matter: the monotonic one, by which everything is due and measured, and the wall clock, which only ever
//! names instants for people. [`Anchor`] ties the two together once, so that a step of the wall clock in mid-run changes
//! no due time and no row.

use std::time::Duration;

use tokio::time::Instant;

/// Microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMicros(pub i64);

impl UnixMicros {
    /// The instant that lies `by` later.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// Reads the clocks. On tokio's paused clock it reads that one, so that tests run an hour in a blink.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The monotonic clock.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may read it")]
    pub fn now(self) -> Instant {
        Instant::now()
    }

    /// The wall clock.
    #[expect(clippy::disallowed_types, reason = "this is the one place that may read it")]
    pub fn unix(self) -> UnixMicros {
        use std::time::SystemTime;
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => UnixMicros::default().plus(since),
            Err(before) => UnixMicros(-UnixMicros::default().plus(before.duration()).0),
        }
    }

    /// Ties the two clocks together at this instant.
    pub fn anchor(self) -> Anchor {
        Anchor { instant: self.now(), unix: self.unix() }
    }
}

/// One instant on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    /// On the monotonic clock.
    pub instant: Instant,
    /// On the wall clock.
    pub unix: UnixMicros,
}

impl Anchor {
    /// The wall-clock name of `instant`, as the clocks stood at the anchor.
    pub fn unix_at(&self, instant: Instant) -> UnixMicros {
        match instant.checked_duration_since(self.instant) {
            Some(after) => self.unix.plus(after),
            None => {
                let before = self.instant.duration_since(instant);
                UnixMicros(self.unix.0.saturating_sub(UnixMicros::default().plus(before).0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_names_instants_before_and_after_itself() {
        let anchor = Clock.anchor();
        let step = Duration::from_millis(1500);
        assert_eq!(anchor.unix_at(anchor.instant + step).0 - anchor.unix.0, 1_500_000);
        assert_eq!(anchor.unix_at(anchor.instant - step).0 - anchor.unix.0, -1_500_000);
    }
}
