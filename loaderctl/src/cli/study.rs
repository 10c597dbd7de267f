//! The commands on studies and their flags.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    /// Show what a study would do, and every fault of it and of its runs; deploys nothing
    Plan(StudyPlanArguments),
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
