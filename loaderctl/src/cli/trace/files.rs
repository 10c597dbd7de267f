//! Which trace is read, and where what is made of it goes.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

/// The trace that a command reads.
#[derive(Debug, clap::Args)]
pub(crate) struct InputArguments {
    /// The trace, a directory or a file
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
}

/// How traces are read.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadingArguments {
    /// Format of the trace [detected by the files' headers]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<loader_trace::Format>,
    /// Which day of a trace that has files for several [the only one]
    #[arg(long, value_name = "N")]
    pub(crate) day: Option<u32>,
    /// Which sample of a folder with several, by its size [the only one]
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u32>,
    /// Where the part begins that is read, such as 9h [the trace's beginning]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) from: Option<Duration>,
    /// How much is read from there, such as 30m [up to the end]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// What a column lasts, and what exact times are counted by [minute, or as the format has it]
    #[arg(long, value_name = "UNIT", value_enum, hide_possible_values = true)]
    pub(crate) granularity: Option<Granularity>,
    /// Drop functions without durations or memory [refuse the trace]
    #[arg(long)]
    pub(crate) skip_incomplete: bool,
    /// Run time of functions of which the trace has none [such a trace is refused]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) default_runtime: Option<Duration>,
    /// Memory of functions of which the trace has none, such as 200MiB [such a trace is refused]
    #[arg(long, value_name = "MEMORY", value_parser = loader_proto::json::parse_mib)]
    pub(crate) default_memory: Option<u32>,
    /// Refuse values that could be repaired
    #[arg(long)]
    pub(crate) strict: bool,
}

/// What a column lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Granularity {
    Minute,
    Second,
}

/// Where a command writes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Writing")]
pub(crate) struct OutputArguments {
    /// Directory for the files; created if missing
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,
    /// azure2019-preprocessed (tables of counts) or azure2021 (exact times, calls.csv)
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value = "azure2019-preprocessed",
        hide_possible_values = true
    )]
    pub(crate) write_format: OutputFormat,
    /// How counted invocations lie in their unit where exact times are written: equidistant, exponential[_shift],
    /// uniform[_shift] or poisson
    #[arg(long, value_name = "NAME", default_value = "poisson")]
    pub(crate) arrivals: loader_trace::Arrivals,
}

/// The formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    #[value(name = "azure2019-preprocessed")]
    Azure2019Preprocessed,
    #[value(name = "azure2021")]
    Azure2021,
}

/// A duration such as `9h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = loader_proto::json::parse_duration(text)?;
    Duration::try_from(parsed).map_err(|_| format!("{text} is negative"))
}
