//! The rank-sum test of Mann, Whitney and Wilcoxon: whether values of one group tend to be greater than those of another.
//!
//! Up to 20 values a group p is exact: every way in which the ranks could have fallen to the two groups is counted, with tied values
//! at the mean of their ranks. The normal approximation, which takes over beyond, would call three values against three tied ones
//! significant (p = 0.047), where one way in ten is as extreme.

use statrs::distribution::{ContinuousCDF as _, Normal};

use super::tied::doubled_ranks;

/// Most values of a group for which p is exact.
pub(super) const EXACT: usize = 20;

/// The number of pairs of a value of `x` and one of `y` in which that of `y` is greater, ties as halves.
pub(super) fn pairs(x: &[f64], y: &[f64]) -> f64 {
    let of_pair = |x: f64, y: f64| match x.total_cmp(&y) {
        std::cmp::Ordering::Less => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Greater => 0.0,
    };
    x.iter().flat_map(|x| y.iter().map(move |y| of_pair(*x, *y))).sum()
}

/// The two-sided p of the hypothesis that both groups have the same distribution; absent where a group has no value.
pub fn p_value(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let ranks = doubled_ranks(&[x, y].concat());
    if x.len() <= EXACT && y.len() <= EXACT { Some(exact(&ranks, y.len())) } else { normal(&ranks, x, y) }
}

/// The least p that groups of that many values can have, without ties; absent where a group has no value.
pub fn least_p(x: usize, y: usize) -> Option<f64> {
    let ways = (1..=x.min(y)).fold(1.0, |ways, step| ways * (x.max(y) + step) as f64 / step as f64);
    (x.min(y) > 0).then_some((2.0_f64 / ways).min(1.0))
}

/// In how many ways `count` of the ranks add up to each sum.
pub(super) fn ways(ranks: &[usize], count: usize) -> Vec<f64> {
    let most: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; most + 1]; count + 1];
    ways[0][0] = 1.0;
    for rank in ranks {
        for taken in (1..=count).rev() {
            let (fewer, rest) = ways.split_at_mut(taken);
            for (sum, way) in rest[0].iter_mut().enumerate().skip(*rank) {
                *way += fewer[taken - 1][sum - rank];
            }
        }
    }
    ways.pop().unwrap_or_default()
}

fn exact(ranks: &[usize], count: usize) -> f64 {
    let ways = ways(ranks, count);
    let sum: usize = ranks.iter().rev().take(count).sum();
    let all: f64 = ways.iter().sum();
    let (below, above): (f64, f64) = (ways[..=sum].iter().sum(), ways[sum..].iter().sum());
    (2.0 * below.min(above) / all).min(1.0)
}

/// With σ² = nm/12·[(N+1) − Σ(t³−t)/(N(N−1))], and half a unit for continuity.
fn normal(ranks: &[usize], x: &[f64], y: &[f64]) -> Option<f64> {
    let (n, m) = (x.len() as f64, y.len() as f64);
    let all = n + m;
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let ties: f64 =
        sorted.chunk_by(|one, other| one == other).map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64).sum();
    let deviation = (n * m / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)))).sqrt();
    let distance = ((pairs(x, y) - n * m / 2.0).abs() - 0.5).max(0.0);
    let far = if deviation > 0.0 { distance / deviation } else { 0.0 };
    Some((2.0 * Normal::standard().sf(far)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 7] = [101.0, 103.0, 99.0, 105.0, 102.0, 98.0, 100.0];
    const Y: [f64; 7] = [104.0, 100.5, 107.0, 103.5, 106.0, 101.5, 108.0];

    fn is_near(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 5e-5)
    }

    #[test]
    fn p_is_exact_for_few_values() {
        assert!((pairs(&X, &Y) - 40.0).abs() < 1e-12);
        assert!(is_near(p_value(&X, &Y), 0.0530), "{:?}", p_value(&X, &Y));
        assert_eq!(p_value(&X, &Y), p_value(&Y, &X));
        assert_eq!(p_value(&X, &[]), None);
        assert!(is_near(p_value(&X, &X), 1.0));
    }

    #[test]
    fn the_least_p_is_that_of_groups_that_do_not_overlap() {
        for (count, expected) in [(3, 0.1), (4, 0.0286), (5, 0.0079), (6, 0.0022)] {
            let low: Vec<f64> = (0..count).map(f64::from).collect();
            let high: Vec<f64> = low.iter().map(|value| value + 100.0).collect();
            assert!(is_near(p_value(&low, &high), expected), "{count}");
            assert!(is_near(least_p(low.len(), low.len()), expected), "{count}");
        }
        assert_eq!((least_p(1, 1), least_p(0, 3)), (Some(1.0), None));
    }

    #[test]
    fn tied_values_make_nothing_significant_that_is_not() {
        assert!(is_near(p_value(&[0.0; 3], &[1.0; 3]), 0.1));
        assert!(is_near(p_value(&[2.0; 5], &[2.0; 5]), 1.0));
    }

    #[test]
    fn many_values_take_the_normal_approximation() {
        // SciPy's mannwhitneyu(x, y, method="asymptotic").
        let x: Vec<f64> = (0..30).map(f64::from).collect();
        let y: Vec<f64> = (0..30).map(|value| f64::from(value) + 6.0).collect();
        assert!(is_near(p_value(&x, &y), 0.016_918), "{:?}", p_value(&x, &y));
        assert!(is_near(p_value(&[1.0; 30], &[1.0; 30]), 1.0));
    }
}
