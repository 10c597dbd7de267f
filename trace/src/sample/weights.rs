//! How many functions of the trace each function of a sample stands for.
//!
//! At first each function stands for those of about its load: it is the nearest in the order of load; or all stand for as many,
//! where that is better. From there the weighted distribution functions are brought nearer to the trace's by subgradient
//! descent, with a step of its own for each function (Duchi, Hazan, Singer: "Adaptive Subgradient Methods", JMLR 2011), since a
//! heavy function decides much and a light one little. The problem is convex, so that no start leads astray.

use super::grid::Grid;
use super::population::Population;

/// A function stands for itself at least.
const LEAST: f64 = 1.0;
/// Steps of the descent, where the work suffices for them.
const STEPS: usize = 300;
/// The first step of the logarithm of a weight.
const STEP: f64 = 0.3;
/// Weight above the least that a start has at least, relative to the mean, as none could grow from nothing.
const FLOOR: f64 = 1e-3;

/// Weights of a sample's functions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    /// Of each function; their sum is the number of functions of the trace.
    pub(super) of: Vec<f64>,
    /// The weighted objective, times the number of functions of the trace.
    pub(super) objective: f64,
}

/// The weights of `members`; about `work` numbers are looked at.
pub(super) fn fit(population: &Population, grid: &Grid, order: &[u32], members: &[u32], work: u64) -> Weights {
    let (functions, size) = (population.len() as f64, members.len() as f64);
    let spare = functions - LEAST * size;
    let problem = Problem { population, grid, members };
    if spare <= 0.0 {
        let of = vec![LEAST; members.len()];
        return Weights { objective: problem.at(&of).0, of };
    }
    let starts = [nearest(order, members, population.len()), vec![functions / size; members.len()]];
    let tried = starts.map(|weights| (problem.at(&weights).0, weights));
    let [(of_nearest, nearest), (of_equal, equal)] = tried;
    let (mut least, mut best) = if of_nearest < of_equal { (of_nearest, nearest) } else { (of_equal, equal) };
    let mut logs: Vec<f64> = best.iter().map(|weight| (weight - LEAST).max(spare / size * FLOOR).ln()).collect();
    let mut seen = vec![0.0_f64; members.len()];
    let steps = usize::try_from(work / problem.work()).unwrap_or(usize::MAX).min(STEPS);
    for _ in 0..steps {
        let shares = shares(&logs);
        let weights: Vec<f64> = shares.iter().map(|share| LEAST + spare * share).collect();
        let (objective, slopes) = problem.at(&weights);
        if objective < least {
            (least, best) = (objective, weights);
        }
        // Of the share, and of its logarithm where all shares sum to one.
        let mean: f64 = shares.iter().zip(&slopes).map(|(share, slope)| share * slope).sum();
        for (((log, seen), share), slope) in logs.iter_mut().zip(&mut seen).zip(&shares).zip(&slopes) {
            let of_log = share * (slope - mean);
            *seen += of_log * of_log;
            if *seen > 0.0 {
                *log -= STEP * of_log / seen.sqrt();
            }
        }
    }
    Weights { of: best, objective: least }
}

/// Numbers above 0 with these logarithms, but for a factor, so that they sum to one.
fn shares(logs: &[f64]) -> Vec<f64> {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: Vec<f64> = logs.iter().map(|log| (log - most).exp()).collect();
    let sum: f64 = all.iter().sum();
    all.into_iter().map(|value| value / sum).collect()
}

/// Weights that are looked for.
struct Problem<'a> {
    population: &'a Population,
    grid: &'a Grid,
    members: &'a [u32],
}

impl Problem<'_> {
    /// The weighted objective, and what it rises by with the weight of each member.
    fn at(&self, weights: &[f64]) -> (f64, Vec<f64>) {
        let Self { population, grid, members } = *self;
        let stride = grid.bins + 1;
        // First the weight at each level, then, from above, that above each threshold; and what a function of each level adds.
        let mut table = vec![0.0_f32; grid.rows() * stride];
        for (&member, &weight) in members.iter().zip(weights) {
            for (row, level) in grid.levels(population, member) {
                table[row * stride + level] += narrow(weight);
            }
        }
        let mut objective = 0.0;
        for (row, levels) in table.chunks_exact_mut(stride).enumerate() {
            objective += self.turn(row, levels);
        }
        let slope = |&member: &u32| {
            let levels = grid.levels(population, member);
            levels.map(|(row, level)| f64::from(table[row * stride + level])).sum()
        };
        (objective, members.iter().map(slope).collect())
    }

    /// Turns the weights at each level of a row into what a function of each level adds to the objective, which is returned.
    fn turn(&self, row: usize, levels: &mut [f32]) -> f64 {
        let (grid, used) = (self.grid, self.grid.used[row]);
        let place = row * grid.bins..row * grid.bins + used;
        let mut above = 0.0;
        for level in levels[1..=used].iter_mut().rev() {
            above += *level;
            *level = above;
        }
        let (mut objective, mut sum) = (0.0, 0.0);
        levels[0] = 0.0;
        let thresholds = grid.above[place.clone()].iter().zip(&grid.weights[place]);
        for (level, (wanted, weight)) in levels[1..=used].iter_mut().zip(thresholds) {
            let difference = *level - wanted;
            objective += f64::from(difference.abs() * weight);
            sum += if difference == 0.0 { 0.0 } else { weight.copysign(difference) };
            *level = sum;
        }
        objective
    }

    /// How many numbers [`Self::at`] looks at.
    fn work(&self) -> u64 {
        let cells: usize = self.members.iter().map(|&member| self.population.cells(member).len()).sum();
        (cells * 4 + self.grid.rows() * self.grid.bins * 2).max(1) as u64
    }
}

/// For each member how many functions have it for their nearest in `order`.
fn nearest(order: &[u32], members: &[u32], functions: usize) -> Vec<f64> {
    let mut place = vec![0_usize; functions];
    order.iter().enumerate().for_each(|(at, &function)| place[function as usize] = at);
    let mut sorted: Vec<usize> = (0..members.len()).collect();
    sorted.sort_by_key(|&member| place[members[member] as usize]);
    let mut weights = vec![0.0; members.len()];
    let mut begin = 0.0;
    for (number, &member) in sorted.iter().enumerate() {
        let own = place[members[member] as usize];
        let next = sorted.get(number + 1).map(|&next| place[members[next] as usize]);
        let end = next.map_or(functions as f64, |next| (own + next + 1) as f64 / 2.0);
        weights[member] = end - begin;
        begin = end;
    }
    weights
}

#[expect(clippy::cast_possible_truncation, reason = "tables are kept in single precision, to be small")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_a_nearest() {
        let weights = nearest(&[4, 3, 2, 1, 0], &[0, 3], 5);
        assert_eq!(weights, [2.0, 3.0]);
        assert_eq!(nearest(&[0, 1, 2], &[1], 3), [3.0]);
    }

    #[test]
    fn shares_sum_to_one_in_the_ratio_of_their_logarithms() {
        let found = shares(&[1000.0, 1000.0 + 3.0_f64.ln()]);
        assert!((found[0] - 0.25).abs() < 1e-12 && (found[1] - 0.75).abs() < 1e-12, "{found:?}");
    }
}
