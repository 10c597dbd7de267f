//! What can be wrong with a file of a trace, or a field of it.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::length::length;
use crate::sizes::ProfileError;

/// What is wrong with a file or a field of it.
#[derive(Debug, Error)]
pub enum Problem {
    /// The format needs the file.
    #[error("does not exist")]
    FileMissing,
    /// The operating system refused to read it.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file lacks even a header.
    #[error("is empty")]
    FileEmpty,
    /// The files fit no format.
    #[error("holds no known trace: {}; known formats are {formats}", listed(seen, "no files"))]
    UnknownFormat {
        /// The files that exist, each with what it begins with.
        seen: Vec<String>,
        /// The known formats, each with what it is recognised by.
        formats: String,
    },
    /// The requested format has other files.
    #[error("holds no trace of the format {format}: {}", listed(seen, "no files"))]
    OtherFormat {
        /// The requested format, and what it is recognised by.
        format: String,
        /// The files that exist, each with what it begins with.
        seen: Vec<String>,
    },
    /// A file that is told by its header, and of which there is nothing to replay.
    #[error("holds {what}; {advice}")]
    NoRequests {
        /// What the file holds.
        what: &'static str,
        /// What to use instead.
        advice: &'static str,
    },
    /// The file is packed in a way that is not read.
    #[error("is {what}: {advice}")]
    Packed {
        /// What the file is.
        what: &'static str,
        /// How to make it readable.
        advice: &'static str,
    },
    /// The file is not text.
    #[error("is no text: tables are read as CSV")]
    NoText,
    /// There are several samples, and none is selected.
    #[error("holds several samples ({}): {}", samples.join(", "), if *numbered { "add --size N (trace.size)" } else { "name one of its files" })]
    SeveralSamples {
        /// What they are called.
        samples: Vec<String>,
        /// Whether all are called by numbers.
        numbered: bool,
    },
    /// There is no such sample.
    #[error("has no sample of size {size}{}", there(sizes))]
    NoSample {
        /// The requested size.
        size: u32,
        /// Those that exist.
        sizes: Vec<u32>,
    },
    /// There are several days, and none is selected.
    #[error("holds several days ({}): add --day N (trace.day)", joined(days))]
    SeveralDays {
        /// The numbers of the days that exist.
        days: Vec<u32>,
    },
    /// A day is requested that is not there.
    #[error("has no day {day}{}", there(days))]
    NoDay {
        /// The requested day.
        day: u32,
        /// Those that exist.
        days: Vec<u32>,
    },
    /// There are several files, and the format has one.
    #[error("holds several {what} ({}): name the file itself, or put each into a folder of its own", joined(names))]
    SeveralTables {
        /// What they hold, in the plural.
        what: &'static str,
        /// The names of the candidates.
        names: Vec<String>,
    },
    /// The format needs another table beside this one.
    #[error("{what} is not beside it ({columns}){}", otherwise(advice))]
    TableMissing {
        /// What is missing.
        what: &'static str,
        /// How it is recognised.
        columns: &'static str,
        /// How to go without; empty for not at all.
        advice: &'static str,
    },
    /// A number of units that a trace does not have.
    #[error("is {}; must be a whole multiple of a unit, {}", length(*value), length(*unit))]
    NotWhole {
        /// The option.
        option: &'static str,
        /// Its value.
        value: Duration,
        /// What a unit lasts.
        unit: Duration,
    },
    /// The part that is requested begins after the end.
    #[error("is {}; the trace lasts {}", length(*start), length(*has))]
    StartsLate {
        /// The requested start.
        start: Duration,
        /// How long the trace is.
        has: Duration,
    },
    /// More than is read.
    #[error("has more than {most} {what}; take a sample")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// Upper bound.
        most: usize,
    },
    /// A column whose name is a number, though not one that counts can have.
    #[error("is no whole number from 0; columns of counts must be numbered consecutively")]
    ColumnNotWhole,
    /// Columns of counts that are not consecutive.
    #[error("comes after column {before}; columns of counts must be numbered consecutively")]
    ColumnOutOfOrder {
        /// The column before it.
        before: String,
    },
    /// The header lacks a column.
    #[error("is missing")]
    ColumnMissing,
    /// The header names a column twice.
    #[error("appears twice in the header")]
    ColumnTwice,
    /// A line has other columns than the header.
    #[error("the line has {fields} fields, the header {header}")]
    FieldCount {
        /// Fields of the line.
        fields: usize,
        /// Columns of the header.
        header: usize,
    },
    /// The file is not UTF-8 text.
    #[error("is not UTF-8")]
    NotUtf8,
    /// A field that must hold an id is empty.
    #[error("is empty")]
    IdEmpty,
    /// A field that is not a count.
    #[error("{0:?} is not a whole number from 0 to 4294967295")]
    NotACount(String),
    /// A field that is not a date and time.
    #[error("{0:?} is not a date and time such as 2024-11-15 16:57:50")]
    NotATime(String),
    /// A field that is not a number.
    #[error("{0:?} is not a number")]
    NotANumber(String),
    /// A field that is not a number in its bounds.
    #[error("{text:?} is not a number of {unit} from {least} to {most}")]
    NotAnAmount {
        /// The text of the field.
        text: String,
        /// The unit of the number.
        unit: &'static str,
        /// Lower bound, inclusive.
        least: f64,
        /// Upper bound, inclusive.
        most: f64,
    },
    /// A time at which no row begins.
    #[error(
        "{text:?} is no multiple of {row_s} s, which a row lasts: the folder's name says how long that is (requests_minute, \
         requests_second)"
    )]
    NoRowBegins {
        /// The text of the field.
        text: String,
        /// What a row lasts, in seconds.
        row_s: u32,
    },
    /// The percentiles are not a distribution.
    #[error(transparent)]
    Profile(ProfileError),
    /// Functions with invocations, or their apps, have no row.
    #[error(
        "lacks {} that are invoked, {count} in all: {}; --skip-incomplete (trace.skipIncomplete) leaves them out, {}",
        of.subjects(), and_more(examples, *count), of.advice()
    )]
    FunctionsMissing {
        /// What the table has of them.
        of: Missing,
        /// How many lack a row.
        count: u64,
        /// The first few ids.
        examples: Vec<String>,
    },
    /// All functions were left out.
    #[error("{}", nothing_left(*units))]
    NothingLeft {
        /// Units in which a function had to be invoked; 0 when the trace has no invocation.
        units: usize,
    },
    /// The file is not the JSON that the format has.
    #[error("is not readable as JSON: {0}")]
    Json(String),
}

