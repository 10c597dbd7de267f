//! Two clocks compared: how far another machine's monotonic clock is ahead of this one's, and how well that is known. Pure.
//!
//! ```text
//! own:      sent ───────────────────────▶ returned        offset ≤ received − sent        (the way there takes some time)
//!               ╲                       ╱
//! other:      received ──▶ answered ───                    offset ≥ answered − returned    (and so does the way back)
//! ```
//!
//! Of several exchanges the greatest lower and the least upper bound hold (NTP, RFC 5905, takes the exchange with the least round
//! trip instead: it is within these). Older ones are widened by what two clocks may drift apart meanwhile. Bounds that contradict
//! each other show that a clock was set: then only the last exchange counts.

use std::{collections::VecDeque, time::Duration};

use crate::units;

/// Exchanges that count.
const WINDOW: usize = 16;

/// What two clocks may drift apart: 50 µs in a second, a poor crystal's error. RFC 5905 assumes 15 ppm of disciplined ones.
const DRIFT_PPM: i128 = 50;

/// No offset is known better than this: readings take some time, too.
const RESOLUTION_NS: u64 = 1_000;

/// One exchange: nanoseconds on the clock of whoever noted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The question was sent, by the own clock.
    pub sent_ns: u64,
    /// It arrived, by the other clock.
    pub received_ns: u64,
    /// The answer was sent, by the other clock.
    pub answered_ns: u64,
    /// It arrived, by the own clock.
    pub returned_ns: u64,
}

impl Exchange {
    /// Bounds of the offset.
    fn bounds(&self) -> (i128, i128) {
        let Self { sent_ns, received_ns, answered_ns, returned_ns } = *self;
        (i128::from(answered_ns) - i128::from(returned_ns), i128::from(received_ns) - i128::from(sent_ns))
    }

    /// How long both ways took; absent for one that cannot be.
    fn round_trip(&self) -> Option<u64> {
        let away = self.returned_ns.checked_sub(self.sent_ns)?;
        away.checked_sub(self.answered_ns.checked_sub(self.received_ns)?)
    }
}

/// What is known of the other clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The other clock minus the own, nanoseconds.
    pub offset_ns: i64,
    /// The offset lies within ± this, nanoseconds.
    pub bound_ns: u64,
    /// Exchanges that it comes from.
    pub exchanges: u32,
}

impl Estimate {
    /// An instant of the other clock, by the own one.
    pub fn own_ns(&self, other_ns: u64) -> u64 {
        u64::try_from(i128::from(other_ns) - i128::from(self.offset_ns)).unwrap_or_default()
    }
}

/// The exchanges with another clock.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    window: VecDeque<Exchange>,
}

impl Comparison {
    /// Takes an exchange. One that cannot be is left out.
    pub fn add(&mut self, exchange: Exchange) {
        if exchange.round_trip().is_none() {
            return;
        }
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(exchange);
        let (low, high) = self.bounds();
        if low > high {
            self.window.clear();
            self.window.push_back(exchange);
        }
    }

    /// What is known; absent before the first exchange.
    pub fn estimate(&self) -> Option<Estimate> {
        self.window.back()?;
        let (low, high) = self.bounds();
        let half = u64::try_from((high - low + 1) / 2).unwrap_or(u64::MAX);
        Some(Estimate {
            offset_ns: units::to_i64(low + (high - low) / 2),
            bound_ns: half.max(RESOLUTION_NS),
            exchanges: units::to_u32(self.window.len()),
        })
    }

    /// The longest that both ways took.
    pub fn worst_round_trip(&self) -> Duration {
        Duration::from_nanos(self.window.iter().filter_map(Exchange::round_trip).max().unwrap_or_default())
    }

