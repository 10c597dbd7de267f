//! Conversions of numbers that never fail: what does not fit becomes the nearest value that does.

use std::time::Duration;

/// `duration` in whole microseconds, rounded down.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// `duration` in nanoseconds.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A count, which is never negative, as `u32`.
pub fn to_u32(count: impl TryInto<u32>) -> u32 {
    count.try_into().unwrap_or(u32::MAX)
}

/// A count, which is never negative, as `i64`.
pub fn to_i64(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// The nearest whole number; 0 for what is below it or not a number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, which is the purpose")]
pub fn rounded(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_becomes_the_nearest_value_that_does() {
        assert_eq!((micros(Duration::from_nanos(1_999)), micros(Duration::MAX)), (1, u64::MAX));
        assert_eq!((nanos(Duration::from_micros(2)), nanos(Duration::MAX)), (2_000, u64::MAX));
        assert_eq!((to_u32(7_usize), to_u32(u64::MAX)), (7, u32::MAX));
        assert_eq!((to_i64(7_u128), to_i64(u64::MAX)), (7, i64::MAX));
        let rounded = [2.4, 2.5, -3.0, f64::NAN, 1e300].map(rounded);
        assert_eq!(rounded, [2, 3, 0, 0, u64::MAX]);
    }
}
