//! The commands on traces and their flags. All but those on uploaded traces need no daemon.

mod files;
mod load;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

pub(crate) use files::{Granularity, InputArguments, OutputArguments, OutputFormat, ReadingArguments};
pub(crate) use load::{
    ConvertArguments, DiffArguments, MergeArguments, PreserveName, SampleArguments, ScaleArguments, SliceArguments,
    SplitArguments, WayName,
};

#[derive(Debug, Subcommand)]
pub(crate) enum TraceCommand {
    /// List the traces that were uploaded to the daemon, with what uses each
    List,
    /// Remove uploaded traces; one that a queued or active run names is kept
    Delete(DeleteTracesArguments),
    /// Generate a trace with the published statistics of Azure Functions, or like another (needs no daemon)
    Synth(Box<SynthArguments>),
    /// Print a trace's statistics, or those beside others (needs no daemon); the exit code is 0 whether they agree or not
    Describe(DescribeArguments),
    /// Draw representative samples of fewer functions, and report how representative they are (needs no daemon)
    Sample(Box<SampleArguments>),
    /// Keep a part of a trace: of its time, or of its functions (needs no daemon)
    Slice(Box<SliceArguments>),
    /// Write a trace in another format (needs no daemon)
    Convert(Box<ConvertArguments>),
    /// Make one trace of several (needs no daemon)
    Merge(MergeArguments),
    /// Split a trace into disjoint parts of equal load (needs no daemon)
    Split(Box<SplitArguments>),
    /// Show what differs between two traces (needs no daemon)
    Diff(DiffArguments),
    /// Lower a trace's rate, and change how long it lasts (needs no daemon)
    Scale(Box<ScaleArguments>),
    /// Fit parameters to a trace, from which synth makes others like it (needs no daemon)
    Fit(Box<FitArguments>),
    /// Choose a real function for each function of a trace, by run time and memory (needs no daemon)
    Map(Box<MapArguments>),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeleteTracesArguments {
    /// Ids of traces, or the beginning of one that no other shares
    #[arg(value_name = "TRACE", required = true)]
    pub(crate) traces: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SynthArguments {
    /// Number of functions [with --like: as many as there]
    #[arg(long, value_name = "N", required_unless_present = "like")]
    pub(crate) functions: Option<u32>,
    /// Length in minutes [with --like: as there]
    #[arg(long, value_name = "M", required_unless_present = "like")]
    pub(crate) minutes: Option<u32>,
    /// Mean invocations per second of all functions [with --like: as many for each function as there]
    #[arg(long, value_name = "R", required_unless_present = "like")]
    pub(crate) rate: Option<f64>,
    /// What to follow instead of published statistics: parameters that trace fit wrote, or a trace
    #[arg(long, value_name = "PARAMS|PATH")]
    pub(crate) like: Option<PathBuf>,
    /// What a column lasts: minute or second
    #[arg(long, value_name = "UNIT", value_enum, default_value = "minute", hide_possible_values = true)]
    pub(crate) granularity: Granularity,
    /// Seed of the random generator
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
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
    pub(crate) format: OutputFormat,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FitArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// File for the parameters [standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MapArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Profile of the real functions, as vSwarm's profiler writes it: JSON, gzipped or not
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: PathBuf,
    /// distribution (percentiles of run time and memory) or medians (InVitro's rule, which leaves functions out whose run time
    /// would be more than 40 % off)
    #[arg(long, value_name = "RULE", value_enum, default_value = "distribution", hide_possible_values = true)]
    pub(crate) rule: RuleName,
    /// File for the functions, such as functions.yaml
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Replace a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

/// How a real function is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuleName {
    Distribution,
    Medians,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DescribeArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// What to compare with: azure2019 (published statistics: Shahrad et al., "Serverless in the Wild", USENIX ATC 2020; columns
    /// are taken for minutes), or another trace
    #[arg(long, value_name = "azure2019|PATH")]
    pub(crate) against: Option<PathBuf>,
}
