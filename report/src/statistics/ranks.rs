//! Order statistics: which value of a sorted sample is a percentile, and which ones bound it.

use statrs::distribution::{Binomial, DiscreteCDF as _};

use super::ALPHA;

/// Shares are decimal fractions, which binary ones only come close to.
const CLOSE: f64 = 1e-9;

/// The rank, from 1, of the smallest value that at least `share` of `count` values do not exceed.
pub fn rank(share: f64, count: u64) -> u64 {
    let rank = share * count as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    let rank = (rank - CLOSE * rank.max(1.0)).ceil() as u64;
    rank.clamp(1, count.max(1))
}

/// Whether so many values say anything of a percentile: whether at least one of them is expected above it.
pub fn tells(share: f64, count: u64) -> bool {
    count as f64 * (1.0 - share) >= 1.0 - CLOSE
}

/// The rank of a percentile among `count` values; absent where these are fewer than 1/(1 − share).
pub fn told_rank(share: f64, count: u64) -> Option<u64> {
    tells(share, count).then(|| rank(share, count))
}

/// Ranks from 1 whose values bound a percentile of independent values, at 95 % with equal tails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranks {
    /// Of the lower bound; absent where there are too few values for one.
    pub low: Option<u64>,
    /// Of the upper bound; absent where there are too few values for one.
    pub high: Option<u64>,
}

impl Ranks {
    /// Both bounds; absent where there are too few values for one of them.
    pub fn both(self) -> Option<(u64, u64)> {
        self.low.zip(self.high)
    }
}

/// The ranks for the percentile `share` of `count` values: the greatest l with P(B ≤ l − 1) ≤ 2.5 %, and the least u with
/// P(B ≤ u − 1) ≥ 97.5 %, where B is binomial.
pub fn ranks(share: f64, count: u64) -> Ranks {
    ranks_at(share, count, ALPHA)
}

/// The same, where the interval may miss with that chance.
pub(super) fn ranks_at(share: f64, count: u64, alpha: f64) -> Ranks {
    let Ok(below) = Binomial::new(share, count) else { return Ranks { low: None, high: None } };
    let low = first(count, |rank| below.cdf(rank) > alpha / 2.0);
    let high = first(count, |rank| below.cdf(rank) >= 1.0 - alpha / 2.0) + 1;
    Ranks { low: (low >= 1).then_some(low), high: (high <= count).then_some(high) }
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
    fn a_percentile_needs_a_value_above_it() {
        for (share, fewest) in [(0.5, 2), (0.9, 10), (0.95, 20), (0.99, 100), (0.999, 1000)] {
            assert!(tells(share, fewest) && !tells(share, fewest - 1), "{share}");
            let found = [told_rank(share, fewest), told_rank(share, fewest - 1)];
            assert_eq!(found, [Some(fewest - 1), None], "{share}");
        }
        assert_eq!((rank(0.5, 3), rank(1.0, 3), rank(0.0, 3), told_rank(0.5, 0)), (2, 3, 1, None));
    }

    #[test]
    fn ranks_are_those_of_the_binomial_distribution() {
        // Computed with exact arithmetic.
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
            assert_eq!(ranks(share, count), Ranks { low: Some(low), high: Some(high) }, "{share} of {count}");
        }
    }

    #[test]
    fn too_few_values_have_no_bound() {
        for (share, fewest) in [(0.5, 6), (0.75, 13), (0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688)] {
            let is_whole = |count| matches!(ranks(share, count), Ranks { low: Some(_), high: Some(_) });
            assert!(is_whole(fewest) && !is_whole(fewest - 1), "{share}");
        }
        assert_eq!(ranks(0.5, 0), Ranks { low: None, high: None });
    }
}
