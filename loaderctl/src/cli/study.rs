//! The commands on studies and their flags.

use std::path::PathBuf;

use clap::Subcommand;

use crate::ending::EXIT_CODES;

#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    /// Show what a study would do, and every fault of it and of its runs; deploys nothing
    Plan(StudyPlanArguments),
    /// Queue a study: all of its runs are planned first, then made one after the other
    #[command(after_help = EXIT_CODES)]
    Run(Box<StudyRunArguments>),
    /// Convert a study of a multi-loader file of InVitro (needs no daemon)
    Import(StudyImportArguments),
    /// List studies, newest first
    List(StudyListArguments),
    /// Show a study: its cells, its runs, and what has become of them
    Get(StudyGetArguments),
    /// Follow a study to its end, then show it
    #[command(after_help = EXIT_CODES)]
    Watch(StudyWatchArguments),
    /// Compare the cells of a study with their baseline, from the runs so far
    Compare(StudyCompareArguments),
    /// Write a report of a study: one HTML file, from the runs so far
    Report(StudyReportArguments),
    /// End a study early, with its run under way; its records are kept
    Cancel(StudyCancelArguments),
    /// Remove studies that have ended; their runs stay
    Delete(StudyDeleteArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyArgument {
    /// The study's id, or latest
    #[arg(value_name = "STUDY")]
    pub(crate) study: String,
}

/// Commands of this machine around each run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ClientHooks {
    /// Command of this machine (sh -c) before each run; the study waits for it
    #[arg(long, value_name = "CMD")]
    pub(crate) before: Option<String>,
    /// Command of this machine (sh -c) after each run; the study waits for it
    #[arg(long, value_name = "CMD")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyRunArguments {
    #[command(flatten)]
    pub(crate) study: StudyFileArguments,
    /// Follow the study to its end, then show it
    #[arg(long)]
    pub(crate) watch: bool,
    /// Wait for the study's end without showing progress, then show it
    #[arg(long, conflicts_with = "watch")]
    pub(crate) wait: bool,
    /// Runs that are there with the same spec, and are samples, stand for runs of the study
    #[arg(long)]
    pub(crate) reuse: bool,
    /// Write the expectations of all runs as JUnit XML, for CI systems; an earlier file is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) hooks: ClientHooks,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyWatchArguments {
    #[command(flatten)]
    pub(crate) study: StudyArgument,
    /// Write the expectations of all runs as JUnit XML, for CI systems; an earlier file is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) hooks: ClientHooks,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyListArguments {
    /// Maximum number of studies to list
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyGetArguments {
    #[command(flatten)]
    pub(crate) study: StudyArgument,
    /// Show all cells and runs [the first 20]
    #[arg(long)]
    pub(crate) all: bool,
}

/// A study of the daemon, or in a directory.
#[derive(Debug, clap::Args)]
pub(crate) struct StudyOrDirectory {
    /// The study's id, or latest, or its directory, which needs no daemon
    #[arg(value_name = "STUDY|DIR")]
    pub(crate) study: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyCompareArguments {
    #[command(flatten)]
    pub(crate) study: StudyOrDirectory,
    /// Also write the comparisons as CSV, as compare.csv in the study's directory; an earlier file is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Also write each figure of each cell as CSV, as cells.csv in the study's directory; an earlier file is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) cells: Option<PathBuf>,
    /// Compare these figures, such as response.p99, in the place of those that the study names: chosen afterwards, which the output says
    #[arg(long, value_name = "FIGURE", value_delimiter = ',')]
    pub(crate) figures: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyReportArguments {
    #[command(flatten)]
    pub(crate) study: StudyOrDirectory,
    /// File for the report; an earlier one is replaced
    #[arg(long, value_name = "FILE", default_value = "study.html")]
    pub(crate) to: PathBuf,
    /// Show it in the browser
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyCancelArguments {
    #[command(flatten)]
    pub(crate) study: StudyArgument,
    /// Wait until the study has ended
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyDeleteArguments {
    /// Ids of studies, or latest
    #[arg(value_name = "STUDY", required = true)]
    pub(crate) studies: Vec<String>,
}

/// A study, as a file describes it.
#[derive(Debug, clap::Args)]
pub(crate) struct StudyFileArguments {
    /// Study file, YAML or JSON
    #[arg(value_name = "STUDY-FILE")]
    pub(crate) file: PathBuf,
    /// The quick form of the study: what the file has under quick replaces the rest
    #[arg(long)]
    pub(crate) quick: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyPlanArguments {
    #[command(flatten)]
    pub(crate) study: StudyFileArguments,
    /// Show all cells and runs [the first 20]
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StudyImportArguments {
    /// The file, as InVitro's multi-loader takes it
    #[arg(value_name = "FILE.json")]
    pub(crate) file: PathBuf,
    /// Name of the study, where the file has several
    #[arg(long, value_name = "NAME")]
    pub(crate) study: Option<String>,
    /// File for the study [standard output]
    #[arg(long, value_name = "STUDY.yaml")]
    pub(crate) to: Option<PathBuf>,
    /// Leave unknown keys of the loader's configuration out, and say so
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Overwrite the file of --to
    #[arg(long, requires = "to")]
    pub(crate) force: bool,
}
