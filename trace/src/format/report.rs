//! What a reader left out, and why.

use std::collections::BTreeMap;
use std::fmt;

/// Why a row or function was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The function is not invoked in the units that are needed.
    NoInvocations,
    /// The invocations file has an earlier row for the function, which is used.
    DuplicateFunction,
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

/// The rows or functions that were left out for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// Number of rows or functions that were left out.
    pub count: u64,
    /// The ids of the first [`Occurrences::EXAMPLES`].
    pub examples: Vec<String>,
}

impl Occurrences {
    /// Maximum number of ids kept.
    pub const EXAMPLES: usize = 5;

    pub(super) fn add(&mut self, id: &str) {
        self.count += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push(id.to_owned());
        }
    }
}

/// What a reader left out, by reason; reasons that did not occur are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was left out, by reason.
    pub left_out: BTreeMap<Reason, Occurrences>,
}

impl Report {
    /// How many were left out for `reason`.
    pub fn count(&self, reason: Reason) -> u64 {
        self.left_out.get(&reason).map_or(0, |occurrences| occurrences.count)
    }

    pub(super) fn add(&mut self, reason: Reason, id: &str) {
        self.left_out.entry(reason).or_default().add(id);
    }
}
