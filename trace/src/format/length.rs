//! Lengths of time as text, for messages.

use std::time::Duration;

const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];

/// Such as `1h 30m` or `250ms`.
pub(super) fn length(time: Duration) -> String {
    let mut left = time.as_secs();
    let mut parts: Vec<String> = Vec::new();
    for (seconds, unit) in UNITS {
        if left >= seconds {
            parts.push(format!("{}{unit}", left / seconds));
            left %= seconds;
        }
    }
    if time.subsec_nanos() > 0 {
        parts.push(format!("{:?}", Duration::from_nanos(time.subsec_nanos().into())));
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_by_their_units() {
        for (time, expected) in [
            (Duration::ZERO, "0s"),
            (Duration::from_secs(60), "1m"),
            (Duration::from_secs(34_200), "9h 30m"),
            (Duration::from_secs(90_061), "1d 1h 1m 1s"),
            (Duration::from_millis(1250), "1s 250ms"),
        ] {
            assert_eq!(length(time), expected);
        }
    }
}
