//! What can be wrong with a trace, and where.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::sizes::ProfileError;

/// One fault, and its location.
#[derive(Debug, Error)]
#[error("{}{problem}", Location { file, line: *line, column: column.as_deref() })]
pub struct Fault {
    /// The file's name in its source; the source's location when no file is at fault.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The name of the column; absent when the whole line or file is at fault.
    pub column: Option<String>,
    /// The problem at that location.
    pub problem: Problem,
}

impl Fault {
    /// A fault of a whole file.
    pub(super) fn in_file(file: &str, problem: Problem) -> Self {
        Self { file: file.to_owned(), line: None, column: None, problem }
    }
}

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
    /// The files' names fit no format.
    #[error("unknown trace format: it has {}; known formats are {formats}", listed(names, "no files"))]
    UnknownFormat {
        /// The files that exist.
        names: Vec<String>,
        /// The known formats, each with the files that it is recognised by.
        formats: String,
    },
    /// There are several samples, and none is selected.
    #[error("holds several samples ({}); put each into a directory of its own", samples.join(", "))]
    SeveralTriplets {
        /// The parts of the files' names before `_inv.csv`.
        samples: Vec<String>,
    },
    /// There are several days, and none is selected.
    #[error("holds several days ({}); name one", joined(days))]
    SeveralDays {
        /// The numbers of the days that exist.
        days: Vec<u32>,
    },
    /// A day is requested of a trace without days.
    #[error("has no days, but day {0} is requested")]
    NoDays(u32),
    /// There are several files, and the format has one.
    #[error("holds several tables ({}); put each into a directory of its own", joined(names))]
    SeveralTables {
        /// The names of the candidates.
        names: Vec<String>,
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
    /// The percentiles are not a distribution.
    #[error(transparent)]
    Profile(ProfileError),
    /// More units are requested than the trace has.
    #[error("has {units} units, {wanted} are requested")]
    TooShort {
        /// Units of the trace.
        units: usize,
        /// Number of requested units.
        wanted: usize,
    },
    /// Functions with invocations, or their apps, have no row.
    #[error("lacks {subjects} that are invoked, {count} in all: {}; skipIncomplete leaves them out", and_more(examples, *count))]
    FunctionsMissing {
        /// What a row of the table is about, in the plural.
        subjects: &'static str,
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
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::FileMissing } else { Self::Unreadable(error) }
    }
}

/// Everything that is wrong with a trace: the first [`Faults::SHOWN`] in full, and how many there are.
#[derive(Debug, Default, Error)]
pub struct Faults {
    /// The first faults, at most [`Faults::SHOWN`].
    pub shown: Vec<Fault>,
    /// Number of faults, shown or not.
    pub total: u64,
}

impl Faults {
    /// How many faults are kept: enough to see a pattern, few enough to read.
    pub const SHOWN: usize = 20;

    pub(super) fn push(&mut self, fault: Fault) {
        self.total += 1;
        if self.shown.len() < Self::SHOWN {
            self.shown.push(fault);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The value; or `None`, with the fault kept.
    pub(super) fn take<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.push(fault)).ok()
    }
}

/// One fault a line.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.shown.iter().enumerate() {
            write!(f, "{}{fault}", if i == 0 { "" } else { "\n" })?;
        }
        match self.total.saturating_sub(self.shown.len() as u64) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

/// `file:line: column name: `, as far as known.
struct Location<'a> {
    file: &'a str,
    line: Option<u64>,
    column: Option<&'a str>,
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        self.column.map_or(Ok(()), |column| write!(f, "column {column}: "))
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
        units => format!("no function is left that is invoked in the first {units} units"),
    }
}

fn joined(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn and_more(examples: &[String], count: u64) -> String {
    let more = if count > examples.len() as u64 { ", …" } else { "" };
    examples.join(", ") + more
}
