//! What studies need of what the registry keeps.

use std::collections::HashSet;

use crate::id::RunId;

/// What studies that have not ended need, and retention leaves alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NeededByStudies {
    /// The runs that were made for them.
    pub runs: HashSet<RunId>,
    /// The ids of the uploaded traces that their runs name.
    pub uploads: HashSet<String>,
}
