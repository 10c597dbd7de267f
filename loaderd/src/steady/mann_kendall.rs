//! The Mann–Kendall test for a trend, with the correction of Hamed and Rao for autocorrelated values. Pure.
//!
//! S counts the pairs in which the later value is the greater, less those in which it is the smaller. Without a trend S is
//! normal with mean 0. Autocorrelation widens its distribution: Hamed and Rao (1998, "A modified Mann–Kendall trend test for
//! autocorrelated data", J. Hydrology 204) scale the variance by the significant autocorrelations of the ranks of the
//! series without its trend, which is Sen's slope (1968), the median of the slopes of all pairs.

/// What the test says of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// The normal deviate of S: above 0 for a rise.
    pub deviate: f64,
    /// How likely a series without a trend has a deviate as far from 0.
    pub p_value: f64,
    /// Sen's slope, in the series' unit for each step.
    pub slope: f64,
}

impl Trend {
    /// Whether there is a trend at the significance level `alpha`.
    pub fn is_significant(&self, alpha: f64) -> bool {
        self.p_value < alpha
    }
}

/// Fewest values that are tested: below, the normal approximation of S does not hold.
const FEWEST: usize = 10;

/// Most values of which all pairs are compared. A longer series is tested by the means of as many blocks, which keep its trend.
const MOST: usize = 600;

/// The deviate beyond which an autocorrelation counts, at 5 %.
const SIGNIFICANT: f64 = 1.959_963_984_540_054;

/// Tests a series for a trend; nothing where it is too short or always the same.
pub fn trend(series: &[f64]) -> Option<Trend> {
    let block = series.len().div_ceil(MOST).max(1);
    let means: Vec<f64> = series.chunks_exact(block).map(mean).collect();
    let values = if block == 1 { series } else { &means[..] };
    let n = values.len();
    if n < FEWEST || values.iter().all(|value| value.total_cmp(&values[0]).is_eq()) {
        return None;
    }
    let s: f64 = pairs(values).map(|(_, step)| sign(step)).sum();
    let slope = sen_slope(values);
    let flat: Vec<f64> = (1_u32..).zip(values).map(|(at, value)| value - slope * f64::from(at)).collect();
    let variance = variance(values) * correction(&ranks(&flat));
    let deviate = if s == 0.0 { 0.0 } else { (s - s.signum()) / variance.sqrt() };
    let p_value = libm::erfc(deviate.abs() / std::f64::consts::SQRT_2);
    Some(Trend { deviate, p_value, slope: slope / block as f64 })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Of each pair: how far apart, and the later value less the earlier.
fn pairs(values: &[f64]) -> impl Iterator<Item = (usize, f64)> + '_ {
    (0..values.len()).flat_map(move |first| {
        (first + 1..values.len()).map(move |second| (second - first, values[second] - values[first]))
    })
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

/// The median slope of all pairs.
fn sen_slope(values: &[f64]) -> f64 {
    let mut slopes: Vec<f64> = pairs(values).map(|(apart, step)| step / apart as f64).collect();
    let middle = slopes.len() / 2;
    let (below, upper, _) = slopes.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if values.len() * (values.len() - 1) / 2 % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(lower, upper)
}

/// The variance of S where values are independent; ties make it smaller.
fn variance(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let term = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let ties: f64 = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|tied| term(tied.len() as f64)).sum();
    (term(values.len() as f64) - ties) / 18.0
}

/// By how much autocorrelation of the ranks widens the variance of S.
fn correction(ranks: &[f64]) -> f64 {
    let n = ranks.len();
    let middle = mean(ranks);
    let from_middle: Vec<f64> = ranks.iter().map(|rank| rank - middle).collect();
    let whole: f64 = from_middle.iter().map(|value| value * value).sum();
    let bound = SIGNIFICANT / (n as f64).sqrt();
    let weight = |lag: usize| ((n - lag) * (n - lag - 1) * (n - lag).saturating_sub(2)) as f64;
    let significant: f64 = (1..n - 1)
        .map(|lag| (lag, from_middle.iter().zip(&from_middle[lag..]).map(|(a, b)| a * b).sum::<f64>() / whole))
        .filter(|(_, correlation)| correlation.abs() > bound)
        .map(|(lag, correlation)| weight(lag) * correlation)
        .sum();
    let factor = 1.0 + 2.0 * significant / (n as f64 * (n as f64 - 1.0) * (n as f64 - 2.0));
    // Negative correlations could make it vanish; a test may not become surer than by independent values of a tenth.
    factor.max(0.1)
}

/// The place of each value in order, from 1; tied values share the mean of their places.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let shared = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&place| ranks[place] = shared);
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steady::reference::series;

    #[test]
    fn it_agrees_with_pymannkendall() {
        let mut count = 0;
        let expected = include_str!("../../tests/data/mann_kendall.csv");
        for line in expected.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let fields: Vec<_> = line.split(',').collect();
            let [kind, seed, n, deviate, p, slope] = fields[..] else { panic!("{line}") };
            let found = trend(&series(kind, seed.parse().unwrap(), n.parse().unwrap())).unwrap();
            let [deviate, p, slope]: [f64; 3] = [deviate, p, slope].map(|field| field.parse().unwrap());
            assert!((found.slope - slope).abs() < 1e-9 * slope.abs().max(1.0), "{line}: {found:?}");
            assert!((found.deviate - deviate).abs() < 1e-6 * deviate.abs().max(1.0), "{line}: {found:?}");
            assert!((found.p_value - p).abs() < 1e-6, "{line}: {found:?}");
            count += 1;
        }
        assert!(count >= 80, "{count} series");
    }

    #[test]
    fn a_long_series_keeps_its_slope() {
        let line: Vec<f64> = (0..10_000).map(|at: u32| f64::from(at) * 0.25 + f64::from(at % 7)).collect();
        let found = trend(&line).unwrap();
        assert!(found.is_significant(0.05) && found.deviate > 0.0, "{found:?}");
        assert!((found.slope - 0.25).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn what_can_not_be_tested_is_not() {
        for series in [&[][..], &[1.0; 5], &[3.0; 100]] {
            assert_eq!(trend(series), None);
        }
    }
}
