//! The pacer's way to wait: sleeps until shortly before the instant, then spins.

use std::{
    future::poll_fn,
    io,
    os::fd::{AsFd as _, AsRawFd, RawFd},
    task::Poll,
    time::Duration,
};

use nix::sys::{
    time::TimeSpec,
    timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{heartbeat::Heartbeat, pacer::Sleeper};
use crate::{clock::Clock, plan::Offset, units};

/// How long before an instant the sleep ends and the spin begins: what waking up takes, most of the time.
///
/// Learned from each sleep: a wake-up that came later than the window moves it up by a quarter of the difference, one that
/// came earlier moves it down by a 64th, so that it converges where about one wake-up in seventeen comes later.
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
        let overslept = units::nanos(overslept).min(*Self::BOUNDS.end());
        let window = match overslept.checked_sub(self.window_nanos) {
            Some(later) => self.window_nanos + later / 4,
            None => self.window_nanos - (self.window_nanos - overslept) / 64,
        };
        self.window_nanos = window.clamp(*Self::BOUNDS.start(), *Self::BOUNDS.end());
    }
}

/// Instants that may be over at once before other work on the thread gets its turn.
const MOST_AT_ONCE: u32 = 32;

/// How often other tasks of the thread go first before a sleep: the call that was handed out, and the connection that writes it.
/// Setting a timer takes as long as both.
const WAYS: u32 = 2;

/// Lets the tasks that are ready go first, and looks for no others.
async fn give_way() {
    let mut given = false;
    poll_fn(|context| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Stops a pacer, from any thread. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Stops it, now and for ever.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Waits until it is stopped.
    pub(super) async fn stopped(&self) {
        self.0.cancelled().await;
    }
}

/// A timer of the kernel's that a task can wait for: its own are a thousand times too coarse.
struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Waits for instants of a run that began at `t0`, on a runtime of one thread.
pub(super) struct TimerSleeper {
    t0: Instant,
    clock: Clock,
    stop: Stop,
    spin: Spin,
    timer: AsyncFd<Timer>,
    at_once: u32,
    heartbeat: Heartbeat,
}

impl TimerSleeper {
    /// # Errors
    /// The system's, when there can be no more timers.
    pub(super) fn new(t0: Instant, clock: Clock, stop: Stop, heartbeat: Heartbeat) -> io::Result<Self> {
        let timer = Timer(TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?);
        #[expect(unsafe_code, reason = "tokio has no safe way to wait for a descriptor that is none of its own kinds")]
        // SAFETY: `Timer` owns its descriptor and gives no other out, so that it is valid as long as the `AsyncFd` lives.
        let timer = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?;
        Ok(Self { t0, clock, stop, spin: Spin::default(), timer, at_once: 0, heartbeat })
    }

    /// Sleeps; false when it was woken before its time.
    async fn sleep(&mut self, sleep: Duration) -> bool {
        let expiration = Expiration::OneShot(TimeSpec::from_duration(sleep));
        if let Err(error) = self.timer.get_ref().0.set(expiration, TimerSetTimeFlags::empty()) {
            log::error!("the pacer waits less precisely: {error}");
            tokio::time::sleep(sleep).await;
            return true;
        }
        tokio::select! {
            biased;
            () = self.stop.0.cancelled() => false,
            ready = self.timer.readable() => {
                // Setting it again takes back that it has expired, so that it need not be read.
                ready.map(|mut ready| ready.clear_ready()).is_ok()
            }
        }
    }
}

impl Sleeper for TimerSleeper {
    async fn sleep_until(&mut self, due: Offset) -> bool {
        let due = self.t0 + due.as_duration();
        let mut gave_way = 0;
        loop {
            if self.stop.0.is_cancelled() {
                return false;
            }
            let now = self.clock.now();
            let left = due.saturating_duration_since(now);
            if left.is_zero() {
                self.at_once += 1;
                if self.at_once == MOST_AT_ONCE {
                    self.at_once = 0;
                    tokio::task::yield_now().await;
                }
                return true;
            }
            match left.checked_sub(self.spin.window()) {
                Some(sleep) if !sleep.is_zero() && gave_way == WAYS => {
                    self.at_once = 0;
                    self.heartbeat.expect(due);
                    let slept = self.sleep(sleep).await;
                    self.heartbeat.rest();
                    if slept && let Some(overslept) = self.clock.now().checked_duration_since(now + sleep) {
                        self.spin.learn(overslept);
                    }
                }
                Some(sleep) if !sleep.is_zero() => {
                    gave_way += 1;
                    give_way().await;
                }
                _ => std::hint::spin_loop(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn it_never_returns_early_and_at_once_when_it_is_late() {
        let mut sleeper =
            TimerSleeper::new(Clock.now(), Clock, Stop::default(), Heartbeat::new(Clock)).expect("a timer");
        for millis in [3, 3, 1, 5] {
            let due = Offset::from_nanos(millis * 1_000_000);
            assert!(sleeper.sleep_until(due).await);
            assert!(Clock.now() >= sleeper.t0 + due.as_duration());
        }
    }

    #[tokio::test]
    async fn what_shares_the_thread_gets_its_turn_however_late_it_is() {
        let mut sleeper =
            TimerSleeper::new(Clock.now(), Clock, Stop::default(), Heartbeat::new(Clock)).expect("a timer");
        let turns = Cell::new(0);
        let others = async {
            loop {
                turns.set(turns.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        let late = async {
            for _ in 0..10 * MOST_AT_ONCE {
                assert!(sleeper.sleep_until(Offset::from_nanos(0)).await);
            }
        };
        tokio::select! {
            biased;
            () = late => {}
            () = others => {}
        }
        assert!(turns.get() >= 9, "{turns:?}");
    }

    #[test]
    fn the_spin_converges_where_few_wake_ups_come_later() {
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

    #[tokio::test]
    async fn a_stop_ends_a_sleep_of_any_length() {
        let stop = Stop::default();
        let mut sleeper = TimerSleeper::new(Clock.now(), Clock, stop.clone(), Heartbeat::new(Clock)).expect("a timer");
        let hours = Offset::from_nanos(u64::MAX / 4);
        let ((), slept) = tokio::join!(async { stop.stop() }, sleeper.sleep_until(hours));
        assert!(!slept);
    }
}
