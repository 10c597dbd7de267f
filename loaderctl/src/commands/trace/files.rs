//! Reading traces as the flags say, and writing them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use loader_trace::write::{CALLS, Output, TABLES, Times, WriteError, calls, tables};
use loader_trace::{Arrivals, Fallback, Opened, Options, Trace, open};

use crate::cli::{Granularity, OutputArguments, OutputFormat, ReadingArguments};
use crate::{Failure, output::note};

/// What to do with functions of which the trace does not have everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Incomplete {
    /// As the flags say.
    AsAsked,
    /// Leave them out, and do without tables that are not there.
    Described,
}

/// Reads a trace, and says on standard error what was left out and repaired.
pub(super) fn read(path: &Path, reading: &ReadingArguments) -> Result<Opened, Failure> {
    read_with(path, reading, Incomplete::AsAsked)
}

/// The same.
pub(super) fn read_with(path: &Path, reading: &ReadingArguments, incomplete: Incomplete) -> Result<Opened, Failure> {
    let is_described = incomplete == Incomplete::Described;
    let options = Options {
        format: reading.format,
        day: reading.day,
        size: reading.size,
        unit: reading.granularity.map(|granularity| match granularity {
            Granularity::Minute => Duration::from_mins(1),
            Granularity::Second => Duration::from_secs(1),
        }),
        start: reading.from.unwrap_or_default(),
        duration: reading.duration,
        skip_incomplete: reading.skip_incomplete || is_described,
        without_tables: is_described,
        strict: reading.strict,
        fallback: Fallback { runtime: reading.default_runtime, memory_mib: reading.default_memory },
        ..Options::default()
    };
    let opened = open(path, &options).map_err(|faults| Failure::Input(faults.to_string()))?;
    for (reason, tally) in &opened.report.left_out {
        note(&format!("left out: {reason} {}", tally.count));
    }
    opened.report.notes().iter().for_each(|text| note(text));
    Ok(opened)
}

/// Where traces are written, and how.
pub(super) struct Writing {
    to: PathBuf,
    force: bool,
    format: OutputFormat,
    times: Times,
}

impl Writing {
    pub(super) fn of(arguments: OutputArguments, seed: u64) -> Self {
        let OutputArguments { to, force, write_format, arrivals } = arguments;
        Self { to, force, format: write_format, times: Times { arrivals, seed } }
    }

    /// With these flags alone; the times of counted invocations are uniform in their unit.
    pub(super) fn to_files(to: PathBuf, force: bool, format: OutputFormat, seed: u64) -> Self {
        Self { to, force, format, times: Times { arrivals: Arrivals::Poisson, seed } }
    }

    /// The directory.
    pub(super) fn to(&self) -> &Path {
        &self.to
    }

    /// Writes traces, each into its folder, and further files with their content.
    pub(super) fn write(&self, traces: &[(PathBuf, Trace)], others: &[(PathBuf, String)]) -> Result<(), Failure> {
        let files: &[&str] = match self.format {
            OutputFormat::Azure2019Preprocessed => &TABLES,
            OutputFormat::Azure2021 => &[CALLS],
        };
        let of_traces = traces.iter().flat_map(|(folder, _)| files.iter().map(move |file| folder.join(file)));
        let names = of_traces.chain(others.iter().map(|(name, _)| name.clone()));
        let output = Output::new(&self.to, names, self.force).map_err(failure)?;
        for (folder, trace) in traces {
            match self.format {
                OutputFormat::Azure2019Preprocessed => tables(trace, &output, folder).map_err(failure)?,
                OutputFormat::Azure2021 => {
                    calls(trace, self.times, &output, folder).map_err(failure)?;
                }
            }
        }
        for (name, content) in others {
            output.text(name, content).map_err(failure)?;
        }
        output.finish().map_err(failure)
    }

    /// Writes one trace into the directory itself, and says so.
    pub(super) fn write_one(&self, trace: Trace) -> Result<(), Failure> {
        let text = extent(&trace);
        self.write(&[(PathBuf::new(), trace)], &[])?;
        note(&format!("{text} are in {}", self.to.display()));
        Ok(())
    }
}

/// Writes a file, whole or not at all.
pub(super) fn write_file(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let Some(name) = path.file_name() else {
        return Err(Failure::Input(format!("{} is no name of a file", path.display())));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let output = Output::new(folder, [name], force).map_err(failure)?;
    output.text(name, text).map_err(failure)?;
    output.finish().map_err(failure)
}

/// How much a trace is, as text.
pub(super) fn extent(trace: &Trace) -> String {
    let length = trace.unit.saturating_mul(u32::try_from(trace.units).unwrap_or(u32::MAX));
    let (functions, invocations) = (trace.functions.len(), trace.invocations());
    let s = if functions == 1 { "" } else { "s" };
    format!("{functions} function{s}, {} and {invocations} invocations", humantime::format_duration(length))
}

/// Why files were not written.
pub(super) fn failure(error: WriteError) -> Failure {
    let doing = error.to_string();
    match error {
        WriteError::Exists { .. } => Failure::Input(format!("{doing}; use --force to replace it")),
        WriteError::NoFolder { .. } => Failure::Input(doing),
        WriteError::Create { source, .. } | WriteError::Write { source, .. } => Failure::System { doing, source },
    }
}
