//! Busy work until a deadline.
//!
//! The deadline is on the clock and not a number of iterations, so that the run time is right on any CPU and next to any
//! neighbour.

use std::hint::black_box;

use tokio::time::Instant;

/// Square roots between two looks at the clock: some 5 to 10 µs, short against the milliseconds that are asked for and
/// long against the 25 ns of reading the clock.
const OPERATIONS_PER_CHUNK: u32 = 1000;

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
        value = work(value);
    }
    None
}

/// One chunk: each step needs the result of the one before, and the compiler can't see through either end.
fn work(seed: f64) -> f64 {
    let mut value = black_box(seed);
    for step in 0..OPERATIONS_PER_CHUNK {
        value = (value + f64::from(step)).sqrt();
    }
    black_box(value)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use super::*;
    use crate::clock;

    const TICK: Duration = Duration::from_millis(1);

    /// A clock that moves on by a tick with each reading.
    fn ticking(start: Instant, readings: &Cell<u32>) -> impl FnMut() -> Instant {
        move || {
            let reading = start + TICK * readings.get();
            readings.set(readings.get() + 1);
            reading
        }
    }

    #[test]
    fn spins_until_the_first_reading_at_or_after_the_deadline() {
        for (deadline, end, expected_readings) in [
            (Duration::ZERO, Duration::ZERO, 1),
            (TICK, TICK, 2),
            (TICK * 5, TICK * 5, 6),
            (Duration::from_micros(4500), TICK * 5, 6),
        ] {
            let (start, readings) = (clock::now(), Cell::new(0));
            let ended = spin_until(start + deadline, ticking(start, &readings), || false);
            assert_eq!(ended, Some(start + end), "{deadline:?}");
            assert_eq!(readings.get(), expected_readings, "{deadline:?}");
        }
    }

    #[test]
    fn a_deadline_in_the_past_ends_at_the_first_reading() {
        let (start, readings) = (clock::now(), Cell::new(7));
        assert_eq!(spin_until(start, ticking(start, &readings), || false), Some(start + TICK * 7));
    }

    #[test]
    fn abandoned_work_stops_before_its_deadline() {
        let (start, readings) = (clock::now(), Cell::new(0));
        let ended = spin_until(start + TICK * 1_000_000, ticking(start, &readings), || readings.get() == 3);
        assert_eq!(ended, None);
        assert_eq!(readings.get(), 3);
    }

    #[test]
    fn the_work_yields_a_finite_number_that_depends_on_its_seed() {
        let (small, large) = (work(1.0), work(f64::MAX));
        assert!(small.is_finite() && small > 1.0, "{small}");
        assert!(large.is_finite() && large > 1.0, "{large}");
    }
}
