//! What chance gives: the same measures of random samples.

use super::grid::Grid;
use super::order::drawn;
use super::population::Population;
use super::table::objective;
use super::threads;
use crate::random::{Purpose, StreamKey, StreamRng};

/// How values of random samples are distributed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// How many samples were drawn.
    pub draws: usize,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
    /// The 5th percentile.
    pub p5: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The least.
    pub least: f64,
    /// The expected least of 16 draws, which is what InVitro's sampler keeps.
    pub best_of_16: f64,
}

impl Chance {
    /// Of these values; none of none.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, draws) = (*values.first()?, values.len());
        let n = draws as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        // The least of 16 is at or above the value of rank k when all 16 are.
        let all_from = |rank: usize| (1.0 - rank as f64 / n).powi(16);
        let best_of_16 =
            values.iter().enumerate().map(|(rank, value)| value * (all_from(rank) - all_from(rank + 1))).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among the values")]
        let at = |q: f64| values[((n - 1.0) * q).round() as usize];
        Some(Self {
            draws,
            mean,
            deviation: variance.sqrt(),
            p5: at(0.05),
            p50: at(0.5),
            p95: at(0.95),
            least,
            best_of_16,
        })
    }
}

/// Random samples of `size` functions by number, so that each is the same whoever asks.
pub(super) struct Draws<'a> {
    pub(super) population: &'a Population,
    pub(super) seed: u64,
    pub(super) size: usize,
}

impl Draws<'_> {
    /// Sample number `number`.
    pub(super) fn sample(&self, number: usize) -> Vec<u32> {
        let key = StreamKey::new(self.seed, &format!("draws of {}", self.size), Purpose::Sampling);
        let mut rng: StreamRng = key.unit(u32::try_from(number).unwrap_or(u32::MAX));
        drawn(self.population.len(), self.size, &mut rng)
    }

    /// J of `draws` samples, each on the grid, and the own quantities' part.
    pub(super) fn objectives(&self, grid: &Grid, draws: usize) -> Vec<super::table::Objective> {
        let of = |number| objective(self.population, grid, &self.sample(number));
        threads::parts(draws, |numbers| numbers.map(of).collect::<Vec<_>>()).concat()
    }

    /// How many draws the work suffices for: a thousand where a sample is small.
    pub(super) fn number(&self, grid: &Grid, work: u64) -> usize {
        let (cells, functions) = (self.population.all_cells(), self.population.len().max(1));
        let each = cells / functions * self.size * 2 + grid.rows() * grid.bins * 2;
        usize::try_from(work / each.max(1) as u64).unwrap_or(usize::MAX).clamp(32, 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_that_of_the_values() {
        let chance = Chance::of((1..=1000).map(f64::from).collect()).unwrap();
        assert_eq!((chance.draws, [chance.mean, chance.least, chance.p50]), (1000, [500.5, 1.0, 501.0]));
        // Of 16 of n, (n + 1)/17 with replacement nearly so.
        assert!((chance.best_of_16 - 59.3).abs() < 0.5, "{}", chance.best_of_16);
        assert_eq!(Chance::of(vec![]), None);
        assert!((Chance::of(vec![3.0]).unwrap().best_of_16 - 3.0).abs() < 1e-12);
    }
}
