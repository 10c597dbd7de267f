//! A run as it is published.

use std::sync::Arc;

use super::RunProgress;
use crate::{
    record::DisturbanceEvent,
    store::{RunFile, RunSummary, SubmittedSpec},
};

/// A run as it is published: each change as a whole.
#[derive(Debug, Clone)]
pub struct RunView {
    /// The run's identity and state, as kept in run.json.
    pub file: RunFile,
    /// The spec as it was submitted.
    pub spec: Arc<SubmittedSpec>,
    /// How far it has come; absent before it is deployed.
    pub progress: Option<RunProgress>,
    /// What was done to the platform on purpose, in this process.
    pub events: Vec<DisturbanceEvent>,
    /// What its clean-up waits for; empty when it waits for nothing.
    pub waiting_for: String,
    /// The summary; present when its load had started and it ended in this process. That of an earlier process is in
    /// its directory.
    pub summary: Option<Arc<RunSummary>>,
}

impl RunView {
    /// A run without progress.
    pub(crate) fn new(file: RunFile, spec: Arc<SubmittedSpec>) -> Self {
        Self { file, spec, progress: None, events: Vec::new(), waiting_for: String::new(), summary: None }
    }
}
