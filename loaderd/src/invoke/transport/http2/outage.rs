//! For how long a group had no connection.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

/// For how long no connection stood, in all.
pub(super) struct Outage {
    before: Cell<Duration>,
    since: Cell<Option<Instant>>,
}

impl Outage {
    /// One that begins now.
    pub(super) fn new(now: Instant) -> Self {
        Self { before: Cell::default(), since: Cell::new(Some(now)) }
    }

    /// Its length in all, up to `now`.
    pub(super) fn length(&self, now: Instant) -> Duration {
        self.before.get() + self.since.get().map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// It begins, unless it goes on, where `begins` says so.
    pub(super) fn begins_if(&self, begins: bool, now: Instant) {
        if begins {
            self.since.set(self.since.get().or(Some(now)));
        }
    }

    /// A connection stands.
    pub(super) fn ends(&self, now: Instant) {
        self.before.set(self.length(now));
        self.since.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn the_times_without_a_connection_add_up() {
        let begin = Clock.now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let outage = Outage::new(begin);
        outage.ends(at(2));
        outage.begins_if(false, at(3));
        outage.begins_if(true, at(5));
        outage.begins_if(true, at(6));
        let lengths = [1, 5, 8].map(|seconds| outage.length(at(seconds)).as_secs());
        assert_eq!(lengths, [2, 2, 5]);
    }
}
