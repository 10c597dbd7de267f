//! Busy work: until an instant, until CPU time is consumed, or a number of steps.
//!
//! By a clock and not by a number of steps, so that the run time is right on any CPU and next to any neighbour. The number
//! of steps is for manifests of old, whose calibrated multiplier is all they say.

use std::{hint::black_box, time::Duration};

use tokio::time::Instant;

/// Square roots between two looks at a clock: some 5 to 10 µs, short against the milliseconds that are asked for and
/// long against the 25 ns of reading the monotonic clock.
const OPERATIONS_PER_CHUNK: u32 = 1000;

/// A thread's CPU clock takes 0.65 µs to read, so that there are more operations between two looks at it.
const CHUNKS_PER_CPU_LOOK: u32 = 3;

/// When so little CPU time is left, the chunks get small, so that it is not overshot.
const NEARLY: Duration = Duration::from_micros(40);
const OPERATIONS_WHEN_NEARLY: u32 = 100;

/// Keeps the CPU busy with floating-point work until `now` reaches `deadline`, and returns that last reading.
///
/// Returns `None` as soon as `abandoned` says that nobody waits for the work any more. A deadline that has passed is
/// legal: then there is no work, and one reading.
pub fn spin_until(
    deadline: Instant,
    mut now: impl FnMut() -> Instant,
    abandoned: impl Fn() -> bool,
) -> Option<Instant> {
    let mut value = f64::from(OPERATIONS_PER_CHUNK);
    while !abandoned() {
        let reading = now();
        if reading >= deadline {
            return Some(reading);
        }
        value = work(value, OPERATIONS_PER_CHUNK);
    }
    None
}

/// Looks at the clock, and does nothing else, until it reaches `deadline`; for the rest as [`spin_until`].
pub fn watch_until(
    deadline: Instant,
    mut now: impl FnMut() -> Instant,
    abandoned: impl Fn() -> bool,
) -> Option<Instant> {
    while !abandoned() {
        let reading = now();
        if reading >= deadline {
            return Some(reading);
        }
        std::hint::spin_loop();
    }
    None
}

/// Keeps the CPU busy until `consumed`, the CPU time of the calling thread, reaches `budget`.
///
/// Returns `None` as for [`spin_until`].
pub fn consume_until(
    budget: Duration,
    mut consumed: impl FnMut() -> Duration,
    abandoned: impl Fn() -> bool,
) -> Option<()> {
    let mut value = f64::from(OPERATIONS_PER_CHUNK);
    while !abandoned() {
        let left = budget.saturating_sub(consumed());
        if left.is_zero() {
            return Some(());
        }
        let nearly = left < NEARLY;
        let operations = if nearly { OPERATIONS_WHEN_NEARLY } else { CHUNKS_PER_CPU_LOOK * OPERATIONS_PER_CHUNK };
        value = work(value, operations);
    }
    None
}

/// Does so many steps, whatever time they take.
///
/// Returns `None` as for [`spin_until`].
pub fn iterate(steps: u64, abandoned: impl Fn() -> bool) -> Option<()> {
    let mut value = f64::from(OPERATIONS_PER_CHUNK);
    let mut left = steps;
    while left > 0 {
        if abandoned() {
            return None;
        }
        let chunk = u32::try_from(left.min(OPERATIONS_PER_CHUNK.into())).unwrap_or(OPERATIONS_PER_CHUNK);
        value = work(value, chunk);
        left -= u64::from(chunk);
    }
    Some(())
}

/// So many steps: each needs the result of the one before, and the compiler can't see through either end.
fn work(seed: f64, operations: u32) -> f64 {
    let mut value = black_box(seed);
    for step in 0..operations {
        value = (value + f64::from(step)).sqrt();
    }
    black_box(value)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A clock that goes on by a millisecond with each look.
    fn ticking() -> (Instant, impl FnMut() -> Instant) {
        let start = crate::clock::now();
        let looks = Cell::new(0);
        (start, move || {
            looks.set(looks.get() + 1);
            start + Duration::from_millis(looks.get())
        })
    }

    #[test]
    fn it_ends_at_the_first_reading_that_is_not_before_the_deadline() {
        for spin in [spin_until, watch_until] as [fn(_, _, fn() -> bool) -> _; 2] {
            let (start, now) = ticking();
            let ended =
                spin(start + Duration::from_micros(4500), Box::new(now) as Box<dyn FnMut() -> Instant>, || false);
            assert_eq!(ended, Some(start + Duration::from_millis(5)));
        }
    }

    #[test]
    fn a_deadline_that_has_passed_takes_one_reading() {
        let (start, now) = ticking();
        assert_eq!(spin_until(start, now, || false), Some(start + Duration::from_millis(1)));
    }

    #[test]
    fn it_ends_when_nobody_waits_any_more() {
        let (start, now) = ticking();
        let asked = Cell::new(0);
        let abandoned = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        assert_eq!(spin_until(start + Duration::from_hours(1), now, abandoned), None);
        assert_eq!(asked.get(), 4);
        assert_eq!(iterate(u64::MAX, || true), None);
        assert_eq!(consume_until(Duration::MAX, || Duration::ZERO, || true), None);
    }

    #[test]
    fn cpu_time_is_consumed_to_the_budget_and_by_this_thread() {
        let before = crate::clock::thread_cpu();
        let consumed = || crate::clock::thread_cpu() - before;
        let budget = Duration::from_millis(3);
        consume_until(budget, consumed, || false).unwrap();
        assert!(consumed() >= budget);
    }

    #[test]
    fn steps_are_counted_out() {
        assert_eq!(iterate(0, || panic!("there is nothing to do")), Some(()));
        assert_eq!(iterate(2501, || false), Some(()));
    }
}
