//! Whether values fall into two groups: the test for clusters of Engelman and Hartigan (Percentage points of a test for clusters,
//! Journal of the American Statistical Association 64, 1969).
//!
//! Of all ways to cut the sorted values in two, that is taken which explains most of their variance. Values of one normal distribution can
//! be cut, too: how well by chance, is drawn for each number of values.

use std::collections::BTreeMap;

use super::{Random, median::sorted};

/// How often values of one distribution are drawn.
const DRAWS: usize = 4000;

/// Most values that are drawn in all for one number of them.
const MOST: usize = 400_000;

/// The seed of the draws.
const SEED: u64 = 0x636C_7573_7465;

/// Fewest values: of fewer, nothing could be significant.
const FEWEST: usize = 6;

/// Fewest values of a group: one value apart from the rest is an outlier.
const SMALLEST: usize = 2;

/// The best way to cut values in two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// How many of the values are in the lower group.
    pub lower: usize,
    /// Mean of the lower group.
    pub low: f64,
    /// Mean of the upper group.
    pub high: f64,
    /// Share of the variance that the groups explain.
    pub explained: f64,
    /// The chance that values of one normal distribution can be cut as well.
    pub p: f64,
}

/// The test, which draws what chance does once for each number of values.
#[derive(Debug, Default)]
pub struct Clusters(BTreeMap<usize, Vec<f64>>);

impl Clusters {
    /// The best cut of these values; absent of fewer than 6, and of values that are all the same.
    pub fn split(&mut self, values: &[f64]) -> Option<Split> {
        if values.len() < FEWEST {
            return None;
        }
        let values = sorted(values);
        let (lower, explained) = best(&values)?;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let by_chance = self.0.entry(values.len()).or_insert_with(|| by_chance(values.len()));
        let better = by_chance.iter().filter(|chance| **chance >= explained).count();
        let p = (better as f64 + 1.0) / (by_chance.len() as f64 + 1.0);
        let (low, high) = values.split_at(lower);
        Some(Split { lower, low: mean(low), high: mean(high), explained, p })
    }
}

/// What the best cuts of values of one normal distribution explain.
fn by_chance(count: usize) -> Vec<f64> {
    let mut random = Random::new(SEED);
    let draws = (MOST / count).clamp(200, DRAWS);
    let mut draw = || sorted(&(0..count).map(|_| random.normal()).collect::<Vec<_>>());
    (0..draws).filter_map(|_| best(&draw()).map(|(_, explained)| explained)).collect()
}

/// Where sorted values are cut best, and the share of their variance that this explains.
fn best(values: &[f64]) -> Option<(usize, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let all: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if all <= 0.0 {
        return None;
    }
    let mut below = 0.0;
    let mut cuts = Vec::new();
    for (place, value) in values.iter().enumerate() {
        below += value - mean;
        let lower = place + 1;
        if lower >= SMALLEST && values.len() - lower >= SMALLEST {
            // The sums of deviations of both groups are the same but for their sign.
            let between = below * below * count / (lower as f64 * (count - lower as f64));
            cuts.push((lower, between / all));
        }
    }
    cuts.into_iter().reduce(|best, cut| if cut.1 > best.1 { cut } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_levels_are_found_and_one_is_not() {
        let mut clusters = Clusters::default();
        let two = clusters.split(&[10.0, 10.2, 9.9, 10.1, 14.0, 14.2, 13.9, 14.1, 10.0, 14.1]).expect("enough");
        assert!(two.p < 0.001 && two.lower == 5 && two.explained > 0.99, "{two:?}");
        assert!((two.low - 10.04).abs() < 1e-9 && (two.high - 14.06).abs() < 1e-9, "{two:?}");
        let even = clusters.split(&[10.0, 10.5, 11.0, 11.5, 12.0, 12.5, 13.0, 13.5, 14.0, 14.5]).expect("enough");
        assert!(even.p > 0.2, "{even:?}");
        // An outlier is no group.
        let outlier = clusters.split(&[10.0, 10.2, 9.9, 10.1, 10.05, 9.95, 10.15, 9.85, 10.0, 30.0]).expect("enough");
        assert!(outlier.p > 0.05, "{outlier:?}");
        assert_eq!((clusters.split(&[1.0; 10]), clusters.split(&[1.0; 5])), (None, None));
    }

    #[test]
    fn one_distribution_is_called_two_as_often_as_the_level_says() {
        let (mut clusters, mut random) = (Clusters::default(), Random::new(21));
        for count in [8, 20] {
            let mut draw = || (0..count).map(|_| random.normal()).collect::<Vec<_>>();
            let wrong = (0..2000).filter(|_| clusters.split(&draw()).is_some_and(|split| split.p <= 0.05)).count();
            assert!((70..=130).contains(&wrong), "{count} values: {wrong} of 2000");
        }
    }
}
