//! The commands on traces and their flags.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum TraceCommand {
    /// List the traces that were uploaded to the daemon, with what uses each
    List,
    /// Remove uploaded traces; one that a queued or active run names is kept
    Delete(DeleteTracesArguments),
    /// Generate a trace with the published statistics of Azure Functions (needs no daemon)
    Synth(SynthArguments),
    /// Print a trace's statistics beside published ones (needs no daemon); the exit code is 0 whether they agree or not
    Describe(DescribeArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeleteTracesArguments {
    /// Ids of traces, or the beginning of one that no other shares
    #[arg(value_name = "TRACE", required = true)]
    pub(crate) traces: Vec<String>,
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
    /// The trace, a directory or a file; its columns are minutes
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// The published statistics
    #[arg(long, value_name = "REFERENCE", value_enum)]
    pub(crate) against: Reference,
    /// Which day of a trace that has files for several [the only one]
    #[arg(long, value_name = "N")]
    pub(crate) day: Option<u32>,
    /// Which sample of a folder with several, by its size [the only one]
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u32>,
}

/// The published statistics that a trace is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reference {
    /// Azure Functions in 2019 (Shahrad et al., "Serverless in the Wild", USENIX ATC 2020)
    #[value(name = "azure2019")]
    Azure2019,
}
