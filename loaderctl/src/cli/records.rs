//! The values of the arguments of `records`.

use clap::ValueEnum;

/// What is joined to records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Joined {
    /// The sample of the instance's node that is nearest to the due time; empty where the instance's node is unknown
    Nodes,
}
