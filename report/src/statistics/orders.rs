//! In how many orders of the values of cells a rank correlation comes out as it did, or further off.
//!
//! ```text
//! ranks of x and y of a cell ──every order of y──▶ how often each Σxy ──cell by cell──▶ how often each sum of them ──▶ p
//! ```

use std::collections::BTreeMap;

/// Most orders of the values of all cells that are gone through, each cell on its own: those of nine values.
const MOST_ORDERS: f64 = 362_880.0;

/// Most products of a step from the sums of some cells to those of one cell more.
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
    let mut all = Sums { least: 0, ways: vec![1.0] };
    for (x, y) in cells {
        all = all.with(&of_cell(x, y))?;
    }
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

impl Sums {
    /// The sums with one cell more; absent where they are too many.
    fn with(&self, cell: &BTreeMap<usize, f64>) -> Option<Self> {
        let (least, most) = (*cell.keys().next()?, *cell.keys().next_back()?);
        if self.ways.len() * cell.len() > MOST_PRODUCTS {
            return None;
        }
        let mut ways = vec![0.0; self.ways.len() + most - least];
        for (sum, times) in cell {
            let onto = ways.iter_mut().skip(sum - least);
            onto.zip(&self.ways).for_each(|(way, known)| *way += known * times);
        }
        Some(Self { least: self.least + least, ways })
    }
}
