//! Readers of single fields, for the common part of a spec and for the modes. Each returns the field's value, or nothing and a violation, so that every fault is found in one
//! pass, and a check between two fields is made only where both could be read.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

/// One fault of a spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}{}{description}", if field.is_empty() { "" } else { ": " })]
pub struct Violation {
    /// Path of the field in JSON names, such as `coldstart.coldStarts[2]`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub description: String,
    /// How many faults it stands for without naming them; 0 for a fault of its own.
    unnamed: usize,
}

impl Violation {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into(), unnamed: 0 }
    }

    /// Stands for `count` faults that are not named. It has no field.
    pub fn more(count: usize) -> Self {
        let faults = if count == 1 { "fault" } else { "faults" };
        Self { field: String::new(), description: format!("and {count} more {faults}"), unnamed: count }
    }

    /// How many faults it stands for without naming them; 0 for a fault of its own.
    pub fn unnamed(&self) -> usize {
        self.unnamed
    }
}

/// Longest time that a spec may name: a mean year. Sums of a few such lengths in nanoseconds fit into 64 bits.
pub(crate) const LONGEST: Duration = Duration::from_hours(8766);

/// Most faults that are kept of a spec; further ones are counted.
pub(crate) const MOST_SHOWN: usize = 20;

/// How much alike an unknown name must be to a known one to be suggested, from 0 to 1.
const ALIKE: f64 = 0.7;

/// Collects the violations of a spec: the first [`MOST_SHOWN`], and how many more there are.
#[derive(Debug, Default)]
pub(crate) struct Check {
    violations: Vec<Violation>,
    more: usize,
}

impl Check {
    /// The value, if nothing was found wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Violation>> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(self.shown()),
        }
    }

    fn shown(self) -> Vec<Violation> {
        let Self { mut violations, more } = self;
        if more > 0 {
            violations.push(Violation::more(more));
        }
        violations
    }

    /// Takes what another check found, after what this one did.
    pub(crate) fn append(&mut self, other: Self) {
        self.more += other.more;
        other.violations.into_iter().for_each(|violation| self.add(violation));
    }

    /// Adds a fault of `field`.
    pub(crate) fn fault(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.add(Violation::new(field, description));
    }

    fn add(&mut self, violation: Violation) {
        if self.violations.len() < MOST_SHOWN {
            self.violations.push(violation);
        } else {
            self.more += 1;
        }
    }

    /// A length of time in `range`; `default` when absent.
    pub(crate) fn duration(
        &mut self,
        field: &str,
        value: Option<&prost_types::Duration>,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let Some(value) = value else { return Some(default) };
        let found = Duration::try_from(*value);
        if let Ok(duration) = found
            && range.contains(&duration)
        {
            return Some(duration);
        }
        let found = found.map_or_else(|_| value.to_string(), |duration| time(duration).to_string());
        self.fault(field, format!("is {found}; must be {} to {}", time(*range.start()), time(*range.end())));
        None
    }

    /// A whole number in `range`; `default` when absent.
    pub(crate) fn count(
        &mut self,
        field: &str,
        value: Option<u32>,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = value.unwrap_or(default);
        if range.contains(&value) {
            return Some(value);
        }
        self.fault(field, format!("is {value}; must be {} to {}", range.start(), range.end()));
        None
    }

    /// A number above 0 and up to `most`; `default` when absent.
    pub(crate) fn positive(&mut self, field: &str, value: Option<f64>, default: f64, most: f64) -> Option<f64> {
        let value = value.unwrap_or(default);
        if value > 0.0 && value <= most {
            return Some(value);
        }
        self.fault(field, format!("is {value}; must be above 0 and at most {most}"));
        None
    }

    /// A number from 0 to `most`; `default` when absent.
    pub(crate) fn not_negative(&mut self, field: &str, value: Option<f64>, default: f64, most: f64) -> Option<f64> {
        let value = value.unwrap_or(default);
        if (0.0..=most).contains(&value) {
            return Some(value);
        }
        self.fault(field, format!("is {value}; must be 0 to {most}"));
        None
    }

    /// The one of `known` that has this name.
    pub(crate) fn named<T: Copy>(
        &mut self,
        field: &str,
        name: &str,
        known: &[T],
        name_of: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = known.iter().copied().find(|&candidate| name_of(candidate) == name);
        if found.is_none() {
            let names: Vec<_> = known.iter().copied().map(name_of).collect();
            self.fault(field, unknown(name, &names));
        }
        found
    }
}

/// The description of a name that is none of `known`.
fn unknown(name: &str, known: &[&str]) -> String {
    let alike = |candidate: &str| strsim::jaro_winkler(&name.to_lowercase(), candidate);
    let nearest = known.iter().copied().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    let hint = match nearest {
        Some(nearest) if alike(nearest) >= ALIKE => format!("; did you mean {nearest}?"),
        _ => String::new(),
    };
    format!("{name:?} is not known; known are {}{hint}", known.join(", "))
}

/// A length of time as people write it.
pub(crate) fn time(duration: Duration) -> impl Display {
    humantime::format_duration(duration)
}
