//! The augmented Dickey–Fuller test: whether a series wanders (has a unit root) or keeps to a level. Pure.
//!
//! The regression is of each step on the value before it, a constant and the steps before, as many as minimise Akaike's
//! information criterion; at most ⌈12·(n/100)^¼⌉ (Schwert 1989). p-values are MacKinnon's (1994, "Approximate asymptotic
//! distribution functions for unit-root and cointegration tests", table 3), critical values his of 2010 ("Critical values for
//! cointegration tests", table 2), both for one series and a constant.

/// The result of the test for a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adf {
    /// The statistic: the lower, the surer it is that the series keeps to a level.
    pub statistic: f64,
    /// How likely a wandering series has a statistic as low as that.
    pub p_value: f64,
    /// Steps before that the regression has.
    pub lag: usize,
    /// What the statistic must be below at 5 %.
    pub critical: f64,
}

impl Adf {
    /// Whether the series is stationary at 5 %.
    pub fn is_stationary(&self) -> bool {
        self.p_value <= 0.05 && self.statistic < self.critical
    }
}

/// Tests a series; nothing where it is too short, or always the same.
pub fn adf(series: &[f64]) -> Option<Adf> {
    let n = series.len();
    let first = *series.first()?;
    if series.iter().all(|value| same(*value, first)) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
    let schwert = (12.0 * (n as f64 / 100.0).powf(0.25)).ceil() as usize;
    let most = schwert.min((n / 2).checked_sub(2)?);
    let steps: Vec<f64> = series.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let lag = best_lag(series, &steps, most)?;
    let rows = lag..steps.len();
    // The level comes last, so that its coefficient is the last one of the triangle.
    let mut columns = vec![vec![1.0; rows.len()]];
    columns.extend((1..=lag).map(|back| steps[lag - back..steps.len() - back].to_vec()));
    columns.push(series[lag..steps.len()].to_vec());
    let (count, order) = (rows.len(), columns.len());
    let solved = Triangle::of(columns, steps[rows].to_vec());
    if solved.rank < order || count <= order {
        return None;
    }
    let last = order - 1;
    let deviation = (solved.residuals(order) / (count - order) as f64).sqrt();
    let statistic = solved.projected[last] * solved.diagonal[last].signum() / deviation;
    Some(Adf { statistic, p_value: p_value(statistic), lag, critical: critical(count) })
}

#[expect(clippy::float_cmp, reason = "whether it is the very same value")]
fn same(a: f64, b: f64) -> bool {
    a == b
}

/// The number of steps before with the least information criterion, all compared on the same rows.
fn best_lag(series: &[f64], steps: &[f64], most: usize) -> Option<usize> {
    let rows = most..steps.len();
    let mut columns = vec![vec![1.0; rows.len()], series[most..steps.len()].to_vec()];
    columns.extend((1..=most).map(|back| steps[most - back..steps.len() - back].to_vec()));
    let count = rows.len() as f64;
    let solved = Triangle::of(columns, steps[rows].to_vec());
    let criterion = |lag: usize| {
        let order = lag + 2;
        (order <= solved.rank).then(|| count * (solved.residuals(order) / count).ln() + 2.0 * order as f64)
    };
    let criteria = (0..=most).filter_map(|lag| Some((criterion(lag)?, lag)));
    criteria.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, lag)| lag)
}

/// A least-squares problem, made triangular by reflections (Householder's QR): it answers for its first columns alone, too.
struct Triangle {
    diagonal: Vec<f64>,
    /// The right side in the triangle's directions; what is behind the columns is left over.
    projected: Vec<f64>,
    /// How many of the first columns do not depend on each other.
    rank: usize,
}

/// A column is one that the columns before it make up when no more of it is left than this.
const NOTHING: f64 = 1e-11;

