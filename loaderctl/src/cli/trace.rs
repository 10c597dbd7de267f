//! The commands on traces and their flags. None of them needs a daemon.

mod files;
mod load;

use std::path::PathBuf;

use clap::Subcommand;

pub(crate) use files::{Granularity, InputArguments, OutputArguments, OutputFormat, ReadingArguments};
pub(crate) use load::{
    ConvertArguments, DiffArguments, MergeArguments, PreserveName, SampleArguments, ScaleArguments, SliceArguments,
    SplitArguments, WayName,
};

#[derive(Debug, Subcommand)]
pub(crate) enum TraceCommand {
    /// Generate a trace with the published statistics of Azure Functions (needs no daemon)
    Synth(SynthArguments),
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
}

#[derive(Debug, clap::Args)]
pub(crate) struct SynthArguments {
    /// Number of functions
    #[arg(long, value_name = "N")]
    pub(crate) functions: u32,
    /// Length in minutes
    #[arg(long, value_name = "M")]
    pub(crate) minutes: u32,
    /// Mean invocations per second of all functions
    #[arg(long, value_name = "R")]
    pub(crate) rate: f64,
    /// Seed of the random generator
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Directory for the files; created if missing
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,
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
