//! The objective on a grid: for each unit some values at which distribution functions are compared.
//!
//! The Wasserstein distance of one unit is the area between two distribution functions. Both are constant between two values
//! that occur, so that with a threshold at each of them the sum over thresholds is exact:
//!
//! ```text
//! Σ_b |K_b/n − T_b/N| · w_b      K_b, T_b: functions of the sample, of all, with a value above threshold b
//!                               w_b: distance to the next threshold
//! ```
//! Of many values not all become thresholds: those that few functions are above, which decide the distance, all do, of the
//! others fewer the more functions are above. A function's level in a row is the number of thresholds that its value is
//! above, so that adding it adds one to as many K. What is 0 is above none, and costs nothing.
//!
//! A row is one quantity in one unit. Behind the rows of units are rows of quantities that a function has once, as
//! logarithms, so that the same search preserves them.

use std::sync::atomic::{AtomicU16, Ordering};

use super::population::{Active, Population};
use super::threads;

/// Quantities of a unit: invocations, resources.
pub(super) const KINDS: usize = 2;
/// Quantities that a function has once.
pub(super) const OWN: usize = 4;
/// Units that the rows of these take.
const OWN_UNITS: usize = OWN / KINDS;
/// Most thresholds of a row; a level fits into a byte.
const MOST_BINS: usize = 255;
/// Thresholds of a row where there are many functions.
const BINS: usize = 64;
/// Fewer are too coarse.
const FEWEST_BINS: usize = 16;
/// Numbers in all rows together, so that tables stay small for long traces.
const MOST_NUMBERS: usize = 1 << 23;
/// Of the thresholds of a row, this share is for the values that fewest functions are above, each with its own.
const EXACT: usize = 2;

/// Thresholds and levels of a population.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) functions: usize,
    /// Thresholds of a row.
    pub(super) bins: usize,
    /// Functions above each threshold of each row.
    pub(super) above: Vec<f32>,
    /// Weight of each threshold of each row; of a unit's rows so that the sum is J.
    pub(super) weights: Vec<f32>,
    /// How many of its thresholds each row uses.
    pub(super) used: Vec<usize>,
    /// Of each cell.
    levels: Vec<[u8; KINDS]>,
    /// Of each function's own quantities.
    own: Vec<[u8; OWN]>,
    units: usize,
}

impl Grid {
    /// The grid of a population; `own` has the own quantities of each function.
    pub(super) fn of(population: &Population, own: &[[f64; OWN]]) -> Self {
        let bins = bins(population);
        let levels: Vec<AtomicU16> = (0..population.all_cells()).map(|_| AtomicU16::new(0)).collect();
        let share = 1.0 / (KINDS * population.units.max(1)) as f64;
        let parts = threads::parts(population.units, |units| {
            let mut rows = Rows::new(bins);
            population.each_unit(units, |_, active| {
                let counts = rows.add(active.iter().map(|active| f64::from(active.count)), share);
                let resource = |active: &Active| f64::from(active.count) * population.resource(active.function);
                let resources = rows.add(active.iter().map(resource), share);
                for ((active, count), resource) in active.iter().zip(counts).zip(resources) {
                    levels[active.cell].store(u16::from_le_bytes([count, resource]), Ordering::Relaxed);
                }
            });
            rows
        });
        let mut rows = Rows::new(bins);
        parts.into_iter().for_each(|part| rows.append(part));
        let mut own_levels = vec![[0; OWN]; own.len()];
        for quantity in 0..OWN {
            let levels = rows.add(own.iter().map(|own| own[quantity]), 1.0);
            own_levels.iter_mut().zip(levels).for_each(|(of, level)| of[quantity] = level);
        }
        Self {
            functions: population.len(),
            bins,
            above: rows.above,
            weights: rows.weights,
            used: rows.used,
            levels: levels.into_iter().map(|level| level.into_inner().to_le_bytes()).collect(),
            own: own_levels,
            units: population.units,
        }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        (self.units + OWN_UNITS) * KINDS
    }

    /// How many rows those of units are.
    pub(super) fn unit_rows(&self) -> usize {
        self.units * KINDS
    }

    /// The rows in which a function is above a threshold, with its level.
    pub(super) fn levels(&self, population: &Population, function: u32) -> impl Iterator<Item = (usize, usize)> {
        let cells = population.cells(function);
        let units = population.units_of(cells.clone()).iter().map(|&unit| unit as usize);
        let of_units = units.zip(&self.levels[cells]);
        let own = &self.own[function as usize];
        let of_units =
            of_units.flat_map(|(unit, levels)| [0, 1].map(|kind| (unit * KINDS + kind, levels[kind].into())));
        let own = own.iter().enumerate().map(|(quantity, &level)| (self.unit_rows() + quantity, level.into()));
        of_units.chain(own)
    }

    /// Weighs one of the own quantities.
    pub(super) fn weigh(&mut self, quantity: usize, factor: f64) {
        let begin = (self.unit_rows() + quantity) * self.bins;
        for weight in &mut self.weights[begin..begin + self.bins] {
            *weight = narrow(f64::from(*weight) * factor);
        }
    }
}

