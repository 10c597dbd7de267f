//! Numbers as people read them.

use std::time::Duration;

use prost_types::Timestamp;

/// What stands for a value that is not known.
pub(crate) const UNKNOWN: &str = "–";

/// A value as text, or that it is not known.
pub(crate) fn known<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), text)
}

/// A number that has come to be a fraction, as a whole one.
pub(crate) fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    let whole = number.round() as u64;
    whole
}

/// From one duration in microseconds to another; the unit once where both have it.
pub(crate) fn span(low: u64, high: u64) -> String {
    let (low, high) = (micros(low), micros(high));
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number}–{high}"),
        _ => format!("{low}–{high}"),
    }
}

/// A duration in microseconds, with three digits and the unit that fits.
pub(crate) fn micros(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", digits(us as f64 / 1e3)),
        1_000_000..60_000_000 => format!("{} s", digits(us as f64 / 1e6)),
        _ => duration(Duration::from_micros(us)),
    }
}

/// A duration such as `2m 5s`; below a minute with tenths where there are some.
pub(crate) fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(60) {
        let tenths = (duration.as_secs_f64() * 10.0).round() / 10.0;
        return format!("{tenths}s");
    }
    humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
}

/// A duration of the API; a negative one counts as none.
pub(crate) fn wire_duration(wire: Option<prost_types::Duration>) -> Option<Duration> {
    wire.and_then(|wire| Duration::try_from(wire).ok())
}

/// A rate, in invocations per second.
pub(crate) fn rate(rate: f64) -> String {
    format!("{}/s", digits(rate))
}

/// A share as a percentage.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A part of a whole as a percentage; of nothing, there is none.
pub(crate) fn part(part: u64, whole: u64) -> String {
    known((whole > 0).then_some(whole), |whole| percent(part as f64 / whole as f64))
}

/// A number with three digits, or all digits before the point.
pub(crate) fn digits(number: f64) -> String {
    let decimals = match number.abs() {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

/// An amount of memory in MiB, with its unit; in GiB from 10 GiB on.
pub(crate) fn mib(mib: f64) -> String {
    if mib >= 10_240.0 { format!("{} GiB", digits(mib / 1024.0)) } else { format!("{mib:.0} MiB") }
}

/// An instant, in UTC, to the second; empty when there is none.
pub(crate) fn instant(timestamp: Option<Timestamp>) -> String {
    let Some(Timestamp { seconds, nanos: _ }) = timestamp else { return String::new() };
    jiff::Timestamp::from_second(seconds).map(|at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default()
}

/// The time from one instant to another, both in Unix microseconds; zero where the second is not later.
pub(crate) fn between_micros(from: i64, to: i64) -> String {
    duration(Duration::from_micros(u64::try_from(to.saturating_sub(from)).unwrap_or_default()))
}

/// The time from one instant to another; zero when one is missing.
pub(crate) fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Duration {
    let (Some(from), Some(to)) = (from, to) else { return Duration::ZERO };
    let nanos = |at: Timestamp| i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos);
    u64::try_from(nanos(to) - nanos(from)).map(Duration::from_nanos).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        let rendered: Vec<_> =
            [0, 999, 1_000, 12_345, 123_456, 999_999, 1_500_000, 59_900_000, 125_000_000].map(micros).to_vec();
        assert_eq!(
            rendered,
            ["0 µs", "999 µs", "1.00 ms", "12.3 ms", "123 ms", "1000 ms", "1.50 s", "59.9 s", "2m 5s"]
        );
        assert_eq!([0.0, 9.994, 9.996, 99.96, 1234.5].map(digits), ["0.00", "9.99", "10.0", "100", "1234"]);
        assert_eq!([mib(170.0), mib(20_480.0)], ["170 MiB", "20.0 GiB"]);
        assert_eq!([part(1, 8), part(0, 8), part(0, 0)], ["12.5 %", "0.0 %", "–"]);
        assert_eq!([span(51_800, 52_300), span(980, 1_020), span(7, 7)], ["51.8–52.3 ms", "980 µs–1.02 ms", "7–7 µs"]);
    }

    #[test]
    fn times_are_short() {
        let rendered = [500, 12_000, 60_000, 3_725_400].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(rendered, ["0.5s", "12s", "1m", "1h 2m 5s"]);
        let at = |seconds, nanos| Some(Timestamp { seconds, nanos });
        assert_eq!(instant(at(1_795_359_600, 5)), "2026-11-22 15:00:00Z");
        assert_eq!(between(at(1, 500_000_000), at(3, 0)), Duration::from_millis(1500));
        assert_eq!(between(at(3, 0), at(1, 0)), Duration::ZERO);
    }
}
