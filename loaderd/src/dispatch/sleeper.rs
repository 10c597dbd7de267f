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

/// How long before the instant the sleep ends and the spin begins: what waking up takes, most of the time.
const SPIN: Duration = Duration::from_micros(20);

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
}

impl ThreadSleeper {
    pub(super) fn new(t0: Instant, clock: Clock, stop: Stop) -> Self {
        Self { t0, clock, stop }
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
            let left = due.saturating_duration_since(self.clock.now());
            if left.is_zero() {
                return true;
            }
            match left.checked_sub(SPIN) {
                Some(sleep) if !sleep.is_zero() => std::thread::park_timeout(sleep),
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
