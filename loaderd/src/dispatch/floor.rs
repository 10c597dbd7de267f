//! The machine's own floor: how late the pacer's way to wait is when nothing is sent.

use std::{io, time::Duration};

use super::{
    heartbeat::Heartbeat,
    pacer::Sleeper as _,
    sleeper::{Stop, TimerSleeper},
};
use crate::{clock::Clock, plan::Offset};

/// Waits on the calling thread for each of `dues`, ascending, from now on: by how much each was missed.
///
/// # Errors
/// The system's, when there can be no timer.
pub fn pacing_floor(dues: impl Iterator<Item = Offset>, clock: Clock) -> io::Result<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let t0 = clock.now();
        let mut sleeper = TimerSleeper::new(t0, clock, Stop::default(), Heartbeat::new(clock))?;
        let mut missed = Vec::new();
        for due in dues {
            sleeper.sleep_until(due).await;
            missed.push(clock.now().saturating_duration_since(t0 + due.as_duration()));
        }
        Ok(missed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_is_waited_for() {
        let clock = Clock;
        let begun = clock.now();
        let dues = (1..=5).map(|millis| Offset::from_nanos(millis * 1_000_000));
        assert_eq!(pacing_floor(dues, clock).expect("a timer").len(), 5);
        assert!(clock.now() - begun >= Duration::from_millis(5));
    }
}