impl Triangle {
    fn of(mut columns: Vec<Vec<f64>>, mut right: Vec<f64>) -> Self {
        let mut diagonal = Vec::new();
        let mut rank = 0;
        for column_index in 0..columns.len().min(right.len()) {
            let (done, rest) = columns.split_at_mut(column_index + 1);
            let Some(column) = done.last_mut() else { break };
            let whole = norm(column);
            let left = norm(&column[column_index..]);
            if left <= NOTHING * whole {
                break;
            }
            // The reflection that leaves nothing of the column below its diagonal.
            let corner = if column[column_index] > 0.0 { -left } else { left };
            let mut mirror = column[column_index..].to_vec();
            mirror[0] -= corner;
            let scale = 2.0 / mirror.iter().map(|value| value * value).sum::<f64>();
            for other in rest.iter_mut().chain(std::iter::once(&mut right)) {
                let other = &mut other[column_index..];
                let along = scale * mirror.iter().zip(other.iter()).map(|(a, b)| a * b).sum::<f64>();
                other.iter_mut().zip(&mirror).for_each(|(value, mirror)| *value -= along * mirror);
            }
            diagonal.push(corner);
            rank += 1;
        }
        Self { diagonal, projected: right, rank }
    }

    /// The sum of squares that the first `order` columns leave.
    fn residuals(&self, order: usize) -> f64 {
        self.projected[order..].iter().map(|value| value * value).sum()
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// MacKinnon's approximation of the distribution: a polynomial inside the normal one, in two pieces.
fn p_value(statistic: f64) -> f64 {
    const HIGHEST: f64 = 2.74;
    const LOWEST: f64 = -18.83;
    const BORDER: f64 = -1.61;
    const BELOW: [f64; 3] = [2.1659, 1.4412, 0.038_269];
    const ABOVE: [f64; 4] = [1.7339, 0.93202, -0.12745, -0.010_368];
    if statistic > HIGHEST {
        return 1.0;
    }
    if statistic < LOWEST {
        return 0.0;
    }
    let at = if statistic <= BORDER { polynomial(&BELOW, statistic) } else { polynomial(&ABOVE, statistic) };
    0.5 * libm::erfc(-at / std::f64::consts::SQRT_2)
}

/// MacKinnon's critical value at 5 % for a regression of `count` rows.
fn critical(count: usize) -> f64 {
    polynomial(&[-2.86154, -2.8903, -4.234, -40.04], 1.0 / count as f64)
}

fn polynomial(coefficients: &[f64], at: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * at + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steady::reference::series;

    #[test]
    fn it_agrees_with_statsmodels() {
        let mut count = 0;
        for line in include_str!("../../tests/data/adfuller.csv").lines().filter(|line| !line.starts_with('#')).skip(1)
        {
            let fields: Vec<_> = line.split(',').collect();
            let [kind, seed, n, statistic, p, lag, critical] = fields[..] else { panic!("{line}") };
            let found = adf(&series(kind, seed.parse().unwrap(), n.parse().unwrap())).unwrap();
            let [statistic, p, critical]: [f64; 3] = [statistic, p, critical].map(|field| field.parse().unwrap());
            assert_eq!(found.lag, lag.parse::<usize>().unwrap(), "{line}");
            assert!((found.statistic / statistic - 1.0).abs() < 1e-6, "{line}: {found:?}");
            assert!((found.p_value - p).abs() < 1e-4, "{line}: {found:?}");
            assert!((found.critical / critical - 1.0).abs() < 1e-9, "{line}: {found:?}");
            count += 1;
        }
        assert!(count >= 200, "{count} series");
    }

    #[test]
    fn what_can_not_be_tested_is_not() {
        for series in [&[][..], &[1.0], &[1.0, 2.0, 3.0], &[7.0; 100]] {
            assert_eq!(adf(series), None);
        }
        // Steps that are all the same leave nothing to estimate.
        let line: Vec<f64> = (0..50).map(f64::from).collect();
        assert!(adf(&line).is_none_or(|found| !found.is_stationary()));
    }
}
