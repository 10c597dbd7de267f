//! Distributions of values: exact while they are few, to three digits beyond.

use hdrhistogram::Histogram;

/// Values that are kept one by one; a histogram takes over above that number.
const FEW: usize = 1 << 16;

/// Significant decimal digits that a histogram keeps.
const DIGITS: u8 = 3;

/// A distribution of whole numbers.
#[derive(Debug, Clone)]
pub struct Distribution {
    values: Values,
    count: u64,
    sum: f64,
    sum_of_logs: f64,
    max: u64,
}

#[derive(Debug, Clone)]
enum Values {
    Few(Vec<u64>),
    Many(Box<Histogram<u64>>),
}

impl Default for Distribution {
    fn default() -> Self {
        Self { values: Values::Few(Vec::new()), count: 0, sum: 0.0, sum_of_logs: 0.0, max: 0 }
    }
}

impl FromIterator<u64> for Distribution {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut distribution = Self::default();
        values.into_iter().for_each(|value| distribution.add(value));
        distribution.sort();
        distribution
    }
}

impl Distribution {
    /// Takes a value.
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum += value as f64;
        self.max = self.max.max(value);
        match &mut self.values {
            Values::Few(values) if values.len() < FEW => values.push(value),
            Values::Few(values) => {
                // One of that many digits can always be made.
                if let Ok(mut histogram) = Histogram::new(DIGITS) {
                    values.drain(..).chain([value]).for_each(|value| record(&mut histogram, value));
                    self.values = Values::Many(Box::new(histogram));
                }
            }
            Values::Many(histogram) => record(histogram, value),
        }
    }

    /// Takes a value of which the geometric mean is wanted, too: `value` is `ratio` in other units.
    pub fn add_ratio(&mut self, value: u64, ratio: f64) {
        self.sum_of_logs += ratio.ln();
        self.add(value);
    }

    /// Puts the values in order; percentiles are those of sorted values. Done once, when all have been taken.
    pub fn sort(&mut self) {
        if let Values::Few(values) = &mut self.values {
            values.sort_unstable();
        }
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether every value was kept, so that percentiles are values of the distribution.
    pub fn is_exact(&self) -> bool {
        matches!(self.values, Values::Few(_))
    }

    /// The greatest value; absent without values.
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// The arithmetic mean; absent without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The geometric mean of ratios; absent without values.
    pub fn geometric_mean(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.sum_of_logs / self.count as f64).exp())
    }

    /// The smallest value that at least this share of the values do not exceed; absent of fewer than 1/(1 − share) values.
    pub fn percentile(&self, share: f64) -> Option<u64> {
        crate::statistics::told_rank(share, self.count).and_then(|rank| self.at_rank(rank))
    }

    /// The value of that rank, from 1.
    pub fn at_rank(&self, rank: u64) -> Option<u64> {
        match &self.values {
            Values::Few(values) => values.get(usize::try_from(rank.checked_sub(1)?).ok()?).copied(),
            // Half a rank lower, so that rounding does not reach the next one.
            Values::Many(histogram) if rank <= self.count => {
                let value = histogram.value_at_quantile((rank as f64 - 0.5) / self.count as f64);
                Some(value.min(self.max))
            }
            Values::Many(_) => None,
        }
    }

    /// Values with the number of values up to each, in rising order, at most about `most` of them, the least and the greatest among
    /// them.
    pub fn steps(&self, most: usize) -> Vec<(u64, u64)> {
        let all: Vec<(u64, u64)> = match &self.values {
            Values::Few(values) => {
                let mut steps: Vec<(u64, u64)> = Vec::new();
                for (rank, value) in (1..).zip(values) {
                    match steps.last_mut() {
                        Some((last, count)) if last == value => *count = rank,
                        _ => steps.push((*value, rank)),
                    }
                }
                steps
            }
            Values::Many(histogram) => {
                let mut below = 0;
                let steps = histogram.iter_recorded().map(|step| {
                    below += step.count_since_last_iteration();
                    (step.value_iterated_to().min(self.max), below)
                });
                steps.collect()
            }
        };
        thinned(all, self.count, most)
    }
}

/// Some of the steps: evenly by rank in the middle, and more of them at both ends, where tails are looked at.
fn thinned(all: Vec<(u64, u64)>, count: u64, most: usize) -> Vec<(u64, u64)> {
    if all.len() <= most {
        return all;
    }
    // Logits spread ranks so that 0.9, 0.99, 0.999 are as far from one another as 0.1, 0.01, 0.001.
    let logit = |rank: u64| ((rank as f64 - 0.5) / (count as f64 - rank as f64 + 0.5)).ln();
    let (first, last) = (logit(1), logit(count));
    let apart = (last - first) / most as f64;
    let mut kept: Vec<(u64, u64)> = Vec::with_capacity(most + 2);
    let mut next = f64::NEG_INFINITY;
    let end = all.last().copied();
    for (value, rank) in all {
        if logit(rank) >= next {
            next = logit(rank) + apart;
            kept.push((value, rank));
        }
    }
    kept.extend(end.filter(|end| kept.last() != Some(end)));
    kept
}

fn record(histogram: &mut Histogram<u64>, value: u64) {
    // A histogram that grows takes any value.
    let _taken = histogram.record(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_exact_and_many_are_to_three_digits() {
        let few: Distribution = (1..=1000).rev().collect();
        assert!(few.is_exact());
        assert_eq!((few.percentile(0.5), few.percentile(0.99), few.percentile(0.9999)), (Some(500), Some(990), None));
        assert_eq!(
            (few.max(), few.mean(), few.at_rank(1), few.at_rank(1001)),
            (Some(1000), Some(500.5), Some(1), None)
        );
        let many: Distribution = (1..=100_000).collect();
        assert!(!many.is_exact());
        let p99 = many.percentile(0.99).expect("a value");
        assert!((98_900..=99_100).contains(&p99), "{p99}");
        assert_eq!((many.max(), many.count()), (Some(100_000), 100_000));
    }

    #[test]
    fn of_nothing_there_is_nothing() {
        let none = Distribution::default();
        assert_eq!((none.mean(), none.geometric_mean(), none.max(), none.percentile(0.5)), (None, None, None, None));
        assert_eq!(none.steps(10), []);
    }

    #[test]
    fn steps_keep_both_ends_whatever_is_left_out() {
        let few: Distribution = [3, 1, 3, 2].into_iter().collect();
        assert_eq!(few.steps(10), [(1, 1), (2, 2), (3, 4)]);
        for count in [1000, 100_000] {
            let steps = (1..=count).collect::<Distribution>().steps(100);
            assert!(steps.len() <= 102, "{}", steps.len());
            assert!(steps.is_sorted() && steps[0].1 == 1 && steps.last() == Some(&(count, count)), "{steps:?}");
            // Of the last hundredth there is more than one.
            assert!(steps.iter().filter(|(_, rank)| rank * 100 > count * 99).count() > 5);
        }
    }
}
