//! Reading traces: which formats there are, and the way from named files to a [`Trace`].
//!
//! ```text
//!                   ┌─Tables───▶ invocations ──▶ profiles ────┐
//! Source ──▶ Format ├─Minutes──▶ huawei2023 ───▶ per_minute ──┴─complete─┐
//!                   └─Events───▶ azure2021 ──────────────────────────────┴──▶ Trace, Report
//! ```
//! [`Format`] says what each format's files hold. Files are read row by row; what stays is the load and the profiles of
//! the functions that are kept.

mod app_memory;
mod azure2019;
mod azure2021;
mod day;
mod fault;
mod huawei2023;
mod invocations;
mod kind;
mod lines;
mod minutes;
mod per_minute;
mod plan;
mod profiles;
mod report;
mod source;
mod table;
mod tables;
mod triplet;

pub use fault::{Fault, Faults, Problem};
pub use kind::{Format, UnknownFormat};
pub use report::{Reason, Report, Tally};
pub use source::{Directory, Source};

use std::time::Duration;

use kind::Layout;

use crate::trace::Trace;

/// What to read, and what to let pass.
#[derive(Debug, Clone)]
pub struct Options {
    /// The format; none: told by the files' names.
    pub format: Option<Format>,
    /// Which day of a trace that has files for several, by the number in their names; none: the only one.
    pub day: Option<u32>,
    /// How long a unit is: what a column of counts lasts, and what exact times are cut into.
    pub unit: Duration,
    /// How many units, from the first, are needed; none: all. A function without an invocation in them is left out.
    pub units: Option<usize>,
    /// Leave out functions that the durations or memory file lacks, instead of failing.
    pub skip_incomplete: bool,
}

impl Default for Options {
    /// All minutes of the only day, in the format that the files' names tell, with all its functions.
    fn default() -> Self {
        Self { format: None, day: None, unit: Duration::from_mins(1), units: None, skip_incomplete: false }
    }
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
    let trace = match kind::identify(source, options) {
        Ok(Layout::Tables(tables)) => tables::read(&mut reading, &tables, options),
        Ok(Layout::Minutes(files)) => huawei2023::read(&mut reading, &files, options),
        Ok(Layout::Plan) => plan::read(&mut reading, options),
        Ok(Layout::Events(file)) => azure2021::read(&mut reading, &file, options),
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
