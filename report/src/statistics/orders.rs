//! In how many orders of the values of cells a rank correlation comes out as it did, or further off.
//!
//! ```text
//! ranks of x and y of a cell ──every order of y──▶ how often each Σxy ──cell by cell──▶ how often each sum of them ──▶ p
//! ```

use std::collections::BTreeMap;

/// Most orders of the values of all cells that are gone through, each cell on its own: those of nine values.
const MOST_ORDERS: f64 = 362_880.0;

/// Most products of adding up the sums of all cells.
const MOST_PRODUCTS: usize = 1 << 24;

/// How often sums come up, from the least one on.
struct Sums {
    least: usize,
    ways: Vec<f64>,
}

/// The number of orders of so many values.
pub(super) fn count(values: usize) -> f64 {
    (1..=values).map(|number| number as f64).product()
}

/// The share of orders within cells in which Σxy is as far out as it is, on the nearer side and doubled; absent where they are too many to
/// be counted out.
pub(super) fn p_value(cells: &[(Vec<usize>, Vec<usize>)]) -> Option<f64> {
    if cells.iter().map(|(x, _)| count(x.len())).sum::<f64>() > MOST_ORDERS {
        return None;
    }
    let sums: Vec<BTreeMap<usize, f64>> = cells.iter().map(|(x, y)| of_cell(x, y)).collect();
    if products(&sums) > MOST_PRODUCTS {
        return None;
    }
    let all = sums.iter().fold(Sums { least: 0, ways: vec![1.0] }, |all, cell| all.with(cell));
    let found = cells.iter().map(|(x, y)| product(x, y)).sum::<usize>() - all.least;
    let (below, above): (f64, f64) = (all.ways[..=found].iter().sum(), all.ways[found..].iter().sum());
    let orders: f64 = all.ways.iter().sum();
    Some((2.0 * below.min(above) / orders).min(1.0))
}

fn product(x: &[usize], y: &[usize]) -> usize {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// How often each sum of one cell comes up.
fn of_cell(x: &[usize], y: &[usize]) -> BTreeMap<usize, f64> {
    let mut sums = BTreeMap::new();
    each_order(&mut y.to_vec(), 0, &mut |y| *sums.entry(product(x, y)).or_insert(0.0) += 1.0);
    sums
}

/// Every order of the values from a place on.
fn each_order(values: &mut [usize], from: usize, visit: &mut impl FnMut(&[usize])) {
    if from + 1 >= values.len() {
        return visit(values);
    }
    for place in from..values.len() {
        values.swap(from, place);
        each_order(values, from + 1, visit);
        values.swap(from, place);
    }
}

/// How many sums there are, from the least to the greatest.
fn width(sums: &BTreeMap<usize, f64>) -> usize {
    let ends = sums.keys().next().zip(sums.keys().next_back());
    ends.map_or(0, |(least, most)| most - least)
}

/// How many products it takes to add up the sums of all cells.
fn products(sums: &[BTreeMap<usize, f64>]) -> usize {
    let of = |(ways, products): (usize, usize), cell: &BTreeMap<usize, f64>| {
        (ways + width(cell), products.saturating_add(ways.saturating_mul(cell.len())))
    };
    sums.iter().fold((1, 0), of).1
}

impl Sums {
    /// The sums with one cell more.
    fn with(&self, cell: &BTreeMap<usize, f64>) -> Self {
        let least = cell.keys().next().copied().unwrap_or_default();
        let mut ways = vec![0.0; self.ways.len() + width(cell)];
        for (sum, times) in cell {
            let onto = ways.iter_mut().skip(sum - least);
            onto.zip(&self.ways).for_each(|(way, known)| *way += known * times);
        }
        Self { least: self.least + least, ways }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks of so many cells that take turns, in an order that has nothing to do with them.
    fn cells(cells: usize, values: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
        let all = cells * values;
        let step = (1..).map(|tried| all / 2 + tried).find(|step| divisor(*step, all) == 1).unwrap_or(1);
        let of_cell = |cell: usize| {
            let places = (cell..all).step_by(cells);
            places.map(|place| (2 * (place + 1), 2 * (place * step % all + 1))).unzip()
        };
        (0..cells).map(of_cell).collect()
    }

    fn divisor(one: usize, other: usize) -> usize {
        if other == 0 { one } else { divisor(other, one % other) }
    }

    #[test]
    fn few_orders_are_counted_out_and_many_are_not() {
        for (number, values) in [(1, 9), (2, 7), (3, 7), (30, 2), (12, 3)] {
            assert!(p_value(&cells(number, values)).is_some_and(|p| p > 0.0 && p <= 1.0), "{number} of {values}");
        }
        for (number, values) in [(1, 10), (9, 7), (100, 3), (1000, 7)] {
            assert_eq!(p_value(&cells(number, values)), None, "{number} of {values}");
        }
    }

    #[test]
    fn a_way_that_is_as_far_out_counts() {
        // Of 6 orders of each of two cells, 1 is as low as 1 2 3, and 1 as high.
        let rising = [(vec![2, 4, 6], vec![2, 4, 6]), (vec![8, 10, 12], vec![8, 10, 12])];
        assert!(p_value(&rising).is_some_and(|p| (p - 2.0 / 36.0).abs() < 1e-12));
    }
}
