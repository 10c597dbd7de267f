//! Bounds of figures, in their units.

use loader_proto::json::{parse_duration, parse_mib};

use crate::{
    figure::Quantity,
    indicator::{Indicator, Kind},
};

/// How a figure must be to its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Less.
    Less,
    /// Less, or the same.
    AtMost,
    /// Greater.
    Greater,
    /// Greater, or the same.
    AtLeast,
    /// The same.
    Equal,
}

impl Relation {
    /// All of them, with their signs; those that begin another one come after it.
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("==", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
        ("=", Self::Equal),
    ];

    /// Whether it holds between a value and a bound.
    #[expect(clippy::float_cmp, reason = "a count is equal to what is asked for, or is not")]
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::Greater => value > bound,
            Self::AtLeast => value >= bound,
            Self::Equal => value == bound,
        }
    }
}

/// What a figure is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A value in the unit of the figure; of parts of the requested invocations a share.
    Value(f64),
    /// Of parts of the requested invocations: their number.
    Count(f64),
    /// Of comparisons: this much more than in A, as a share.
    Relative(f64),
}

/// Reads the bound of a figure.
pub(super) fn bound(indicator: &Indicator, text: &str) -> Result<Bound, String> {
    if text.starts_with(['+', '-'])
        && let Some(share) = percent(text)
    {
        return Ok(Bound::Relative(share));
    }
    let wrong = |example: &str| format!("{text:?} is no bound of {}: write it as {example}", indicator.name);
    let not_negative = |value: Option<f64>| value.filter(|value| *value >= 0.0).map(Bound::Value);
    match indicator.kind {
        Kind::Part => match (percent(text), number(text)) {
            (Some(share), _) if share >= 0.0 => Ok(Bound::Value(share)),
            (_, Some(count)) if count >= 0.0 => Ok(Bound::Count(count)),
            _ => Err(wrong("1% (of the requested invocations) or 3")),
        },
        Kind::Value(Quantity::Micros) => not_negative(micros(text)).ok_or_else(|| wrong("500ms, 1.5s or 200us")),
        Kind::Value(Quantity::Share) => {
            not_negative(percent(text).or_else(|| number(text))).ok_or_else(|| wrong("5% or 0.05"))
        }
        Kind::Value(Quantity::PerSecond) => {
            not_negative(number(text.strip_suffix("/s").unwrap_or(text))).ok_or_else(|| wrong("100/s"))
        }
        Kind::Value(Quantity::Mib) => not_negative(parse_mib(text).ok().map(f64::from)).ok_or_else(|| wrong("170MiB")),
        Kind::Value(_) => number(text).map(Bound::Value).ok_or_else(|| wrong("1.5")),
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A percentage as a share.
fn percent(text: &str) -> Option<f64> {
    number(text.strip_suffix('%')?.trim_end()).map(|percent| percent / 100.0)
}

/// A duration in microseconds. Unlike those of specs it may have a fraction.
fn micros(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 4] = [("us", 1.0), ("µs", 1.0), ("ms", 1e3), ("s", 1e6)];
    let with_fraction = UNITS.iter().find_map(|(unit, factor)| Some(number(text.strip_suffix(unit)?)? * factor));
    let duration = || parse_duration(text).ok();
    with_fraction.or_else(|| duration().map(|it| it.seconds as f64 * 1e6 + f64::from(it.nanos) / 1e3))
}
