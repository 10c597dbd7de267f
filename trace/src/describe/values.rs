//! Shares and quantiles of numbers.

/// The share (0 to 1) of `values` that `meet` a condition; none of none.
pub(super) fn share<T>(values: impl IntoIterator<Item = T>, meet: impl Fn(T) -> bool) -> Option<f64> {
    let (mut met, mut all) = (0_u64, 0_u64);
    for value in values {
        met += u64::from(meet(value));
        all += 1;
    }
    (all > 0).then(|| met as f64 / all as f64)
}

/// The value at a share `q` of `values`, linear between two; none of none.
pub(super) fn quantile(mut values: Vec<f64>, q: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = q * values.len().checked_sub(1)? as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
    let below = place as usize;
    let low = values.get(below)?;
    let high = values.get(below + 1).unwrap_or(low);
    Some(low + (high - low) * place.fract())
}

/// The standard deviation of `values`; none of none.
pub(super) fn deviation(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    (!values.is_empty()).then(|| variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_statistics() {
        assert_eq!(share([0; 0], |_| true), None);
        assert_eq!(quantile(vec![], 0.5), None);
        assert_eq!(deviation(&[]), None);
    }

    #[test]
    fn statistics_of_few_numbers() {
        assert_eq!(share([1, 2, 3, 4], |value| value <= 3), Some(0.75));
        assert_eq!(quantile(vec![4.0, 1.0, 3.0, 2.0], 0.5), Some(2.5));
        assert_eq!(quantile(vec![4.0, 1.0], 1.0), Some(4.0));
        assert_eq!(deviation(&[1.0, 3.0]), Some(1.0));
    }
}
