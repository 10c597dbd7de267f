//! The machine's own floor: how late the pacer's way to wait is when nothing is sent.

use std::time::Duration;

use super::{Stop, pacer::Sleeper as _, sleeper::ThreadSleeper};
use crate::{clock::Clock, plan::Offset};

/// Waits on the calling thread for each of `dues`, ascending, from now on: by how much each was missed.
pub fn pacing_floor(dues: impl Iterator<Item = Offset>, clock: Clock) -> Vec<Duration> {
    let t0 = clock.now();
    let mut sleeper = ThreadSleeper::new(t0, clock, Stop::default());
    sleeper.settle_in();
    let missed = |due: Offset| {
        sleeper.sleep_until(due);
        clock.now().saturating_duration_since(t0 + due.as_duration())
    };
    dues.map(missed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_is_waited_for() {
        let clock = Clock;
        let begun = clock.now();
        let missed = pacing_floor((1..=5).map(|millis| Offset::from_nanos(millis * 1_000_000)), clock);
        assert_eq!(missed.len(), 5);
        assert!(clock.now() - begun >= Duration::from_millis(5));
    }
}
