//! Order statistics: which value of a sorted sample is a percentile.

/// Shares are decimal fractions, which binary ones only come close to.
const CLOSE: f64 = 1e-9;

/// The rank, from 1, of the smallest value that at least `share` of `count` values do not exceed; absent where these are fewer than
/// 1/(1 − share).
pub(crate) fn told_rank(share: f64, count: u64) -> Option<u64> {
    if (count as f64 * (1.0 - share)) < 1.0 - CLOSE {
        return None;
    }
    let rank = share * count as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    let rank = (rank - CLOSE * rank.max(1.0)).ceil() as u64;
    Some(rank.clamp(1, count.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_needs_a_value_above_it() {
        for (share, fewest) in [(0.5, 2), (0.9, 10), (0.95, 20), (0.99, 100), (0.999, 1000)] {
            assert_eq!(told_rank(share, fewest - 1), None, "{share}");
            assert_eq!(told_rank(share, fewest), Some(fewest - 1), "{share}");
        }
        assert_eq!([told_rank(0.5, 3), told_rank(0.0, 3), told_rank(0.5, 0)], [Some(2), Some(1), None]);
    }
}
