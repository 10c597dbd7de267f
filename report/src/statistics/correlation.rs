//! Whether one quantity rises or falls with another, within cells.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::{ALPHA, orders, tied::doubled_ranks};

/// A value of each of two quantities, and the cell that they are of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// The number of the cell.
    pub cell: usize,
    /// What the other one may rise with, such as a place in an order.
    pub x: f64,
    /// The other one, without what its cell makes of it.
    pub y: f64,
}

/// Spearman's rank correlation over all cells, tied values at the mean of their ranks, and its two-sided p. Where nothing but the cell
/// decides, the values of a cell could have come in any order: p is the share of these orders that correlate as much, counted out where
/// there are few, else by Student's t with a degree of freedom less for each cell.
///
/// That values of a cell lie around one mean makes a p over all orders of all values too small: half of what it should be with two values
/// of a cell. Absent where even a perfect order could not be significant (5 values of one cell can be, and 4 of each of two), and where one
/// of the two never changes.
pub fn spearman(values: &[Paired]) -> Option<(f64, f64)> {
    let ranks = |of: fn(&Paired) -> f64| doubled_ranks(&values.iter().map(of).collect::<Vec<_>>());
    let (x, y) = (ranks(|it| it.x), ranks(|it| it.y));
    let mut cells: BTreeMap<usize, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (value, (x, y)) in values.iter().zip(x.iter().zip(&y)) {
        let (xs, ys) = cells.entry(value.cell).or_default();
        xs.push(*x);
        ys.push(*y);
    }
    let cells: Vec<_> = cells.into_values().collect();
    let orders: f64 = cells.iter().map(|(x, _)| orders::count(x.len())).product();
    let rho = correlation(&x, &y)?;
    if 2.0 / orders > ALPHA {
        return None;
    }
    let p = orders::p_value(&cells).or_else(|| approximation(rho, values.len(), cells.len()))?;
    Some((rho, p))
}

/// The correlation of doubled ranks; absent where one of the two never changes.
fn correlation(x: &[usize], y: &[usize]) -> Option<f64> {
    let middle = x.len() as f64 + 1.0;
    let products = |one: &[usize], other: &[usize]| {
        one.iter().zip(other).map(|(a, b)| (*a as f64 - middle) * (*b as f64 - middle)).sum::<f64>()
    };
    let spread = (products(x, x) * products(y, y)).sqrt();
    (spread > 0.0).then(|| (products(x, y) / spread).clamp(-1.0, 1.0))
}

