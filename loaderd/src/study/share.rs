//! Shares in a study: a tolerance, or how narrow an interval is to be.

use crate::spec::Check;

/// A share from 0.1 to 100 %; `default` when absent.
pub(super) fn share(check: &mut Check, field: &str, value: Option<f64>, default: f64) -> Option<f64> {
    let value = value.unwrap_or(default);
    if (0.001..=1.0).contains(&value) {
        return Some(value);
    }
    check.fault(field, format!("is {value}; must be 0.001 to 1, as 0.05 or 5%"));
    None
}
