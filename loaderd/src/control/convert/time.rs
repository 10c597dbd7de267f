//! Instants and durations.

use prost_types::{Duration, Timestamp};

/// An instant, from Unix microseconds.
pub(in crate::control) fn timestamp(unix_us: i64) -> Timestamp {
    let nanos = unix_us.rem_euclid(1_000_000) * 1000;
    // The remainder is below a second.
    Timestamp { seconds: unix_us.div_euclid(1_000_000), nanos: i32::try_from(nanos).unwrap_or_default() }
}

/// A duration, limited to the longest that a message can hold.
pub(super) fn span(duration: std::time::Duration) -> Duration {
    Duration::try_from(duration).unwrap_or(Duration { seconds: i64::MAX, nanos: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_exact() {
        assert_eq!(timestamp(1_500_000), Timestamp { seconds: 1, nanos: 500_000_000 });
        assert_eq!(timestamp(-1), Timestamp { seconds: -1, nanos: 999_999_000 });
    }
}
