//! Whether one quantity rises or falls with another.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Fewest pairs of which the approximation is good: for fewer, p would have to be counted out.
const FEWEST: usize = 10;

/// Spearman's rank correlation, tied values at the mean of their ranks, and its two-sided p by Student's t with n − 2 degrees of freedom.
/// Absent of fewer than 10 pairs, and where one of the two never changes.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<(f64, f64)> {
    if pairs.len() < FEWEST {
        return None;
    }
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (x, y) = (mean_ranks(&x), mean_ranks(&y));
    let middle = (pairs.len() as f64 + 1.0) / 2.0;
    let sum = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let spread = (sum(&x, &x) * sum(&y, &y)).sqrt();
    if spread <= 0.0 {
        return None;
    }
    let rho = (sum(&x, &y) / spread).clamp(-1.0, 1.0);
    let freedom = pairs.len() as f64 - 2.0;
    let t = rho.abs() * (freedom / (1.0 - rho * rho).max(f64::MIN_POSITIVE)).sqrt();
    Some((rho, (2.0 * StudentsT::new(0.0, 1.0, freedom).ok()?.sf(t)).min(1.0)))
}

/// The rank of each value, from 1.
fn mean_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|one, other| values[*one].total_cmp(&values[*other]).is_eq()) {
        let rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|place| ranks[*place] = rank);
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_correlate_as_scipy_has_it() {
        // scipy.stats.spearmanr of these values.
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
        let y = [2.0, 1.0, 4.0, 3.0, 7.0, 7.0, 5.0, 10.0, 8.0, 9.0];
        let pairs: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
        let (rho, p) = spearman(&pairs).expect("enough pairs");
        assert!((rho - RHO).abs() < 1e-9 && (p - P).abs() < 1e-9, "{rho} {p}");
        let falling: Vec<(f64, f64)> = pairs.iter().map(|(x, y)| (-x, *y)).collect();
        assert!(spearman(&falling).is_some_and(|(mirrored, _)| (mirrored + rho).abs() < 1e-12));
    }

    const RHO: f64 = 0.899_700_204_646_495_5;
    const P: f64 = 0.000_391_673_595_629_484;

    #[test]
    fn a_perfect_order_is_certain_and_what_never_changes_has_none() {
        let rising: Vec<(f64, f64)> = (0..12).map(|at| (f64::from(at), f64::from(at * at))).collect();
        assert!(spearman(&rising).is_some_and(|(rho, p)| (rho - 1.0).abs() < 1e-12 && p < 1e-12));
        let flat: Vec<(f64, f64)> = (0..12).map(|at| (f64::from(at), 1.0)).collect();
        assert_eq!((spearman(&flat), spearman(&rising[..9]), spearman(&[])), (None, None, None));
    }
}
