//! What came out of a run, with its identity and its end.

use loader_proto::v1;

use super::State;
use crate::{id::RunId, record::Summary};

/// What came out of a run whose load had begun.
#[derive(Debug)]
pub struct RunSummary {
    /// The run.
    pub run_id: RunId,
    /// Its name.
    pub name: String,
    /// Its mode.
    pub mode: String,
    /// Its platform.
    pub platform: String,
    /// The state that it ended in.
    pub state: State,
    /// Why, when it did not succeed.
    pub reason: String,
    /// What came out of its load.
    pub load: Summary,
}

/// Gives a summary the form in which it is shown and kept in summary.json. It is the edge's, which this module must not
/// know.
pub type EncodeSummary = fn(&RunSummary) -> v1::RunSummary;
