//! A distribution in a few buckets, for people to look at.

use super::values::Histogram;

/// Most buckets of a distribution.
const MOST: usize = 20;

/// By how much the greatest value may exceed the least one before buckets grow with their values.
const LINEAR: f64 = 4.0;

/// Values from `from` to below `to`; the last bucket of a distribution has its greatest value, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The least value that belongs to it.
    pub from: u64,
    /// The least value that does not.
    pub to: u64,
    /// How many values it has.
    pub count: u64,
}

impl Histogram {
    /// Its values in buckets that follow each other, from the least to the greatest value; none without values. There are as many as the
    /// root of the number of values, at most [`MOST`]. They are of the same width, or, of values that differ widely, of the same ratio.
    pub fn buckets(&self) -> Vec<Bucket> {
        let mut values = self.steps();
        values.sort_unstable();
        let (Some(&(least, _)), Some(&(greatest, _))) = (values.first(), values.last()) else { return Vec::new() };
        let most = MOST.min(usize::try_from(whole((self.count() as f64).sqrt().ceil())).unwrap_or(MOST));
        let edges = edges(least, greatest, most);
        let mut buckets: Vec<Bucket> =
            edges.windows(2).map(|edges| Bucket { from: edges[0], to: edges[1], count: 0 }).collect();
        for (value, count) in values {
            let place = buckets.partition_point(|bucket| bucket.to <= value).min(buckets.len() - 1);
            buckets[place].count += count;
        }
        buckets
    }
}

/// The edges of at most `most` buckets, each greater than the one before.
fn edges(least: u64, greatest: u64, most: usize) -> Vec<u64> {
    let (low, high) = (least as f64, greatest as f64);
    let is_linear = high <= low.max(1.0) * LINEAR;
    let mut edges = vec![least];
    for number in 1..=most {
        let share = number as f64 / most as f64;
        let edge = if is_linear {
            low + (high - low) * share
        } else {
            let low = low.max(1.0);
            low * (high / low).powf(share)
        };
        let edge = if number == most { greatest } else { whole(edge) };
        if edges.last().is_none_or(|last| edge > *last) {
            edges.push(edge);
        }
    }
    // All values are the same.
    if edges.len() == 1 {
        edges.push(least.saturating_add(1));
    }
    edges
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(values: impl IntoIterator<Item = u64>) -> Vec<Bucket> {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.add(value));
        histogram.buckets()
    }

    /// What holds of any distribution.
    fn check(values: &[u64]) -> Vec<Bucket> {
        let found = buckets(values.iter().copied());
        assert!(found.len() <= MOST && found.iter().all(|bucket| bucket.from < bucket.to), "{found:?}");
        assert!(found.windows(2).all(|two| two[0].to == two[1].from), "{found:?}");
        assert_eq!(found.iter().map(|bucket| bucket.count).sum::<u64>(), values.len() as u64);
        found
    }

    #[test]
    fn every_value_is_in_one_bucket() {
        for values in [
            vec![7],
            vec![0, 0, 0],
            vec![0, 1],
            (1..=100).collect(),
            (1..=10_000).map(|value| value * value).collect(),
            vec![50_000; 5000],
            vec![1, 1_000_000_000],
            vec![u64::MAX / 4, 3],
        ] {
            check(&values);
        }
        assert_eq!(buckets([]), []);
    }

    #[test]
    fn buckets_are_as_wide_as_each_other_or_grow() {
        let close = check(&(0..500).map(|value| 1_000 + value * 2).collect::<Vec<_>>());
        assert_eq!((close.len(), close[0].from, close[0].to, close[19].to), (20, 1_000, 1_050, 1_998));
        let wide = check(&(0..=8).map(|power| 10_u64.pow(power)).collect::<Vec<_>>());
        let edges: Vec<_> = wide.iter().map(|bucket| (bucket.from, bucket.to)).collect();
        assert_eq!(edges, [(1, 464), (464, 215_443), (215_443, 100_000_000)]);
        assert_eq!(check(&[9, 9, 9]), [Bucket { from: 9, to: 10, count: 3 }]);
    }
}
