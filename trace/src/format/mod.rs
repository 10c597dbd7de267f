//! Reading traces: from any path, in any format, to one model in memory.
//!
//! # Contract
//!
//! [`open`] takes a path, [`read`] anything that has named files ([`Source`]); both give an [`Opened`]: the [`Trace`] in
//! memory, the [`Report`] of what was left out and repaired, and the [`Format`]. [`needed()`] says which files that takes,
//! without reading them.
//!
//! - **Formats are told by the files' headers.** Names say only what no header does: which day, which sample, which quantity
//!   of Huawei's folders; and where no header is known, the name decides whose message is given.
//! - **A path** is a folder (with folders in it), or a file; then the trace is the one that the file belongs to, with what is
//!   beside it. Of several days or samples one is selected by [`Options`].
//! - **Files are stored as they are, or packed**: gzip and zstd are unpacked as they are read, files in zip archives in
//!   place. What else packs or archives is refused with what to do.
//! - **Memory** grows with what is kept: the functions that are invoked in the selected part, a byte or more for each of
//!   their counts, 16 bytes for each invocation of exact formats. Nothing else does, whatever a file holds or unpacks
//!   to: rows are read one at a time, and [`Limits`] hold while reading.
//! - **A part** of a trace begins at `start` and lasts `duration`; what is asked beyond the end is cut, and reported.
//!   The trace that is given begins at 0.
//! - **Faults** are found together, at most [`Faults::SHOWN`] are kept, each with file, line and column. Values of published
//!   traces that can't be what was measured are no faults unless `strict`: see `repair`.
//!
//! ```text
//!                       ┌─Tables──▶ invocations ──▶ profiles ───┐
//! Source ──▶ Files ──▶ Format ─Minutes─▶ huawei2023 ──▶ per_minute ──┴─complete─┐
//!   unpack, zip         └─Calls───▶ azure2021, plan, huawei2025, … ──────────┴──▶ Trace, Report
//! ```
//! Each format is a file that documents what its files contain and implements [`reader::Reader`]; a new one is such a file, its
//! `mod` and its entry in the list below. Formats know neither the list nor each other.

mod alibaba_genai;
mod app_memory;
mod azure2019;
mod azure2021;
mod calls;
mod fault;
mod files;
mod header;
mod huawei2023;
mod huawei2025;
mod iluvatar;
mod invitro_iat;
mod invocations;
mod length;
mod lines;
mod minutes;
mod needed;
mod per_minute;
mod plan;
mod preprocessed;
mod problem;
mod profiles;
mod reader;
mod reading;
mod repair;
mod report;
mod sets;
mod source;
mod strangers;
mod table;
mod tables;
mod tags;
mod triplet;
mod unpack;
mod zip;
mod zstd;

pub use fault::{Fault, Faults};
pub use needed::Needed;
pub use problem::{Missing, Problem};
pub use reading::{Fallback, Limits};
pub use report::{Cut, Occurrences, Reason, Repair, Report};
pub use source::{Bytes, Directory, Source};

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use files::Files;
use header::{Header, told};
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
            /// All of them, in the order in which they are looked for: those that others' files are like first.
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
    /// The seed-era samples of InVitro.
    Triplet = triplet::Triplet,
    /// Azure Functions 2019, preprocessed: as [`Format::Azure2019`], in any number of units, and memory per function.
    Azure2019Preprocessed = preprocessed::Preprocessed,
    /// Huawei's private cloud 2023, for one day: a folder for each quantity, in it a row for each minute.
    Huawei2023 = huawei2023::Huawei2023,
    /// A plan that was written to a file, to be replayed exactly.
    Plan = plan::Plan,
    /// Azure Functions 2021: a row for each invocation. Other traces of single invocations come in it too, once converted.
    Azure2021 = azure2021::Azure2021,
    /// Huawei's public cloud 2025: a row for each request of a day.
    Huawei2025 = huawei2025::Huawei2025,
    /// Alibaba's generative AI serving 2026: a row for each request.
    AlibabaGenai = alibaba_genai::AlibabaGenai,
    /// The two tables of Ilúvatar's load generator.
    Iluvatar = iluvatar::Iluvatar,
    /// Plans that InVitro's loader wrote, to be replayed exactly.
    InvitroIat = invitro_iat::InvitroIat,
}

