//! How many functions of the trace each function of a sample stands for.
//!
//! At first each function stands for those of about its load: it is the nearest in the order of load. Then weight is moved
//! between functions as long as that brings the weighted distribution functions nearer to the trace's: a convex problem, so
//! that no start leads astray.

use super::grid::Grid;
use super::population::Population;

/// A function stands for itself at least.
const LEAST: f64 = 1.0;
/// Parts of the mean weight that are moved, one pass after the other.
const STEPS: [f64; 6] = [0.5, 0.25, 0.1, 0.05, 0.02, 0.01];

/// The weights of `members`, whose sum is the number of functions.
pub(super) fn fit(population: &Population, grid: &Grid, order: &[u32], members: &[u32], work: u64) -> Vec<f64> {
    let mut weights = nearest(order, members, population.len());
    let mut counts = vec![0.0_f32; grid.rows() * grid.bins];
    let move_weight = |counts: &mut [f32], member: usize, by: f64| {
        for (row, level) in grid.levels(population, members[member]) {
            let begin = row * grid.bins;
            counts[begin..begin + level].iter_mut().for_each(|count| *count += narrow(by));
        }
    };
    weights.iter().enumerate().for_each(|(member, &weight)| move_weight(&mut counts, member, weight));
    let mut left = work;
    for step in STEPS {
        let by = step * population.len() as f64 / members.len().max(1) as f64;
        for from in 0..members.len() {
            if weights[from] - by < LEAST {
                continue;
            }
            move_weight(&mut counts, from, -by);
            let mut best = (from, f64::INFINITY);
            for (to, &member) in members.iter().enumerate() {
                let cost = cost(population, grid, &counts, member, narrow(by), &mut left);
                if cost < best.1 {
                    best = (to, cost);
                }
            }
            move_weight(&mut counts, best.0, by);
            weights[from] -= by;
            weights[best.0] += by;
            if left == 0 {
                return weights;
            }
        }
    }
    weights
}

/// What the weighted objective rises by when a function's weight does.
fn cost(population: &Population, grid: &Grid, counts: &[f32], function: u32, by: f32, work: &mut u64) -> f64 {
    let (mut cost, mut seen) = (0.0, 0);
    for (row, level) in grid.levels(population, function) {
        let place = row * grid.bins..row * grid.bins + level;
        let terms = counts[place.clone()].iter().zip(&grid.above[place.clone()]).zip(&grid.weights[place]);
        let rise = |((count, above), weight): ((&f32, &f32), &f32)| {
            let difference = count - above;
            ((difference + by).abs() - difference.abs()) * weight
        };
        cost += f64::from(terms.map(rise).sum::<f32>());
        seen += level as u64 + 1;
    }
    *work = work.saturating_sub(seen);
    cost
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
}
