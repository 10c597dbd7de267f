//! What is wrong with a trace, and where.

use std::fmt;

use thiserror::Error;

use super::problem::Problem;

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

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        let mut faults = Self::default();
        faults.push(fault);
        faults
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