impl Format {
    /// As in a run's spec.
    pub fn name(self) -> &'static str {
        self.reader().name()
    }

    /// The format of the trace in `source`, if it has files of one.
    pub fn detect(source: &dyn Source) -> Option<Self> {
        let files = Files::list(source, Limits::default().bytes).ok()?;
        recognised(&Reading::of(files), None).map(|(format, _)| format)
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
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The format; `None`: detected by the files' headers.
    pub format: Option<Format>,
    /// Which day of a trace that has files for several, by the number in their names; none: the only one.
    pub day: Option<u32>,
    /// Which sample of a folder with several, by the number in their names; none: the only one.
    pub size: Option<u32>,
    /// How long a unit is: what a column of counts lasts, and what exact times are cut into; none: as the format has it,
    /// which for most is a minute.
    pub unit: Option<Duration>,
    /// Where in the trace the part begins that is read; of counts a whole number of units.
    pub start: Duration,
    /// How long that part is, a whole number of units; none: up to the end. A function without an invocation in it is left
    /// out.
    pub duration: Option<Duration>,
    /// Leave out functions that the durations or memory file lacks, instead of failing.
    pub skip_incomplete: bool,
    /// Read a trace without a table of durations, or of memory, whose functions then have no profile, instead of failing.
    pub without_tables: bool,
    /// Fail at values that could be repaired.
    pub strict: bool,
    /// What functions without durations or memory get.
    pub fallback: Fallback,
    /// What is read at most.
    pub limits: Limits,
}

/// A trace that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The trace.
    pub trace: Trace,
    /// What was left out, and what was repaired.
    pub report: Report,
    /// The format that it was read in.
    pub format: Format,
    /// Whether memory was known per app, and was shared out evenly among its functions.
    pub app_memory: bool,
}

impl Opened {
    /// The trace, and what was left out and repaired.
    pub fn into_parts(self) -> (Trace, Report) {
        (self.trace, self.report)
    }
}

/// Reads the trace at a path: a folder, or a file.
///
/// # Errors
/// As [`read`].
pub fn open(path: &Path, options: &Options) -> Result<Opened, Faults> {
    read(&Directory(path.to_owned()), options)
}

/// Reads a trace, and reports what it left out.
///
/// Of several rows for one function the first is used, as in the usual preparation of the Azure traces
/// (`drop_duplicates`): some of their days repeat rows, and sums would double the load.
///
/// # Errors
/// Everything that is wrong with the files, not only the first fault.
pub fn read(source: &dyn Source, options: &Options) -> Result<Opened, Faults> {
    let mut reading = listed(source, options)?;
    let read = found(&mut reading, options.format).and_then(|(format, mains)| {
        let trace = format.reader().read(&mut reading, &mains, &options.selection())?;
        Some((format, trace))
    });
    match read {
        Some((format, trace)) if reading.faults.is_empty() => {
            let Reading { report, app_memory, .. } = reading;
            Ok(Opened { trace, report, format, app_memory })
        }
        _ => Err(reading.faults),
    }
}

/// The files that reading a trace takes, without reading more of them than their headers: those of the selected day and
/// sample.
///
/// # Errors
/// When the trace can't be told or selected.
pub fn needed(source: &dyn Source, options: &Options) -> Result<Vec<Needed>, Faults> {
    let mut reading = listed(source, options)?;
    let names = found(&mut reading, options.format)
        .and_then(|(format, mains)| format.reader().needs(&mut reading, &mains, &options.selection()));
    match names {
        Some(names) if reading.faults.is_empty() => Ok(needed::stored(&reading.files, names)),
        _ => Err(reading.faults),
    }
}

