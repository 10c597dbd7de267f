//! Order statistics: what the rank of a value among others says of a percentile.

use statrs::distribution::{Binomial, DiscreteCDF as _};

/// The chance that an interval misses its percentile on one side.
const SIDE: f64 = 0.025;

/// Shares are decimal fractions, which binary ones only come close to.
const CLOSE: f64 = 1e-9;

/// The 95 % interval of a percentile, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Its lower bound.
    pub low: u64,
    /// Its upper bound.
    pub high: u64,
}

/// The rank of a percentile among `count` values; absent where these are fewer than 1/(1 − share).
pub(crate) fn told_rank(share: f64, count: u64) -> Option<u64> {
    tells(share, count).then(|| rank(share, count))
}

/// The rank, from 1, of the smallest value that at least `share` of `count` values do not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
pub(super) fn rank(share: f64, count: u64) -> u64 {
    let rank = share * count as f64;
    ((rank - CLOSE * rank.max(1.0)).ceil() as u64).clamp(1, count.max(1))
}

/// Whether so many values say anything of a percentile: whether at least one of them is expected above it.
pub(super) fn tells(share: f64, count: u64) -> bool {
    count as f64 * (1.0 - share) >= 1.0 - CLOSE
}

/// The ranks of the bounds of a percentile's 95 % interval; absent where there are too few values for both.
///
/// The lower one is the greatest l with P(B ≤ l − 1) ≤ 2.5 %, the upper one the least u with P(B ≤ u − 1) ≥ 97.5 %, where B
/// is binomial.
pub(super) fn bounds(share: f64, count: u64) -> Option<(u64, u64)> {
    let below = Binomial::new(share, count).ok()?;
    let low = first(count, |rank| below.cdf(rank) > SIDE);
    let high = first(count, |rank| below.cdf(rank) >= 1.0 - SIDE) + 1;
    (low >= 1 && high <= count).then_some((low, high))
}

/// The least number up to `most` of which this is true, where it is true of all that are greater.
fn first(most: u64, is_true: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_true(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_table() {
        // The exact ones of reference/studies.md, section 3.
        for (share, count, low, high) in [
            (0.5, 10, 2, 9),
            (0.5, 30, 10, 21),
            (0.5, 100, 40, 61),
            (0.9, 100, 84, 96),
            (0.95, 1000, 936, 964),
            (0.99, 500, 490, 500),
            (0.99, 1000, 983, 997),
            (0.99, 10_000, 9880, 9920),
            (0.999, 10_000, 9983, 9997),
            (0.999, 100_000, 99_880, 99_920),
        ] {
            assert_eq!(bounds(share, count), Some((low, high)), "{share} of {count}");
        }
    }

    #[test]
    fn too_few_values_have_no_interval() {
        for (share, fewest) in [(0.5, 6), (0.75, 13), (0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688)] {
            assert_eq!(bounds(share, fewest - 1), None, "{share}");
            assert!(bounds(share, fewest).is_some(), "{share}");
        }
        assert_eq!(bounds(0.5, 0), None);
    }

    #[test]
    fn a_percentile_needs_a_value_above_it() {
        for (share, fewest) in [(0.5, 2), (0.9, 10), (0.95, 20), (0.99, 100), (0.999, 1000)] {
            assert!(tells(share, fewest) && !tells(share, fewest - 1), "{share}");
            assert_eq!(rank(share, fewest), fewest - 1, "{share}");
        }
        assert_eq!((rank(0.5, 3), rank(1.0, 3), rank(0.0, 3)), (2, 3, 1));
    }
}
