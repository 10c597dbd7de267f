//! Reading traces: which formats there are, and the way from named files to a [`Trace`].
//!
//! ```text
//! Source ──names──▶ Format ──Tables──▶ invocations ──▶ durations, memory ──join──▶ Trace, Report
//! ```
//! Files are read row by row; what stays is the counts and profiles of the functions that are kept. A format that keeps
//! memory per application adds another key to `tables`; one of another shape (a row for each invocation, functions as
//! columns) gets a reader of its own beside it. All end in a [`Trace`].

mod fault;
mod invocations;
mod kind;
mod lines;
mod profiles;
mod report;
mod source;
mod table;
mod tables;

pub use fault::{Fault, Faults, Problem};
pub use kind::{Format, UnknownFormat};
pub use report::{Reason, Report, Tally};
pub use source::{Directory, Source};

use crate::trace::Trace;

/// What to read, and what to let pass.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The format; none: told by the files' names.
    pub format: Option<Format>,
    /// How many units, from the first, are needed; none: all. A function without an invocation in them is left out.
    pub units: Option<usize>,
    /// Leave out functions that the durations or memory file lacks, instead of failing.
    pub skip_incomplete: bool,
}

/// Reads a trace, and says what it left out.
///
/// Of several rows for one function the first stands, as in the usual preparation of the Azure traces
/// (`drop_duplicates`): some of their days repeat rows, and sums would double the load.
///
/// # Errors
/// Everything that is wrong with the files, not only the first fault.
pub fn read(source: &dyn Source, options: &Options) -> Result<(Trace, Report), Faults> {
    let mut reading = Reading { source, faults: Faults::default(), report: Report::default() };
    let trace = match kind::identify(source, options.format) {
        Ok(tables) => tables::read(&mut reading, &tables, options),
        Err(fault) => {
            reading.faults.push(fault);
            None
        }
    };
    match trace {
        Some(trace) if reading.faults.is_empty() => Ok((trace, reading.report)),
        _ => Err(reading.faults),
    }
}

/// What a reader carries from file to file.
struct Reading<'a> {
    source: &'a dyn Source,
    faults: Faults,
    report: Report,
}

#[cfg(test)]
mod tests;