/// Thresholds that a row has.
fn bins(population: &Population) -> usize {
    if population.len() <= MOST_BINS {
        return population.len().max(1);
    }
    (MOST_NUMBERS / (population.units + OWN_UNITS) / KINDS).clamp(FEWEST_BINS, BINS)
}

/// Rows as they come.
struct Rows {
    bins: usize,
    above: Vec<f32>,
    weights: Vec<f32>,
    used: Vec<usize>,
}

impl Rows {
    fn new(bins: usize) -> Self {
        Self { bins, above: Vec::new(), weights: Vec::new(), used: Vec::new() }
    }

    fn append(&mut self, other: Self) {
        self.above.extend(other.above);
        self.weights.extend(other.weights);
        self.used.extend(other.used);
    }

    /// Adds the row of these values; those of functions that are not listed are 0. Gives the level of each value.
    fn add(&mut self, values: impl Iterator<Item = f64>, share: f64) -> Vec<u8> {
        let mut sorted: Vec<(f64, usize)> = values.enumerate().map(|(place, value)| (value, place)).collect();
        let mut levels = vec![0_u8; sorted.len()];
        sorted.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
        let distinct = Distinct::of(&sorted);
        let kept = distinct.kept(self.bins);
        let begin = self.above.len();
        self.used.push(kept.len());
        self.above.resize(begin + self.bins, 0.0);
        self.weights.resize(begin + self.bins, 0.0);
        for (bin, &threshold) in kept.iter().enumerate() {
            self.above[begin + bin] = narrow(distinct.above[threshold] as f64);
            let next = kept.get(bin + 1).copied().unwrap_or(distinct.values.len() - 1);
            let length = (distinct.values[next] - distinct.values[threshold]) * share;
            // What lies between two thresholds is taken for half the one's and half the other's.
            let is_exact = next == threshold + 1 || bin + 1 == kept.len();
            let (here, there) = if is_exact { (length, 0.0) } else { (length / 2.0, length / 2.0) };
            self.weights[begin + bin] += narrow(here);
            if there > 0.0 {
                self.weights[begin + bin + 1] += narrow(there);
            }
        }
        let mut level = 0_u8;
        for (value, place) in sorted {
            while kept.get(usize::from(level)).is_some_and(|&threshold| distinct.values[threshold] < value) {
                level += 1;
            }
            levels[place] = level;
        }
        levels
    }
}

/// The values of a row without repetition, from 0, each with how many functions are above it.
struct Distinct {
    values: Vec<f64>,
    above: Vec<usize>,
}

impl Distinct {
    fn of(sorted: &[(f64, usize)]) -> Self {
        let mut distinct = Self { values: vec![0.0], above: vec![sorted.len()] };
        for (place, &(value, _)) in sorted.iter().enumerate() {
            let left = sorted.len() - place - 1;
            if distinct.values.last().is_some_and(|&last| value > last) {
                distinct.values.push(value);
                distinct.above.push(left);
            } else if let Some(above) = distinct.above.last_mut() {
                *above = left;
            }
        }
        distinct
    }

    /// The values that become thresholds, at most `bins`, ascending: never the last, above which there is nothing.
    fn kept(&self, bins: usize) -> Vec<usize> {
        let all = self.values.len() - 1;
        if all <= bins {
            return (0..all).collect();
        }
        let exact = bins / EXACT;
        let most = self.above[0] as f64;
        let ratio = (most / exact.max(1) as f64).powf(1.0 / (bins - exact - 1).max(1) as f64);
        let mut kept = Vec::with_capacity(bins);
        let mut next = 0.0;
        for threshold in (0..all).rev() {
            let above = self.above[threshold] as f64;
            if threshold == 0 || (above >= next && kept.len() + 1 < bins) {
                kept.push(threshold);
                next = if kept.len() < exact { 0.0 } else { above * ratio };
            }
        }
        kept.reverse();
        kept
    }
}

#[expect(clippy::cast_possible_truncation, reason = "tables are kept in single precision, to be small")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f64], bins: usize) -> (Rows, Vec<u8>) {
        let mut rows = Rows::new(bins);
        let levels = rows.add(values.iter().copied(), 1.0);
        (rows, levels)
    }

    #[test]
    fn few_values_are_all_thresholds() {
        let (rows, levels) = row(&[5.0, 1.0, 5.0, 2.0], 6);
        assert_eq!(rows.above, [4.0, 3.0, 2.0, 0.0, 0.0, 0.0]);
        assert_eq!(rows.weights, [1.0, 1.0, 3.0, 0.0, 0.0, 0.0]);
        assert_eq!(levels, [3, 1, 3, 2]);
    }

    #[test]
    fn of_many_values_the_greatest_are_thresholds() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        let (rows, levels) = row(&values, 16);
        assert_eq!(rows.above.len(), 16);
        assert_eq!(rows.above[..1], [1000.0]);
        let used = rows.used[0];
        assert_eq!(rows.above[used - 8..used], [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
        assert!((rows.weights.iter().sum::<f32>() - 1000.0).abs() < 1e-3);
        assert_eq!(usize::from(levels[999]), used);
        assert!(levels.is_sorted());
    }

    #[test]
    fn nothing_has_no_thresholds() {
        let (rows, levels) = row(&[], 3);
        assert_eq!((rows.weights, levels), (vec![0.0; 3], vec![]));
    }
}
