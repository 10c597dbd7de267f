//! How long a function waits before it starts another instance when its instances keep dying, as Kubernetes does with
//! `CrashLoopBackOff`, only faster.

use std::time::Duration;

/// The wait after the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_millis(100);
/// Maximum time between two attempts.
const LONGEST: Duration = Duration::from_secs(5);
/// An instance that lived for this long was healthy: its end resets the count.
const HEALTHY: Duration = Duration::from_secs(10);

/// The failures of a function's instances in a row. Times count from any fixed instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Backoff {
    rounds: u32,
    until: Duration,
}

impl Backoff {
    /// Records that an instance that had lived for `lived` ended by itself at `now`. Instances that end while the function
    /// already waits count as one failure: they were started together.
    pub(super) fn failed(&mut self, now: Duration, lived: Duration) {
        if lived >= HEALTHY {
            *self = Self::default();
        } else if now >= self.until {
            let wait = FIRST.saturating_mul(2_u32.saturating_pow(self.rounds)).min(LONGEST);
            self.rounds = self.rounds.saturating_add(1);
            self.until = now + wait;
        }
    }

    /// Rounds of failures since the last healthy instance.
    pub(super) fn rounds(&self) -> u32 {
        self.rounds
    }

    /// When the next start is allowed, if it isn't at `now`.
    pub(super) fn waits_until(&self, now: Duration) -> Option<Duration> {
        (now < self.until).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::default();
        let mut now = Duration::ZERO;
        let mut waits = Vec::new();
        for _ in 0..8 {
            backoff.failed(now, Duration::ZERO);
            let until = backoff.waits_until(now).unwrap();
            waits.push((until - now).as_millis());
            now = until;
            assert_eq!(backoff.waits_until(now), None);
        }
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.rounds(), 8);
    }

    #[test]
    fn instances_that_die_together_count_once() {
        let mut backoff = Backoff::default();
        for _ in 0..10 {
            backoff.failed(Duration::from_millis(50), Duration::ZERO);
        }
        assert_eq!(backoff.rounds(), 1);
        assert_eq!(backoff.waits_until(Duration::from_millis(60)), Some(Duration::from_millis(150)));
    }

    #[test]
    fn the_end_of_a_healthy_instance_resets_the_count() {
        let mut backoff = Backoff::default();
        backoff.failed(Duration::ZERO, Duration::ZERO);
        backoff.failed(Duration::from_secs(60), HEALTHY);
        assert_eq!(backoff, Backoff::default());
    }
}
