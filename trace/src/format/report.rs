//! What a reader left out or repaired, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::length::length;

/// Why a row or function was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The function is not invoked in the units that are needed.
    NoInvocations,
    /// The invocations file has an earlier row for the function, which is used.
    DuplicateFunction,
    /// The function's durations can't be repaired.
    BadDurations,
    /// The function's memory, or its app's, can't be repaired.
    BadMemory,
    /// A row of a single invocation without its run time.
    NoRuntime,
    /// A row of a single invocation that does not say when it was.
    NoTime,
    /// The durations file lacks the function.
    NoDurations,
    /// The memory file lacks the function, or its app.
    NoMemory,
    /// The durations file has an earlier row for the function, which is used.
    DuplicateDurations,
    /// The memory file has an earlier row for the function or app, which is used.
    DuplicateMemory,
    /// The file has an earlier row for the minute, which is used; counted in each file.
    DuplicateMinute,
    /// A row (or column) of the durations file whose function the invocations file lacks.
    UnmatchedDurations,
    /// A row (or column) of the memory file whose function or app the invocations file lacks.
    UnmatchedMemory,
}

impl Reason {
    /// The name in summaries.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoInvocations => "no_invocations",
            Self::DuplicateFunction => "duplicate_function",
            Self::BadDurations => "bad_durations",
            Self::BadMemory => "bad_memory",
            Self::NoRuntime => "no_runtime",
            Self::NoTime => "no_time",
            Self::NoDurations => "no_durations",
            Self::NoMemory => "no_memory",
            Self::DuplicateDurations => "duplicate_durations",
            Self::DuplicateMemory => "duplicate_memory",
            Self::DuplicateMinute => "duplicate_minute",
            Self::UnmatchedDurations => "unmatched_durations",
            Self::UnmatchedMemory => "unmatched_memory",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was done to a value that could not stand as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repair {
    /// Durations that are negative, too long, or not in order.
    Durations,
    /// Memory that is negative, too much, or not in order.
    Memory,
    /// The function's run time is the default.
    DefaultRuntime,
    /// The function's memory is the default.
    DefaultMemory,
}

impl Repair {
    /// The name in summaries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Durations => "repaired_durations",
            Self::Memory => "repaired_memory",
            Self::DefaultRuntime => "default_runtime",
            Self::DefaultMemory => "default_memory",
        }
    }

    /// What was done, as text for users.
    pub fn note(self) -> &'static str {
        match self {
            Self::Durations => {
                "run times that are negative, too long or out of order were repaired (--strict refuses them)"
            }
            Self::Memory => "memory that is negative, too much or out of order was repaired (--strict refuses it)",
            Self::DefaultRuntime => "run times are the default",
            Self::DefaultMemory => "memory is the default",
        }
    }
}

/// Rows or functions with one thing in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// Number of rows or functions.
    pub count: u64,
    /// The ids of the first [`Occurrences::EXAMPLES`], each once.
    pub examples: Vec<String>,
}

impl Occurrences {
    /// Maximum number of ids kept.
    pub const EXAMPLES: usize = 10;

    pub(super) fn add(&mut self, id: &str) {
        self.count += 1;
        if self.examples.len() < Self::EXAMPLES && !self.examples.iter().any(|example| example == id) {
            self.examples.push(id.to_owned());
        }
    }

    /// The number, and the first ids.
    fn text(&self) -> String {
        let more = if self.count > self.examples.len() as u64 { ", …" } else { "" };
        format!("{} ({}{more})", self.count, self.examples.join(", "))
    }
}

/// A duration that reached past the trace's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// What was requested.
    pub wanted: Duration,
    /// What the trace has from its start on.
    pub left: Duration,
}

/// What a reader left out and repaired; what did not occur is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was left out, by reason.
    pub left_out: BTreeMap<Reason, Occurrences>,
    /// What was repaired or filled in.
    pub repaired: BTreeMap<Repair, Occurrences>,
    /// How much less than requested the trace has.
    pub cut: Option<Cut>,
}

impl Report {
    /// How many were left out for `reason`.
    pub fn count(&self, reason: Reason) -> u64 {
        self.left_out.get(&reason).map_or(0, |occurrences| occurrences.count)
    }

    /// What a user should know, a sentence each: a duration that was cut, values that were repaired, functions that were left
    /// out because theirs could not be.
    pub fn notes(&self) -> Vec<String> {
        let cut = self.cut.map(|Cut { wanted, left }| {
            format!(
                "duration is {}; the trace has {} from its start on, which are replayed",
                length(wanted),
                length(left)
            )
        });
        let repaired = self.repaired.iter().map(|(repair, them)| format!("{}: {}", repair.note(), them.text()));
        let bad = [
            (Reason::NoTime, "invocations without a time were left out"),
            (Reason::BadDurations, "functions whose run times can't be repaired were left out"),
            (Reason::BadMemory, "functions whose memory can't be repaired were left out"),
            (Reason::NoRuntime, "invocations without a run time were left out"),
        ];
        let bad = bad
            .into_iter()
            .filter_map(|(reason, note)| self.left_out.get(&reason).map(|them| format!("{note}: {}", them.text())));
        cut.into_iter().chain(repaired).chain(bad).collect()
    }

    pub(super) fn add(&mut self, reason: Reason, id: &str) {
        self.left_out.entry(reason).or_default().add(id);
    }

    pub(super) fn repair(&mut self, repair: Repair, id: &str) {
        self.repaired.entry(repair).or_default().add(id);
    }
}
