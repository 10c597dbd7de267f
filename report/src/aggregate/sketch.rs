//! Values of a second: exact while they are few, then in buckets of 3 % width, so that thousands of seconds fit into memory.

use crate::statistics::told_rank;

/// Values that are kept one by one.
const FEW: usize = 256;

/// Each power of two has 2⁵ buckets.
const BITS: u32 = 5;

/// Buckets for every value of 32 bits.
const BUCKETS: usize = (33 - BITS as usize) << BITS;

/// A distribution of durations in microseconds; ones above 71 minutes count as that.
#[derive(Debug, Clone)]
pub struct Sketch {
    count: u64,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    Few(Vec<u32>),
    Many(Box<[u32; BUCKETS]>),
}

impl Default for Sketch {
    fn default() -> Self {
        Self { count: 0, values: Values::Few(Vec::new()) }
    }
}

impl Sketch {
    /// Takes a value.
    pub fn add(&mut self, micros: u64) {
        let value = u32::try_from(micros).unwrap_or(u32::MAX);
        self.count += 1;
        match &mut self.values {
            Values::Few(values) if values.len() < FEW => values.push(value),
            Values::Few(_) => increase(self.buckets(), value, 1),
            Values::Many(buckets) => increase(buckets, value, 1),
        }
    }

    /// Takes all values of another one.
    pub fn merge(&mut self, other: &Self) {
        match &other.values {
            Values::Few(values) => values.iter().for_each(|value| self.add(u64::from(*value))),
            Values::Many(theirs) => {
                self.count += other.count;
                for (mine, theirs) in self.buckets().iter_mut().zip(theirs.iter()) {
                    *mine = mine.saturating_add(*theirs);
                }
            }
        }
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The percentile, to 1.6 % where there are more than 256 values; absent of fewer than 1/(1 − share).
    pub fn percentile(&self, share: f64) -> Option<f64> {
        let rank = told_rank(share, self.count)?;
        let mut below = 0;
        self.steps().into_iter().find_map(|(value, count)| {
            below += count;
            (below >= rank).then_some(value)
        })
    }

    /// The greatest value, as exactly as percentiles; absent without values.
    pub fn max(&self) -> Option<f64> {
        self.steps().last().map(|(value, _)| *value)
    }

    /// Values in rising order, with how many there are of each.
    pub fn steps(&self) -> Vec<(f64, u64)> {
        match &self.values {
            Values::Few(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                sorted.into_iter().map(|value| (f64::from(value), 1)).collect()
            }
            Values::Many(buckets) => {
                let filled = buckets.iter().enumerate().filter(|(_, count)| **count > 0);
                filled.map(|(bucket, count)| (middle(bucket), u64::from(*count))).collect()
            }
        }
    }

    fn buckets(&mut self) -> &mut [u32; BUCKETS] {
        if let Values::Few(values) = &mut self.values {
            let mut buckets = Box::new([0; BUCKETS]);
            values.drain(..).for_each(|value| increase(&mut buckets, value, 1));
            self.values = Values::Many(buckets);
        }
        match &mut self.values {
            Values::Many(buckets) => buckets,
            Values::Few(_) => unreachable!("it was just replaced"),
        }
    }
}

fn increase(buckets: &mut [u32; BUCKETS], value: u32, by: u32) {
    if let Some(count) = buckets.get_mut(bucket(value)) {
        *count = count.saturating_add(by);
    }
}

/// The bucket of a value: the value itself below 2⁶, then 2⁵ a power of two.
fn bucket(value: u32) -> usize {
    let shift = (u32::BITS - value.leading_zeros()).saturating_sub(BITS + 1);
    ((shift as usize) << BITS) + (value >> shift) as usize
}

/// The middle of a bucket.
fn middle(bucket: usize) -> f64 {
    let shift = (bucket >> BITS).saturating_sub(1);
    let width = (1_u64 << shift) as f64;
    let low = (bucket - (shift << BITS)) as f64 * width;
    low + (width - 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_one_another_and_have_their_values() {
        let mut last = 0;
        for value in (0..4096).chain((12..32).map(|bit| 1 << bit)).chain([u32::MAX]) {
            let bucket = bucket(value);
            assert!(bucket >= last && bucket < BUCKETS, "{value}");
            last = bucket;
            let error = (middle(bucket) - f64::from(value)).abs();
            assert!(error <= f64::from(value) / 60.0, "{value}: {}", middle(bucket));
        }
    }

    #[test]
    fn percentiles_are_exact_while_values_are_few() {
        let mut sketch = Sketch::default();
        (1..=200).rev().for_each(|value| sketch.add(value));
        assert_eq!(
            (sketch.percentile(0.5), sketch.percentile(0.99), sketch.percentile(0.999)),
            (Some(100.0), Some(198.0), None)
        );
        let mut many = Sketch::default();
        (0..5).for_each(|_| many.merge(&sketch));
        (1..=1000).for_each(|value| many.add(value * 1000));
        assert_eq!(many.count(), 2000);
        let p99 = many.percentile(0.99).expect("a value");
        assert!((p99 - 980_000.0).abs() < 980_000.0 * 0.016, "{p99}");
        let mut huge = Sketch::default();
        huge.add(u64::MAX);
        huge.add(0);
        assert_eq!(huge.percentile(0.5), Some(0.0));
    }
}
