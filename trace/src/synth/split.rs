//! How an app's invocations are shared out among its functions.

use rand::RngExt;

use super::Synth;
use super::whole::Whole;
use crate::azure2019::TRIGGERS;
use crate::random::StreamRng;

/// What a function gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Share {
    /// Fires so often a minute, where the app's invocations suffice.
    Timer {
        /// The timer's rate, in invocations a minute.
        rate: f64,
    },
    /// A part of what timers leave, relative to the other parts.
    Part(f64),
}

/// Minutes between two invocations of a timer that fires at most once a minute, by share of timers. Not published; those
/// that people write into schedules.
const PERIODS: [(f64, f64); 5] = [(0.45, 1.0), (0.75, 5.0), (0.85, 15.0), (0.95, 60.0), (1.0, 1440.0)];
/// Invocations a minute of the others. Not published.
const FAST: [f64; 3] = [2.0, 6.0, 12.0];

/// Relative part of its app's invocations that a function has: those of busy triggers more, with exponential differences
/// among them.
pub(super) fn part(synth: &Synth, number: u32, trigger: usize) -> f64 {
    let published = TRIGGERS[trigger];
    -synth.draws("part", number).open01().ln() * published.invocations / published.functions
}

/// A timer: it fires more than once a minute with probability `fast`.
pub(super) fn timer(fast: f64, rng: &mut StreamRng) -> Share {
    let (kind, which) = (rng.open01(), rng.open01());
    if kind < fast {
        return Share::Timer { rate: FAST[rng.random_range(0..FAST.len())] };
    }
    let period = PERIODS.iter().find(|(share, _)| which <= *share).map_or(1.0, |&(_, period)| period);
    Share::Timer { rate: 1.0 / period }
}

/// The number of invocations of each function: one at least, `invocations` in sum.
///
/// Timers leave half to the others. Without others they make up the sum, in proportion to their rates.
pub(super) fn split(invocations: u64, shares: &[Share], minutes: u32) -> Vec<u64> {
    let spare = invocations.saturating_sub(shares.len() as u64) as f64;
    let timers = |share: &Share| match *share {
        Share::Timer { rate } => (rate * f64::from(minutes) - 1.0).max(1e-3),
        Share::Part(_) => 0.0,
    };
    let parts = |share: &Share| match *share {
        Share::Timer { .. } => 0.0,
        Share::Part(part) => part,
    };
    let wanted: f64 = shares.iter().map(timers).sum();
    let all: f64 = shares.iter().map(parts).sum();
    let to_timers = if all > 0.0 { wanted.min(spare / 2.0) } else { spare };
    let mut whole = Whole::default();
    let of = |part: f64, all: f64, amount: f64| if all > 0.0 { part / all * amount } else { 0.0 };
    shares
        .iter()
        .map(|share| whole.next(1.0 + of(timers(share), wanted, to_timers) + of(parts(share), all, spare - to_timers)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_by_their_rate_and_the_others_share_what_is_left() {
        let every_minute = Share::Timer { rate: 1.0 };
        let parts = [Share::Part(1.0), every_minute, Share::Part(3.0)];
        assert_eq!(split(10_000, &parts, 1440), [2141, 1440, 6419]);
        // Half of the 100 that are left when each has one.
        assert_eq!(split(103, &parts, 1440), [14, 51, 38]);
        assert_eq!(split(102, &[every_minute, every_minute], 1440), [51, 51]);
        assert_eq!(split(3, &parts, 1440), [1, 1, 1]);
    }
}