/// What a file of a trace holds, taken out of its archive and unpacked as it is read: for a [`Needed`] that is to be stored
/// without its archive.
///
/// # Errors
/// When there is none, or it can't be read.
pub fn extract<'a>(source: &'a dyn Source, name: &str) -> io::Result<Box<dyn Read + 'a>> {
    let failed = |problem: Problem| io::Error::other(problem.to_string());
    let files = Files::list(source, Limits::default().bytes).map_err(failed)?;
    let file: Box<dyn Read> = files.open(name).map_err(failed)?;
    Ok(file)
}

fn listed<'a>(source: &'a dyn Source, options: &Options) -> Result<Reading<'a>, Faults> {
    let files = Files::list(source, options.limits.bytes);
    files.map(Reading::of).map_err(|problem| Fault::in_file(&source.location(), problem).into())
}

/// The format and the files that it is read from first; none and a fault when no format has them.
fn found(reading: &mut Reading<'_>, format: Option<Format>) -> Option<(Format, Vec<String>)> {
    if let Some(found) = recognised(reading, format) {
        return Some(found);
    }
    for (name, error) in reading.files.take_unreadable() {
        reading.faults.push(Fault::in_file(&name, error.into()));
    }
    if reading.faults.is_empty() {
        let fault = unknown(reading, format);
        reading.faults.push(fault);
    }
    None
}

fn recognised(reading: &Reading<'_>, format: Option<Format>) -> Option<(Format, Vec<String>)> {
    let files = &reading.files;
    let read = |name: &str| (name.to_owned(), files.tags(name), Header::of(files, name));
    let seen: Vec<_> = files.named().map(read).collect();
    let named = |is: &dyn Fn(&tags::Tags, &Result<Header, Problem>) -> bool| -> Option<Vec<String>> {
        let names = seen.iter().filter(|(_, tags, header)| is(tags, header)).map(|(name, ..)| name.clone());
        Some(names.collect()).filter(|names: &Vec<String>| !names.is_empty())
    };
    let formats = || Format::ALL.into_iter().filter(|known| format.is_none_or(|format| format == *known));
    let by_header = formats().find_map(|known| {
        let reader = known.reader();
        let is = |tags: &tags::Tags, header: &Header| match format {
            Some(_) => reader.accepts(tags, header),
            None => reader.recognises(tags, header),
        };
        named(&|tags, header| header.as_ref().is_ok_and(|header| is(tags, header))).map(|names| (known, names))
    });
    let by_name =
        || formats().find_map(|known| named(&|tags, _| known.reader().usual_name(tags)).map(|names| (known, names)));
    // A file that was named, and whose format was, is to be read as that.
    let by_word = || format.filter(|_| files.is_focused()).zip(named(&|_, header| header.is_ok()));
    by_header.or_else(by_name).or_else(by_word)
}

/// What to say of files that are of no format.
fn unknown(reading: &Reading<'_>, format: Option<Format>) -> Fault {
    let files = &reading.files;
    let mut seen = Vec::new();
    for name in files.named() {
        let header = Header::of(files, name);
        match header {
            Err(problem @ (Problem::Packed { .. } | Problem::Unreadable(_))) => return Fault::in_file(name, problem),
            Ok(header) => {
                if let Some(problem) = strangers::problem(&files.tags(name), &header) {
                    return Fault::in_file(name, problem);
                }
                seen.push(format!("{name} ({})", header.summary()));
            }
            Err(_) => seen.push(format!("{name} ({})", told(&header))),
        }
    }
    let problem = match format.map(Format::reader) {
        Some(reader) => {
            let format = format!("{}, which has {}", reader.name(), reader.files());
            Problem::OtherFormat { format, seen }
        }
        None => {
            let known = Format::ALL.map(|format| format!("{} ({})", format.name(), format.reader().files()));
            Problem::UnknownFormat { seen, formats: known.join("; ") }
        }
    };
    Fault::in_file(&files.location(), problem)
}

impl Options {
    fn selection(&self) -> Selection {
        let &Self {
            format: _,
            day,
            size,
            unit,
            start,
            duration,
            skip_incomplete,
            without_tables,
            strict,
            fallback,
            limits,
        } = self;
        Selection { day, size, unit, start, duration, skip_incomplete, without_tables, strict, fallback, limits }
    }
}

#[cfg(test)]
mod tests;
