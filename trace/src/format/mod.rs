//! Reading traces: which formats there are, and the way from named files to a [`Trace`].
//!
//! ```text
//!                   ┌─Tables───▶ invocations ──▶ profiles ────┐
//! Source ──▶ Format ├─Minutes──▶ huawei2023 ───▶ per_minute ──┴─complete─┐
//!                   └─Events───▶ azure2021, plan ────────────────────────┴──▶ Trace, Report
//! ```
//! Each format is a file that documents what its files contain and implements [`reader::Reader`]; a new one is such a file, its
//! `mod` and its entry in the list below. Formats know neither the list nor each other. Files are read row by row; what
//! stays is the load and the profiles of the functions that are kept.

mod app_memory;
mod azure2019;
mod azure2021;
mod day;
mod fault;
mod huawei2023;
mod invocations;
mod lines;
mod minutes;
mod per_minute;
mod plan;
mod preprocessed;
mod profiles;
mod reader;
mod reading;
mod report;
mod source;
mod table;
mod tables;
mod triplet;

pub use fault::{Fault, Faults, Problem};
pub use report::{Occurrences, Reason, Report};
pub use source::{Directory, Source};

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reader::Reader;
use reading::{Reading, Selection};

use crate::trace::Trace;

/// Defines [`Format`] by its list: a variant for each format, and what reads it.
macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $reader:path,)*) => {
        /// A format in which traces are published or written.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        impl Format {
            /// All of them, in the order in which they are looked for: those with the most distinctive names first.
            pub const ALL: [Self; [$(stringify!($variant)),*].len()] = [$(Self::$variant),*];

            fn reader(self) -> &'static dyn Reader {
                match self {
                    $(Self::$variant => &$reader,)*
                }
            }
        }
    };
}

formats! {
    /// Azure Functions 2019 as published, for one day: invocations per minute and run times per function, memory per app.
    Azure2019 = azure2019::Azure2019,
    /// Azure Functions 2019, preprocessed: as [`Format::Azure2019`], in any number of units, and memory per function.
    Azure2019Preprocessed = preprocessed::Preprocessed,
    /// The seed-era samples of InVitro.
    Triplet = triplet::Triplet,
    /// Huawei's private cloud 2023, for one day: a folder for each quantity, in it a row for each minute.
    Huawei2023 = huawei2023::Huawei2023,
    /// A plan that was written to a file, to be replayed exactly.
    Plan = plan::Plan,
    /// Azure Functions 2021: a row for each invocation. Other traces of single invocations come in it too, once converted.
    Azure2021 = azure2021::Azure2021,
}

impl Format {
    /// As in a run's spec.
    pub fn name(self) -> &'static str {
        self.reader().name()
    }

    /// The format of a trace that has files of these names.
    pub fn detect(names: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.reader().recognises(names))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A name that is none of [`Format::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no trace format is named {0:?}; there are {names}", names = Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat(String);

/// What to read, and what to let pass.
#[derive(Debug, Clone)]
pub struct Options {
    /// The format; `None`: detected by the files' names.
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
    /// All minutes of the only day, with all functions; the format is detected by the files' names.
    fn default() -> Self {
        Self { format: None, day: None, unit: Duration::from_mins(1), units: None, skip_incomplete: false }
    }
}

/// Reads a trace, and reports what it left out.
///
/// Of several rows for one function the first is used, as in the usual preparation of the Azure traces
/// (`drop_duplicates`): some of their days repeat rows, and sums would double the load.
///
/// # Errors
/// Everything that is wrong with the files, not only the first fault.
pub fn read(source: &dyn Source, options: &Options) -> Result<(Trace, Report), Faults> {
    let mut reading = Reading::of(source);
    let trace = read_into(&mut reading, options);
    match trace {
        Some(trace) if reading.faults.is_empty() => Ok((trace, reading.report)),
        _ => Err(reading.faults),
    }
}

fn read_into(reading: &mut Reading<'_>, options: &Options) -> Option<Trace> {
    let &Options { format, day, unit, units, skip_incomplete } = options;
    let names = reading.names()?;
    let Some(format) = format.or_else(|| Format::detect(&names)) else {
        let known = Format::ALL.map(|format| format!("{} ({})", format.name(), format.reader().files()));
        let problem = Problem::UnknownFormat { names, formats: known.join(", ") };
        reading.faults.push(Fault::in_file(&reading.source.location(), problem));
        return None;
    };
    format.reader().read(reading, &names, &Selection { day, unit, units, skip_incomplete })
}

#[cfg(test)]
mod tests;
