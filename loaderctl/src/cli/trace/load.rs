//! Flags of the commands that make traces of traces.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::files::{InputArguments, OutputArguments, ReadingArguments, duration};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("load").required(true))]
pub(crate) struct SampleArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Numbers of functions; of several, each sample is part of the next larger one
    #[arg(long, value_name = "N,...", value_delimiter = ',', group = "load")]
    pub(crate) functions: Vec<usize>,
    /// As many functions as make this peak rate, in invocations a second
    #[arg(long, value_name = "RATE", group = "load")]
    pub(crate) peak_rate: Option<f64>,
    /// As many functions as make this mean rate, in invocations a second
    #[arg(long, value_name = "RATE", group = "load")]
    pub(crate) mean_rate: Option<f64>,
    /// As many functions as keep so many cores busy, on average
    #[arg(long, value_name = "CORES", group = "load")]
    pub(crate) cores: Option<f64>,
    /// As many functions as take so much memory, on average, such as 20GiB
    #[arg(long, value_name = "MEMORY", value_parser = loader_proto::json::parse_mib, group = "load")]
    pub(crate) memory: Option<u32>,
    /// What matters as much as J: rate, durations, memory, idle-times
    #[arg(long, value_name = "WHAT,...", value_enum, value_delimiter = ',', hide_possible_values = true)]
    pub(crate) preserve: Vec<PreserveName>,
    /// Seed of the random generator
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    /// How long to search, relative to the usual
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) effort: f64,
}

/// What a sample preserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PreserveName {
    Rate,
    Durations,
    Memory,
    IdleTimes,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SliceArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Functions of one of these triggers
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) triggers: Vec<String>,
    /// Functions of one of these apps
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(crate) apps: Vec<String>,
    /// Functions with one of these ids, or @FILE with one in each line
    #[arg(long, value_name = "ID,...|@FILE", value_delimiter = ',')]
    pub(crate) names: Vec<String>,
    /// Functions invoked at least so often a second, on average
    #[arg(long, value_name = "RATE")]
    pub(crate) min_rate: Option<f64>,
    /// Functions invoked at most so often a second, on average
    #[arg(long, value_name = "RATE")]
    pub(crate) max_rate: Option<f64>,
    /// Functions with at least this mean run time
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) min_runtime: Option<Duration>,
    /// Functions with at most this mean run time
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) max_runtime: Option<Duration>,
    /// Of those so many, the ones invoked most
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// Seed of the random generator
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConvertArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Seed of the random generator
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MergeArguments {
    /// The traces, each a directory or a file; all are read alike
    #[arg(value_name = "PATH", required = true, num_args = 2..)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Seed of the random generator
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SplitArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// How many parts; they are written to the folders 1, 2, ...
    #[arg(value_name = "N")]
    pub(crate) parts: usize,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Seed of the random generator
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DiffArguments {
    /// A trace, a directory or a file
    #[arg(value_name = "A")]
    pub(crate) first: PathBuf,
    /// Another, read alike
    #[arg(value_name = "B")]
    pub(crate) second: PathBuf,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Show all functions that differ [the first 10]
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ScaleArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// thumbnails (consecutive units are added up), minute-range (units from --begin on) or smirnov (a constant rate) [the
    /// trace's own time]
    #[arg(long, value_name = "WAY", value_enum, hide_possible_values = true)]
    pub(crate) way: Option<WayName>,
    /// Where a minute range begins, in what is read
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "way")]
    pub(crate) begin: Option<Duration>,
    /// Length of the new trace [that of the trace]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) length: Option<Duration>,
    /// Peak rate to thin to, in invocations a second [as it comes]
    #[arg(long, value_name = "RATE")]
    pub(crate) peak_rate: Option<f64>,
    /// Seed of the random generator
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
}

/// How a trace is brought to a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WayName {
    Thumbnails,
    MinuteRange,
    Smirnov,
}
