//! Distributions of values, small while there are few. Pure.

use std::time::Duration;

use hdrhistogram::Histogram as HdrHistogram;

/// Significant decimal digits that percentiles keep.
const DIGITS: u8 = 3;

/// Values that are kept one by one; a histogram takes over above that number.
const FEW: usize = 256;

/// A distribution of whole numbers, exact up to [`FEW`] values and to three digits beyond.
#[derive(Debug, Clone)]
pub struct Histogram {
    values: Values,
    count: u64,
    sum: f64,
    sum_of_logs: f64,
    max: u64,
}

#[derive(Debug, Clone)]
enum Values {
    Few(Vec<u64>),
    Many(Box<HdrHistogram<u32>>),
}

impl Default for Histogram {
    fn default() -> Self {
        Self { values: Values::Few(Vec::new()), count: 0, sum: 0.0, sum_of_logs: 0.0, max: 0 }
    }
}

impl Histogram {
    /// Adds one value.
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum += value as f64;
        self.sum_of_logs += (value.max(1) as f64).ln();
        self.max = self.max.max(value);
        match &mut self.values {
            Values::Few(values) if values.len() < FEW => values.push(value),
            Values::Few(_) => record(self.histogram(), value),
            Values::Many(histogram) => record(histogram, value),
        }
    }

    /// Takes a length of time, in whole microseconds.
    pub fn add_micros(&mut self, duration: Duration) {
        self.add(crate::units::micros(duration));
    }

    /// Takes all values of another one.
    pub fn merge(&mut self, other: &Self) {
        match &other.values {
            Values::Few(values) => values.iter().for_each(|&value| self.add(value)),
            Values::Many(histogram) => {
                // A histogram that grows takes any other.
                let _grown = self.histogram().add(&**histogram);
                self.count += other.count;
                self.sum += other.sum;
                self.sum_of_logs += other.sum_of_logs;
                self.max = self.max.max(other.max);
            }
        }
    }

    /// The histogram; made when it is first needed.
    fn histogram(&mut self) -> &mut HdrHistogram<u32> {
        if let Values::Few(values) = &mut self.values {
            let mut histogram = empty();
            values.drain(..).for_each(|value| record(&mut histogram, value));
            self.values = Values::Many(Box::new(histogram));
        }
        match &mut self.values {
            Values::Many(histogram) => histogram,
            Values::Few(_) => unreachable!("it was just replaced"),
        }
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The greatest value; 0 without values.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The arithmetic mean; 0 without values.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// The geometric mean, of values raised to at least 1; 0 without values.
    pub fn geometric_mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { (self.sum_of_logs / self.count as f64).exp() }
    }

    /// The smallest value that at least `share` (0 to 1) of the values do not exceed; 0 without values.
    pub fn quantile(&self, share: f64) -> u64 {
        match &self.values {
            Values::Few(values) if values.is_empty() => 0,
            Values::Few(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
                let rank = (share * sorted.len() as f64).ceil() as usize;
                sorted[rank.clamp(1, sorted.len()) - 1]
            }
            Values::Many(histogram) => histogram.value_at_quantile(share).min(self.max),
        }
    }
}

/// A histogram that grows as needed.
fn empty() -> HdrHistogram<u32> {
    #[expect(clippy::expect_used, reason = "digits between 0 and 5 are always taken")]
    HdrHistogram::new(DIGITS).expect("a legal number of digits")
}

/// Records a value; the histogram grows as needed.
fn record(histogram: &mut HdrHistogram<u32>, value: u64) {
    // A histogram that grows refuses no value.
    let _grown = histogram.record(value);
}

/// The figures of a distribution, in the unit of its values; all 0 without values.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Distribution {
    /// Number of values.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median (50th percentile).
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 95th percentile.
    pub p95: u64,
    /// 99th percentile.
    pub p99: u64,
    /// 99.9th percentile.
    pub p999: u64,
    /// The greatest value, not rounded.
    pub max: u64,
}

impl From<&Histogram> for Distribution {
    fn from(histogram: &Histogram) -> Self {
        Self {
            count: histogram.count(),
            mean: histogram.mean(),
            p50: histogram.quantile(0.5),
            p90: histogram.quantile(0.9),
            p95: histogram.quantile(0.95),
            p99: histogram.quantile(0.99),
            p999: histogram.quantile(0.999),
            max: histogram.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_all_zero() {
        assert_eq!(Distribution::from(&Histogram::default()), Distribution::default());
    }

    #[test]
    fn few_values_are_exact() {
        let mut histogram = Histogram::default();
        [100, 300, 200, 1_000_003].into_iter().for_each(|value| histogram.add(value));
        assert_eq!(
            (histogram.quantile(0.5), histogram.quantile(0.75), histogram.quantile(0.99)),
            (200, 300, 1_000_003)
        );
        assert_eq!((histogram.count(), histogram.max()), (4, 1_000_003));
    }

    #[test]
    fn many_values_keep_three_digits() {
        let mut histogram = Histogram::default();
        (1..=100_000).for_each(|value| histogram.add(value));
        for (share, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.999, 99_900.0)] {
            let found = histogram.quantile(share) as f64;
            assert!((found / exact - 1.0).abs() < 1e-3, "{share}: {found}");
        }
        assert_eq!(histogram.max(), 100_000);
        assert!((histogram.mean() - 50_000.5).abs() < 1e-6);
    }

    #[test]
    fn merging_is_adding_all_values() {
        for (few, many) in [(10, 20), (10, 2000), (2000, 10), (2000, 3000)] {
            let (mut one, mut other, mut all) = (Histogram::default(), Histogram::default(), Histogram::default());
            (0..few).for_each(|value| one.add(value));
            (0..many).for_each(|value| other.add(value * 7));
            (0..few).chain((0..many).map(|value| value * 7)).for_each(|value| all.add(value));
            one.merge(&other);
            assert_eq!(one.count(), all.count());
            assert_eq!(one.max(), all.max());
            for share in [0.01, 0.5, 0.99] {
                assert_eq!(one.quantile(share), all.quantile(share), "{few} {many} {share}");
            }
        }
    }

    #[test]
    fn the_geometric_mean_is_that_of_the_values() {
        let mut histogram = Histogram::default();
        [1, 10, 100].into_iter().for_each(|value| histogram.add(value));
        assert!((histogram.geometric_mean() - 10.0).abs() < 1e-9);
    }
}
