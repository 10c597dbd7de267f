//! The pacer thread's way to wait: sleeps until shortly before the instant, then spins.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::Thread,
    time::Duration,
};

use tokio::time::Instant;

use super::pacer::Sleeper;
use crate::{clock::Clock, plan::Offset};

/// How long before an instant the sleep ends and the spin begins: what waking up takes, most of the time.
///
/// Learned from each sleep: a wake-up that came later than the window moves it up by a quarter of the difference, one that
/// came earlier moves it down by a 64th, so that it settles where about one wake-up in seventeen comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spin {
    window_nanos: u64,
}

impl Default for Spin {
    fn default() -> Self {
        Self { window_nanos: 20_000 }
    }
}

impl Spin {
    /// The window's bounds. Below the least, sleeping again would take longer than to spin; above the most, spinning costs
    /// more than being late.
    const BOUNDS: std::ops::RangeInclusive<u64> = 5_000..=20_000;

    /// How long to spin.
    pub(super) fn window(self) -> Duration {
        Duration::from_nanos(self.window_nanos)
    }

    /// Learns that a sleep ended so long after it should have.
    pub(super) fn learn(&mut self, overslept: Duration) {
        let overslept = u64::try_from(overslept.as_nanos()).unwrap_or(u64::MAX).min(*Self::BOUNDS.end());
        let window = match overslept.checked_sub(self.window_nanos) {
            Some(later) => self.window_nanos + later / 4,
            None => self.window_nanos - (self.window_nanos - overslept) / 64,
        };
        self.window_nanos = window.clamp(*Self::BOUNDS.start(), *Self::BOUNDS.end());
    }
}

/// Slack that the kernel is allowed when it wakes the pacer, in nanoseconds.
const TIMER_SLACK: u64 = 1;

/// Stops a pacer, from any thread. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    sleeper: OnceLock<Thread>,
}

impl Stop {
    /// Stops it, now and for ever.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
        if let Some(sleeper) = self.0.sleeper.get() {
            sleeper.unpark();
        }
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }
}

/// Waits on the calling thread for instants of a run that began at `t0`.
pub(super) struct ThreadSleeper {
    t0: Instant,
    clock: Clock,
    stop: Stop,
    spin: Spin,
}

impl ThreadSleeper {
    pub(super) fn new(t0: Instant, clock: Clock, stop: Stop) -> Self {
        Self { t0, clock, stop, spin: Spin::default() }
    }

    /// Makes the calling thread the one that waits: lets the kernel wake it on time, and [`Stop`] at any time.
    pub(super) fn settle_in(&mut self) {
        if let Err(error) = nix::sys::prctl::set_timerslack(TIMER_SLACK) {
            log::warn!("the pacer wakes up less precisely: timer slack can't be set: {error}");
        }
        let _only_once = self.stop.0.sleeper.set(std::thread::current());
    }
}

impl Sleeper for ThreadSleeper {
    fn sleep_until(&mut self, due: Offset) -> bool {
        let due = self.t0 + due.as_duration();
        loop {
            if self.stop.is_stopped() {
                return false;
            }
            let now = self.clock.now();
            let left = due.saturating_duration_since(now);
            if left.is_zero() {
                return true;
            }
            match left.checked_sub(self.spin.window()) {
                Some(sleep) if !sleep.is_zero() => {
                    std::thread::park_timeout(sleep);
                    // One that was woken before its time learns nothing from it.
                    if let Some(overslept) = self.clock.now().checked_duration_since(now + sleep) {
                        self.spin.learn(overslept);
                    }
                }
                _ => std::hint::spin_loop(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_returns_early_and_at_once_when_it_is_late() {
        let mut sleeper = ThreadSleeper::new(Clock.now(), Clock, Stop::default());
        sleeper.settle_in();
        for millis in [3, 3, 1, 5] {
            let due = Offset::from_nanos(millis * 1_000_000);
            assert!(sleeper.sleep_until(due));
            assert!(Clock.now() >= sleeper.t0 + due.as_duration());
        }
    }

    #[test]
    fn the_spin_settles_where_few_wake_ups_come_later() {
        let micros = |spin: Spin| spin.window().as_micros();
        let mut spin = Spin::default();
        // Fifteen of sixteen wake-ups take 10 µs, one takes 30, which is above the bound.
        for _ in 0..100 {
            (0..15).for_each(|_| spin.learn(Duration::from_micros(10)));
            spin.learn(Duration::from_micros(30));
        }
        assert!((10..=20).contains(&micros(spin)), "{spin:?}");
        // Whatever comes, it stays within its bounds.
        (0..1000).for_each(|_| spin.learn(Duration::ZERO));
        assert_eq!(micros(spin), 5);
        (0..100).for_each(|_| spin.learn(Duration::MAX));
        assert!((19..=20).contains(&micros(spin)), "{spin:?}");
    }

    #[test]
    fn a_stop_ends_a_sleep_of_any_length() {
        let stop = Stop::default();
        let mut sleeper = ThreadSleeper::new(Clock.now(), Clock, stop.clone());
        let sleeping = std::thread::spawn(move || {
            sleeper.settle_in();
            sleeper.sleep_until(Offset::from_nanos(u64::MAX / 4))
        });
        stop.stop();
        assert!(!sleeping.join().expect("the thread ends"));
    }
}
