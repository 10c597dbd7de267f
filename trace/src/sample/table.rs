//! How many functions of a sample are above each threshold of a [`Grid`], and what another one would cost.

use super::grid::Grid;
use super::population::Population;

/// A sample of a given size on its way.
///
/// The objective is Σ |K − T·n/N| · w/n. Beside the counts K stands what adding one to each up to a level adds to that sum,
/// so that the cost of a function is one number of each of its rows.
pub(super) struct Table<'a> {
    population: &'a Population,
    grid: &'a Grid,
    size: f32,
    counts: Vec<f32>,
    /// For each row and each level what raising the counts below it costs; a number more than thresholds.
    costs: Vec<f32>,
    /// Costs before a function was removed.
    before: Vec<f32>,
}

impl<'a> Table<'a> {
    /// That of `members`, on their way to a sample of `size` functions.
    pub(super) fn of(population: &'a Population, grid: &'a Grid, size: usize, members: &[u32]) -> Self {
        let mut table = Self {
            population,
            grid,
            size: size as f32,
            counts: counts(population, grid, members),
            costs: vec![0.0; grid.rows() * (grid.bins + 1)],
            before: Vec::new(),
        };
        (0..grid.rows()).for_each(|row| table.refresh(row));
        table
    }

    /// Adds a function.
    pub(super) fn add(&mut self, function: u32) {
        self.change(function, 1.0);
    }

    /// What the objective rises by with a function.
    pub(super) fn cost(&self, function: u32) -> f64 {
        let stride = self.grid.bins + 1;
        let costs = self.grid.levels(self.population, function);
        costs.map(|(row, level)| f64::from(self.costs[row * stride + level])).sum()
    }

    /// Removes a function, and keeps what [`Self::undo`] needs.
    pub(super) fn remove_for_now(&mut self, function: u32) {
        let stride = self.grid.bins + 1;
        self.before.clear();
        for (row, level) in self.grid.levels(self.population, function) {
            if level > 0 {
                self.before.extend_from_slice(&self.costs[row * stride..row * stride + self.grid.used[row] + 1]);
            }
        }
        self.change(function, -1.0);
    }

    /// Undoes the last [`Self::remove_for_now`].
    pub(super) fn undo(&mut self, function: u32) {
        let (bins, mut begin) = (self.grid.bins, 0);
        for (row, level) in self.grid.levels(self.population, function) {
            if level > 0 {
                self.counts[row * bins..row * bins + level].iter_mut().for_each(|count| *count += 1.0);
                let length = self.grid.used[row] + 1;
                let first = row * (bins + 1);
                self.costs[first..first + length].copy_from_slice(&self.before[begin..begin + length]);
                begin += length;
            }
        }
    }

    fn change(&mut self, function: u32, by: f32) {
        let (population, grid, bins) = (self.population, self.grid, self.grid.bins);
        for (row, level) in grid.levels(population, function) {
            if level > 0 {
                let begin = row * bins;
                self.counts[begin..begin + level].iter_mut().for_each(|count| *count += by);
                self.refresh(row);
            }
        }
    }

    fn refresh(&mut self, row: usize) {
        let (bins, used) = (self.grid.bins, self.grid.used[row]);
        let place = row * bins..row * bins + used;
        let (above, weights) = (&self.grid.above[place.clone()], &self.grid.weights[place.clone()]);
        let first = row * (bins + 1) + 1;
        let costs = &mut self.costs[first..first + used];
        let share = self.size / self.grid.functions as f32;
        let each = 1.0 / self.size;
        for (((cost, count), above), weight) in costs.iter_mut().zip(&self.counts[place]).zip(above).zip(weights) {
            // |d + 1| − |d|
            let difference = count - above * share;
            *cost = weight * each * (difference + difference + 1.0).clamp(-1.0, 1.0);
        }
        add_up(costs);
    }
}

/// Turns values into their partial sums, four at a time, so that one addition in four waits for the one before.
fn add_up(values: &mut [f32]) {
    let mut sum = 0.0;
    let mut fours = values.chunks_exact_mut(4);
    for four in &mut fours {
        if let [a, b, c, d] = four {
            let (two, last) = (*a + *b, *c + *d);
            let three = two + *c;
            (*a, *b, *c, *d) = (sum + *a, sum + two, sum + three, sum + (two + last));
            sum = *d;
        }
    }
    for value in fours.into_remainder() {
        sum += *value;
        *value = sum;
    }
}

/// The objective of a sample: of the rows of units, which is J, and of each row behind them.
pub(super) fn objective(population: &Population, grid: &Grid, members: &[u32]) -> Objective {
    let counts = counts(population, grid, members);
    let share = members.len() as f32 / grid.functions as f32;
    let size = members.len().max(1) as f64;
    let row = |row: usize| {
        let place = row * grid.bins..(row + 1) * grid.bins;
        let terms = counts[place.clone()].iter().zip(&grid.above[place.clone()]).zip(&grid.weights[place]);
        f64::from(terms.map(|((count, above), weight)| (count - above * share).abs() * weight).sum::<f32>()) / size
    };
    Objective { j: (0..grid.unit_rows()).map(row).sum(), own: (grid.unit_rows()..grid.rows()).map(row).collect() }
}

/// What [`objective`] gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objective {
    pub(super) j: f64,
    /// Of each own quantity, weighted.
    pub(super) own: Vec<f64>,
}

impl Objective {
    pub(super) fn sum(&self) -> f64 {
        self.j + self.own.iter().sum::<f64>()
    }
}

/// How many of `members` are above each threshold.
fn counts(population: &Population, grid: &Grid, members: &[u32]) -> Vec<f32> {
    let bins = grid.bins;
    // First how many have each level but 0, then from above.
    let mut counts = vec![0.0; grid.rows() * bins];
    for &function in members {
        for (row, level) in grid.levels(population, function) {
            if level > 0 {
                counts[row * bins + level - 1] += 1.0;
            }
        }
    }
    for row in counts.chunks_exact_mut(bins) {
        let mut sum = 0.0;
        for count in row.iter_mut().rev() {
            sum += *count;
            *count = sum;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_sums_are_those_of_all_before() {
        for length in 0..10_u8 {
            let mut values: Vec<f32> = (1..=length).map(f32::from).collect();
            add_up(&mut values);
            let expected: Vec<f32> = (1..=length).map(|last| f32::from(last * (last + 1) / 2)).collect();
            assert_eq!(values, expected);
        }
    }
}
