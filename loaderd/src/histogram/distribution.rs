//! The figures of a distribution.

use super::{order::Interval, values::Histogram};

/// The percentiles of a distribution: their names, and their shares.
pub const PERCENTILES: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)];

/// Something for each of [`PERCENTILES`], in their order.
pub type Percentiles<T> = [Option<T>; PERCENTILES.len()];

/// The figures of a distribution, in the unit of its values. What too few values say nothing of is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Distribution {
    /// Number of values.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Its percentiles.
    pub percentiles: Percentiles<u64>,
    /// How certain these are.
    pub intervals: Percentiles<Interval>,
    /// The greatest value, not rounded.
    pub max: Option<u64>,
}

impl From<&Histogram> for Distribution {
    fn from(histogram: &Histogram) -> Self {
        let percentiles = PERCENTILES.map(|(_, share)| histogram.percentile(share));
        let intervals = PERCENTILES.map(|(_, share)| histogram.interval(share));
        Self { count: histogram.count(), mean: histogram.mean(), percentiles, intervals, max: histogram.max() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_nothing_only_the_count_is_known() {
        assert_eq!(Distribution::from(&Histogram::default()), Distribution::default());
    }

    #[test]
    fn what_few_values_say_is_there_and_nothing_else() {
        let mut histogram = Histogram::default();
        (1..=40).for_each(|value| histogram.add(value));
        let Distribution { count, mean, percentiles, intervals, max } = Distribution::from(&histogram);
        assert_eq!((count, mean, max), (40, Some(20.5), Some(40)));
        assert_eq!(percentiles, [Some(20), Some(36), Some(38), None, None]);
        let found = intervals.map(|it| it.map(|Interval { low, high }| (low, high)));
        assert_eq!(found, [Some((14, 27)), Some((32, 40)), None, None, None]);
    }

    #[test]
    fn bounds_of_many_values_are_the_edges_of_their_buckets() {
        let mut histogram = Histogram::default();
        (0..10_000).for_each(|value| histogram.add(1000 * value));
        let interval = Distribution::from(&histogram).intervals[3].expect("many values");
        assert!(interval.low <= 9_879_000 && interval.low > 9_860_000, "{interval:?}");
        assert!(interval.high >= 9_919_000 && interval.high < 9_940_000, "{interval:?}");
    }
}