/// What functions can lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Run times.
    Durations,
    /// Memory.
    Memory,
    /// Memory of their apps.
    AppMemory,
}

impl Missing {
    /// What a row of the table is about, in the plural.
    fn subjects(self) -> &'static str {
        match self {
            Self::Durations | Self::Memory => "functions",
            Self::AppMemory => "apps of functions",
        }
    }

    /// How to go without.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Durations => "--default-runtime TIME (trace.defaultRuntime) gives functions a run time",
            Self::Memory | Self::AppMemory => "--default-memory SIZE (trace.defaultMemoryMib) gives functions memory",
        }
    }
}

impl Problem {
    /// The option that it is a matter of: day, size, start or duration.
    pub fn option(&self) -> Option<&'static str> {
        if let Self::NotWhole { option, .. } = self {
            Some(option)
        } else if matches!(self, Self::SeveralDays { .. } | Self::NoDay { .. }) {
            Some("day")
        } else if matches!(self, Self::NoSample { .. } | Self::SeveralSamples { numbered: true, .. }) {
            Some("size")
        } else {
            matches!(self, Self::StartsLate { .. }).then_some("start")
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::FileMissing } else { Self::Unreadable(error) }
    }
}

/// The first names, since an unrelated directory can have very many files.
fn listed(names: &[String], none: &str) -> String {
    const SHOWN: usize = 10;
    match names.len().saturating_sub(SHOWN) {
        0 if names.is_empty() => none.to_owned(),
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

fn nothing_left(units: usize) -> String {
    match units {
        0 => "has no invocation".to_owned(),
        units => format!("no function is left that is invoked in the {units} units that are read"),
    }
}

fn there(numbers: &[u32]) -> String {
    if numbers.is_empty() { String::new() } else { format!("; there are {}", joined(numbers)) }
}

fn otherwise(advice: &str) -> String {
    if advice.is_empty() { String::new() } else { format!(": {advice}") }
}

fn joined(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn and_more(examples: &[String], count: u64) -> String {
    let more = if count > examples.len() as u64 { ", …" } else { "" };
    examples.join(", ") + more
}
