//! Numbers as people read them.

use std::time::Duration;

/// What stands for a value that is not known.
pub(crate) const UNKNOWN: &str = "–";

/// A number with three digits, or all digits before the point.
pub(crate) fn digits(number: f64) -> String {
    let decimals = match number.abs() {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

/// A duration in microseconds, with three digits and the unit that fits.
pub(crate) fn micros(us: f64) -> String {
    match us {
        ..1e3 => format!("{us:.0} µs"),
        ..1e6 => format!("{} ms", digits(us / 1e3)),
        ..60e6 => format!("{} s", digits(us / 1e6)),
        _ => seconds(us / 1e6),
    }
}

/// A duration in nanoseconds, with three digits and the unit that fits.
pub(crate) fn nanos(ns: f64) -> String {
    match ns {
        ..1e3 => format!("{ns:.0} ns"),
        ..1e5 => format!("{} µs", digits(ns / 1e3)),
        _ => micros((ns / 1e3).round()),
    }
}

/// The offset of a clock, in nanoseconds.
pub(crate) fn offset(ns: f64) -> String {
    let sign = if ns < 0.0 { "−" } else { "+" };
    format!("{sign}{}", nanos(ns.abs()))
}

/// A number of seconds as minutes and hours.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{} s", (seconds * 10.0).round() / 10.0);
    }
    let whole = Duration::from_secs(crate::number::whole(seconds)).as_secs();
    let parts = [(whole / 3600, "h"), (whole % 3600 / 60, "min"), (whole % 60, "s")];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}"));
    parts.collect::<Vec<_>>().join(" ")
}

/// A share as a percentage; one that is not zero is never shown as zero, and one below all never as all.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.05 => "< 0.1 %".to_owned(),
        percent if (99.95..100.0).contains(&percent) => "> 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// A slowdown.
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio < 9.995 { format!("{ratio:.3}") } else { digits(ratio) }
}

/// A rate.
pub(crate) fn rate(rate: f64) -> String {
    format!("{}/s", digits(rate))
}

/// An instant, in UTC; empty for none.
pub(crate) fn instant(unix_us: Option<i64>) -> String {
    let at = unix_us.and_then(|us| jiff::Timestamp::from_microsecond(us).ok());
    at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0.0, 999.0, 1_500.0, 2e6, 3_725e6].map(micros),
            ["0 µs", "999 µs", "1.50 ms", "2.00 s", "1 h 2 min 5 s"]
        );
        assert_eq!([0.0, 0.0001, 0.5, 0.9999, 1.0].map(percent), ["0.0 %", "< 0.1 %", "50.0 %", "> 99.9 %", "100.0 %"]);
        assert_eq!(instant(Some(1_795_359_600_000_000)), "2026-11-22 15:00:00 UTC");
    }
}