/// The p of a correlation of so many values of so many cells by Student's t with n − cells − 1 degrees of freedom.
fn approximation(rho: f64, values: usize, cells: usize) -> Option<f64> {
    let freedom = values.checked_sub(cells + 1).filter(|it| *it > 0)? as f64;
    let t = rho.abs() * (freedom / (1.0 - rho * rho).max(f64::MIN_POSITIVE)).sqrt();
    Some((2.0 * StudentsT::new(0.0, 1.0, freedom).ok()?.sf(t)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of cells that take turns.
    fn in_turns(cells: usize, x: &[f64], y: &[f64]) -> Vec<Paired> {
        x.iter().zip(y).enumerate().map(|(at, (x, y))| Paired { cell: at % cells, x: *x, y: *y }).collect()
    }

    fn places(count: u32) -> Vec<f64> {
        (1..=count).map(f64::from).collect()
    }

    fn is_near(found: Option<(f64, f64)>, rho: f64, p: f64) -> bool {
        found.is_some_and(|found| (found.0 - rho).abs() < 1e-9 && (found.1 - p).abs() < 1e-9)
    }

    #[test]
    fn many_values_take_student_s_t_as_scipy_has_it() {
        // scipy.stats.spearmanr of these values.
        let y = [2.0, 1.0, 4.0, 3.0, 7.0, 7.0, 5.0, 10.0, 8.0, 9.0];
        let pairs = in_turns(1, &places(10), &y);
        assert!(
            is_near(spearman(&pairs), 0.899_700_204_646_495_5, 0.000_391_673_595_629_484),
            "{:?}",
            spearman(&pairs)
        );
        let falling = in_turns(1, &places(10).iter().map(|x| -x).collect::<Vec<_>>(), &y);
        assert!(is_near(spearman(&falling), -0.899_700_204_646_495_5, 0.000_391_673_595_629_484));
    }

    #[test]
    fn few_values_take_all_orders_as_scipy_has_it() {
        // scipy.stats.permutation_test of spearmanr, permutation_type="pairings".
        let y = [2.0, 1.0, 4.0, 3.0, 7.0, 7.0, 5.0];
        let found = spearman(&in_turns(1, &places(7), &y));
        assert!(is_near(found, 0.810_843_716_426_003_2, 0.038_095_238_095_238_1), "{found:?}");
        let falling = [5.0, 4.0, 3.0, 2.0, 1.0];
        assert!(is_near(spearman(&in_turns(1, &places(5), &falling)), -1.0, 1.0 / 60.0));
        assert_eq!(spearman(&in_turns(1, &places(4), &falling)), None, "4! orders: p is 1/12 at the least");
    }

    #[test]
    fn values_of_a_cell_come_in_any_order_and_those_of_several_cells_do_not_mix() {
        // Counted out over itertools.permutations of each cell, on scipy.stats.rankdata. Over all orders p would be 0.0045.
        let y = [-3.0, -2.0, -4.0, -1.0, -6.0, -5.0, 3.0, 2.0, 4.0, 1.0, 6.0, 5.0];
        let found = spearman(&in_turns(6, &places(12), &y));
        assert!(is_near(found, 0.755_244_755_244_755_3, 1.0 / 32.0), "{found:?}");
        let y = [-3.0, -1.0, 0.5, 0.5, 2.0, -2.0, 1.0, 3.0, 4.0, -4.0, 6.0, 5.0];
        let found = spearman(&in_turns(3, &places(12), &y));
        assert!(is_near(found, 0.591_944_865_745_902_5, 0.071_325_231_481_481_48), "{found:?}");
        // Places within rounds, which are tied.
        let (cells, y) =
            ([0, 1, 2, 2, 0, 1, 1, 2, 0, 0, 2, 1], [1.0, 2.0, 3.0, 1.5, 2.5, 3.5, 1.0, 2.0, 2.0, 3.0, 4.0, 4.0]);
        let at = cells.iter().zip(y).zip([0.0, 1.0, 2.0].into_iter().cycle());
        let found = spearman(&at.map(|((cell, y), x)| Paired { cell: *cell, x, y }).collect::<Vec<_>>());
        assert!(is_near(found, 0.613_651_448_591_481, 0.075_231_481_481_481_48), "{found:?}");
    }

    #[test]
    fn no_more_is_found_than_there_is_where_the_order_does_nothing() {
        // Of 400 series without any drift, of 6 cells of two values: at most one in twenty, and a few by chance.
        let (mut random, mut found) = (crate::statistics::Random::new(5), 0);
        for _ in 0..400 {
            let of_cells: Vec<f64> = (0..6).map(|_| random.normal()).collect();
            let y: Vec<f64> = of_cells.iter().copied().chain(of_cells.iter().map(|y| -y)).collect();
            found += usize::from(spearman(&in_turns(6, &places(12), &y)).is_some_and(|(_, p)| p <= ALPHA));
        }
        assert!(found <= 27, "{found} of 400");
    }

    #[test]
    fn so_many_orders_that_they_are_not_counted_out_have_about_the_same_p() {
        // Three cells of seven values are counted out, four are not.
        let drift = |count: u32| -> Vec<f64> { places(count).iter().map(|x| (x * 7.3).sin() + x / 12.0).collect() };
        let of = |cells: usize, values: u32| spearman(&in_turns(cells, &places(values), &drift(values)));
        let (exact, by_t) = (of(3, 21), of(4, 28));
        assert!(exact.is_some_and(|(_, p)| p < 0.05) && by_t.is_some_and(|(_, p)| p < 0.05), "{exact:?} {by_t:?}");
        let approximated = exact.and_then(|(rho, _)| approximation(rho, 21, 3));
        assert!(
            exact.zip(approximated).is_some_and(|((_, p), t)| (p / t - 1.0).abs() < 0.5),
            "{exact:?} {approximated:?}"
        );
    }

    #[test]
    fn a_perfect_order_is_certain_and_what_never_changes_has_none() {
        let squares: Vec<f64> = places(12).iter().map(|x| x * x).collect();
        assert!(spearman(&in_turns(1, &places(12), &squares)).is_some_and(|(rho, p)| rho > 1.0 - 1e-12 && p < 1e-12));
        assert_eq!((spearman(&in_turns(1, &places(12), &[1.0; 12])), spearman(&[])), (None, None));
    }
}