    /// The bounds by all exchanges, as they hold at the last one.
    fn bounds(&self) -> (i128, i128) {
        let now = self.window.back().map_or(0, |last| i128::from(last.returned_ns));
        self.window.iter().fold((i128::MIN, i128::MAX), |(least, most), exchange| {
            let (low, high) = exchange.bounds();
            let drift = (now - i128::from(exchange.returned_ns)).max(0) * DRIFT_PPM / 1_000_000;
            (least.max(low - drift), most.min(high + drift))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exchange(sent_ns: u64, received_ns: u64, answered_ns: u64, returned_ns: u64) -> Exchange {
        Exchange { sent_ns, received_ns, answered_ns, returned_ns }
    }

    fn known(exchanges: &[Exchange]) -> Option<Estimate> {
        let mut comparison = Comparison::default();
        exchanges.iter().for_each(|exchange| comparison.add(*exchange));
        comparison.estimate()
    }

    #[test]
    fn one_exchange_bounds_the_offset_by_its_round_trip() {
        // In microseconds: 5 there and 5 back, between clocks that are 100 apart.
        let [sent, received, answered, returned] = [0, 105_000, 106_000, 11_000];
        let mut comparison = Comparison::default();
        assert_eq!(comparison.estimate(), None);
        comparison.add(exchange(sent, received, answered, returned));
        let estimate = comparison.estimate().unwrap();
        assert_eq!(estimate, Estimate { offset_ns: 100_000, bound_ns: 5_000, exchanges: 1 });
        assert_eq!(comparison.worst_round_trip(), Duration::from_micros(10));
        assert_eq!(estimate.own_ns(106_000), 6_000);
        assert_eq!(estimate.own_ns(1), 0, "before the own clock began");
    }

    #[test]
    fn exchanges_that_were_slow_on_different_ways_bound_it_better_than_each() {
        // The clocks are 100 µs apart; first 1 µs there and 9 back, then the other way round.
        let found = known(&[exchange(0, 101_000, 101_000, 10_000), exchange(20_000, 129_000, 129_000, 30_000)]);
        assert_eq!(found, Some(Estimate { offset_ns: 100_000, bound_ns: 1_001, exchanges: 2 }));
    }

    #[test]
    fn nothing_is_known_better_than_a_reading() {
        assert_eq!(known(&[exchange(5, 5, 5, 5)]).unwrap().bound_ns, RESOLUTION_NS);
    }

    #[test]
    fn a_clock_that_was_set_begins_anew() {
        let before = exchange(0, 105_000, 106_000, 11_000);
        let after = exchange(1_000_000, 5_105_000, 5_106_000, 1_011_000);
        assert_eq!(
            known(&[before, before, after]).unwrap(),
            Estimate { offset_ns: 4_100_000, bound_ns: 5_000, exchanges: 1 }
        );
    }

    #[test]
    fn exchanges_that_cannot_be_are_left_out() {
        let good = exchange(0, 105_000, 106_000, 11_000);
        let backward = [exchange(10, 5, 6, 9), exchange(0, 9, 8, 20), exchange(0, 10, 40, 20)];
        assert_eq!(known(&backward), None);
        assert_eq!(known(&[good, backward[0], backward[1]]).unwrap().exchanges, 1);
        assert!(known(&[exchange(0, u64::MAX, u64::MAX, 1)]).is_some(), "numbers of any size");
    }

    proptest! {
        #[test]
        fn the_offset_is_within_its_bound(
            offset in -50_000_000_i64..50_000_000,
            drift_ppm in -50_i64..=50,
            ways in prop::collection::vec((1_000_u64..900_000, 1_000_u64..900_000, 0_u64..50_000), 1..40),
        ) {
            let mut comparison = Comparison::default();
            // By the other clock, which runs faster or slower.
            let other = |own: u64| {
                let own = i64::try_from(own).unwrap();
                u64::try_from(own + offset + own / 1_000_000 * drift_ppm).unwrap()
            };
            let mut now = 100_000_000;
            for (there, back, busy) in ways {
                let sent_ns = now;
                let received = sent_ns + there;
                let returned_ns = received + busy + back;
                comparison.add(Exchange {
                    sent_ns,
                    received_ns: other(received),
                    answered_ns: other(received + busy),
                    returned_ns,
                });
                let found = comparison.estimate().unwrap();
                let real = i128::from(other(returned_ns)) - i128::from(returned_ns);
                let error = (i128::from(found.offset_ns) - real).unsigned_abs();
                // The drift within an exchange, and rounding.
                prop_assert!(error <= u128::from(found.bound_ns) + 300, "{} for {}: {:?}", found.offset_ns, real, found);
                now = returned_ns + 1_000_000_000;
            }
        }
    }
}
