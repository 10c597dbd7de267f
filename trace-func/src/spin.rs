//! Busy work: until an instant, until CPU time is consumed, or a number of iterations.
//!
//! By a clock and not by a number of iterations, so that the run time is right on any CPU, regardless of co-located load. The
//! number of iterations is for old manifests, which have a calibrated multiplier.

use std::{hint::black_box, time::Duration};

use tokio::time::Instant;

/// Square roots between two readings of a clock: some 5 to 10 µs, short against the requested milliseconds and long
/// against the 25 ns of reading the monotonic clock.
const OPERATIONS_PER_CHUNK: u32 = 1000;

/// Square roots of an iteration, as InVitro's function takes them (`EXEC_UNIT` in its `pkg/workload/standard`).
const OPERATIONS_PER_ITERATION: u32 = 100;

/// Chunks between two readings of the thread's CPU clock, which takes 0.65 µs to read.
const CHUNKS_PER_CPU_READING: u32 = 3;

/// When less CPU time than this is left, the chunks get small, so that the target is not overshot.
const NEARLY: Duration = Duration::from_micros(40);
const OPERATIONS_WHEN_NEARLY: u32 = 100;

/// Keeps the CPU busy with floating-point work until `now` reaches `deadline`, and returns that last reading.
///
/// Returns `None` as soon as `cancelled` returns true. A deadline that has passed is legal: then there is no work, and one
/// reading.
pub fn spin_until(
    deadline: Instant,
    mut now: impl FnMut() -> Instant,
    cancelled: impl Fn() -> bool,
) -> Option<Instant> {
    let mut value = f64::from(OPERATIONS_PER_CHUNK);
    while !cancelled() {
        let reading = now();
        if reading >= deadline {
            return Some(reading);
        }
        value = work(value, OPERATIONS_PER_CHUNK);
    }
    None
}

/// Reads the clock, and does nothing else, until it reaches `deadline`; otherwise as [`spin_until`].
pub fn watch_until(
    deadline: Instant,
    mut now: impl FnMut() -> Instant,
    cancelled: impl Fn() -> bool,
) -> Option<Instant> {
    while !cancelled() {
        let reading = now();
        if reading >= deadline {
            return Some(reading);
        }
        std::hint::spin_loop();
    }
    None
}

/// Keeps the CPU busy until `consumed`, the CPU time of the calling thread, reaches `target`.
///
/// Returns `None` as for [`spin_until`].
pub fn consume_until(
    target: Duration,
    mut consumed: impl FnMut() -> Duration,
    cancelled: impl Fn() -> bool,
) -> Option<()> {
    let mut value = f64::from(OPERATIONS_PER_CHUNK);
    while !cancelled() {
        let left = target.saturating_sub(consumed());
        if left.is_zero() {
            return Some(());
        }
        let nearly = left < NEARLY;
        let operations = if nearly { OPERATIONS_WHEN_NEARLY } else { CHUNKS_PER_CPU_READING * OPERATIONS_PER_CHUNK };
        value = work(value, operations);
    }
    None
}

/// Does that number of iterations, whatever time they take.
///
/// Returns `None` as for [`spin_until`].
pub fn iterate(iterations: u64, cancelled: impl Fn() -> bool) -> Option<()> {
    let mut value = f64::from(OPERATIONS_PER_CHUNK);
    counted_out(iterations, cancelled, |operations| value = work(value, operations))
}

/// Gives the operations of that number of iterations to `work`, in chunks.
fn counted_out(iterations: u64, cancelled: impl Fn() -> bool, mut work: impl FnMut(u32)) -> Option<()> {
    const PER_CHUNK: u32 = OPERATIONS_PER_CHUNK / OPERATIONS_PER_ITERATION;
    let mut left = iterations;
    while left > 0 {
        if cancelled() {
            return None;
        }
        let chunk = u32::try_from(left.min(PER_CHUNK.into())).unwrap_or(PER_CHUNK);
        work(chunk * OPERATIONS_PER_ITERATION);
        left -= u64::from(chunk);
    }
    Some(())
}

/// `operations` square roots: each needs the result of the one before, and the compiler cannot optimize them away.
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

    /// A clock that advances by a millisecond with each reading.
    fn ticking() -> (Instant, impl FnMut() -> Instant) {
        let start = crate::clock::now();
        let readings = Cell::new(0);
        (start, move || {
            readings.set(readings.get() + 1);
            start + Duration::from_millis(readings.get())
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
    fn it_ends_when_it_is_cancelled() {
        let (start, now) = ticking();
        let asked = Cell::new(0);
        let cancelled = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        assert_eq!(spin_until(start + Duration::from_hours(1), now, cancelled), None);
        assert_eq!(asked.get(), 4);
        assert_eq!(iterate(u64::MAX, || true), None);
        assert_eq!(consume_until(Duration::MAX, || Duration::ZERO, || true), None);
    }

    #[test]
    fn cpu_time_is_consumed_up_to_the_target_by_this_thread() {
        let before = crate::clock::thread_cpu();
        let consumed = || crate::clock::thread_cpu() - before;
        let target = Duration::from_millis(3);
        consume_until(target, consumed, || false).unwrap();
        assert!(consumed() >= target);
    }

    #[test]
    fn iterations_are_counted_out_each_a_hundred_square_roots() {
        assert_eq!(iterate(0, || panic!("there is nothing to do")), Some(()));
        assert_eq!(iterate(2501, || false), Some(()));
        for (iterations, operations) in [(0, 0), (1, 100), (102, 10_200), (2501, 250_100)] {
            let mut done = 0;
            assert_eq!(counted_out(iterations, || false, |chunk| done += u64::from(chunk)), Some(()));
            assert_eq!(done, operations, "of {iterations} iterations");
        }
    }
}
