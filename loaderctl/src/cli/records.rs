//! The arguments of `records`.

use clap::ValueEnum;

use super::RunArgument;

/// The arguments of `records`.
#[derive(Debug, clap::Args)]
pub(crate) struct RecordsArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    /// Columns to join to each row
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) with: Vec<Joined>,
}

/// What is joined to records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Joined {
    /// The sample of the instance's node that is nearest to the due time; empty where the instance's node is unknown
    Nodes,
}
