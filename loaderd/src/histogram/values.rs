//! A distribution of values.

use std::time::Duration;

use hdrhistogram::Histogram as HdrHistogram;

use super::order::{self, Interval};

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
    max: u64,
}

#[derive(Debug, Clone)]
enum Values {
    Few(Vec<u64>),
    Many(Box<HdrHistogram<u32>>),
}

impl Default for Histogram {
    fn default() -> Self {
        Self { values: Values::Few(Vec::new()), count: 0, sum: 0.0, max: 0 }
    }
}

impl Histogram {
    /// Adds one value.
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum += value as f64;
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

    /// The greatest value; absent without values.
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// The arithmetic mean; absent without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The smallest value that at least `share` (0 to 1) of the values do not exceed; absent without values.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        (self.count > 0).then(|| self.of_rank(order::rank(share, self.count)).1)
    }

    /// The same, where there are at least 1/(1 − share) values: fewer say nothing of it.
    pub fn percentile(&self, share: f64) -> Option<u64> {
        order::tells(share, self.count).then(|| self.quantile(share)).flatten()
    }

    /// The 95 % interval of a percentile; absent where there are too few values for both bounds.
    pub fn interval(&self, share: f64) -> Option<Interval> {
        let (low, high) = order::bounds(share, self.count)?;
        Some(Interval { low: self.of_rank(low).0, high: self.of_rank(high).1 })
    }

    /// The percentile among `count` values of which these are the least: absent where it is not one of these, or too few
    /// values say anything of it.
    pub fn percentile_among(&self, share: f64, count: u64) -> Option<u64> {
        let rank = order::rank(share, count);
        (order::tells(share, count) && rank <= self.count).then(|| self.of_rank(rank).1)
    }

    /// Its values without those of `other`, which are all among them.
    pub fn without(&self, other: &Self) -> Self {
        match (&self.values, &other.values) {
            (Values::Few(values), _) => {
                let mut left = other.listed();
                let mut rest = Self::default();
                for &value in values {
                    match left.iter().position(|&one| one == value) {
                        Some(place) => drop(left.swap_remove(place)),
                        None => rest.add(value),
                    }
                }
                rest
            }
            (Values::Many(all), others) => {
                let mut all = all.clone();
                match others {
                    Values::Few(values) => {
                        let mut others = empty();
                        values.iter().for_each(|&value| record(&mut others, value));
                        let _subset = all.subtract(&others);
                    }
                    Values::Many(others) => drop(all.subtract(&**others)),
                }
                let max = all.max().min(self.max);
                Self { values: Values::Many(all), count: self.count - other.count, sum: self.sum - other.sum, max }
            }
        }
    }

    /// The values, where they are few.
    fn listed(&self) -> Vec<u64> {
        match &self.values {
            Values::Few(values) => values.clone(),
            Values::Many(_) => Vec::new(),
        }
    }

    /// Its values in no order, each with how many there are; above [`FEW`] they are those of their buckets, but for the greatest.
    pub(super) fn steps(&self) -> Vec<(u64, u64)> {
        match &self.values {
            Values::Few(values) => values.iter().map(|value| (*value, 1)).collect(),
            Values::Many(histogram) => {
                let steps = histogram.iter_recorded();
                let value = |step: u64| step.min(self.max);
                steps.map(|step| (value(step.value_iterated_to()), step.count_since_last_iteration())).collect()
            }
        }
    }

    /// The least and the greatest value that the one of this rank, from 1, can be.
    fn of_rank(&self, rank: u64) -> (u64, u64) {
        match &self.values {
            Values::Few(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                let place = usize::try_from(rank).unwrap_or(usize::MAX).clamp(1, sorted.len().max(1)) - 1;
                let value = sorted.get(place).copied().unwrap_or_default();
                (value, value)
            }
            Values::Many(histogram) => {
                // Between two ranks, so that no rounding leads to another one.
                let value = histogram.value_at_quantile((rank as f64 - 0.5) / self.count as f64);
                (histogram.lowest_equivalent(value), histogram.highest_equivalent(value).min(self.max))
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_nothing_there_is_nothing() {
        let none = Histogram::default();
        assert_eq!((none.max(), none.mean(), none.quantile(0.5), none.interval(0.5)), (None, None, None, None));
        assert_eq!(none.without(&none).count(), 0);
    }

    #[test]
    fn values_that_are_left_out_leave_the_others() {
        for (count, few) in [(100, 30), (5000, 30), (5000, 1000)] {
            let (mut all, mut some, mut rest) = (Histogram::default(), Histogram::default(), Histogram::default());
            for value in 0..count {
                all.add(value);
                if value >= count - few { some.add(value) } else { rest.add(value) }
            }
            let left = all.without(&some);
            assert_eq!(left.count(), rest.count());
            for share in [0.01, 0.5, 0.99] {
                assert_eq!(left.quantile(share), rest.quantile(share), "{count} {few} {share}");
            }
        }
    }

    #[test]
    fn failures_count_as_the_greatest_values() {
        let mut answered = Histogram::default();
        (1..=90).for_each(|value| answered.add(value));
        assert_eq!([0.5, 0.9, 0.95].map(|share| answered.percentile_among(share, 100)), [Some(50), Some(90), None]);
        assert_eq!(answered.percentile_among(0.99, 90), None, "too few");
    }

    #[test]
    fn few_values_are_exact() {
        let mut histogram = Histogram::default();
        [100, 300, 200, 1_000_003].into_iter().for_each(|value| histogram.add(value));
        assert_eq!([0.5, 0.75, 0.99].map(|share| histogram.quantile(share)), [Some(200), Some(300), Some(1_000_003)]);
        assert_eq!((histogram.count(), histogram.max()), (4, Some(1_000_003)));
    }

    #[test]
    fn many_values_keep_three_digits() {
        let mut histogram = Histogram::default();
        (1..=100_000).for_each(|value| histogram.add(value));
        for (share, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.999, 99_900.0)] {
            let found = histogram.quantile(share).expect("values") as f64;
            assert!((found / exact - 1.0).abs() < 1e-3, "{share}: {found}");
        }
        assert_eq!(histogram.max(), Some(100_000));
        assert!((histogram.mean().expect("values") - 50_000.5).abs() < 1e-6);
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
}
