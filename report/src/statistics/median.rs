//! Medians.

use super::{ALPHA, Interval, ranks::ranks_at};

/// The values in rising order.
pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The median, of two in the middle their mean; absent without values.
pub fn median(values: &[f64]) -> Option<f64> {
    middle(&sorted(values))
}

/// The median of sorted values.
pub(super) fn middle(sorted: &[f64]) -> Option<f64> {
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    Some(if sorted.len() % 2 == 1 { upper } else { f64::midpoint(*sorted.get(half - 1)?, upper) })
}

/// The 95 % interval of the median by order statistics; absent of fewer than 6 values.
pub fn median_interval(values: &[f64]) -> Option<Interval> {
    median_interval_at(values, ALPHA)
}

/// The same, where the interval may miss the median with that chance; the smaller it is, the more values it takes.
pub fn median_interval_at(values: &[f64], alpha: f64) -> Option<Interval> {
    let bounds = ranks_at(0.5, values.len() as u64, alpha);
    let sorted = sorted(values);
    let at = |rank: u64| sorted.get(usize::try_from(rank).ok()?.checked_sub(1)?).copied();
    Some(Interval { low: at(bounds.low?)?, high: at(bounds.high?)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_numbers_of_values() {
        assert_eq!(
            [median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0]), median(&[])],
            [Some(2.0), Some(2.5), None]
        );
    }

    #[test]
    fn an_interval_needs_six_values() {
        let values: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        assert_eq!(median_interval(&values), Some(Interval { low: 2.0, high: 9.0 }));
        assert_eq!(median_interval(&values[..6]), Some(Interval { low: 5.0, high: 10.0 }));
        assert_eq!(median_interval(&values[..5]), None);
    }
}
