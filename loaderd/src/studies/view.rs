//! A study as it is published.

use std::sync::Arc;

use crate::{
    id::RunId,
    store::{StudyFile, SubmittedStudy},
};

/// A study as it is published: each change as a whole.
#[derive(Debug, Clone)]
pub struct StudyView {
    /// The study's identity, its state and its runs, as kept in study.json.
    pub file: Arc<StudyFile>,
    /// The study as it was submitted.
    pub study: Arc<SubmittedStudy>,
    /// What it does at the moment.
    pub stage: Stage,
}

/// What a study does at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    /// The position of the planned run that is under way or comes next.
    pub next: Option<usize>,
    /// The run that was submitted for it.
    pub run: Option<RunId>,
    /// What is waited for; empty when that is only the run.
    pub waiting_for: String,
    /// For what the client is awaited, and about which run.
    pub client: Option<(ClientStage, RunId)>,
}

/// When the client of a study is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientStage {
    /// Before a run.
    BeforeRun,
    /// After a run.
    AfterRun,
}

impl ClientStage {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeforeRun => "beforeRun",
            Self::AfterRun => "afterRun",
        }
    }
}

impl StudyView {
    /// A study that does nothing at the moment.
    pub(super) fn new(file: StudyFile, study: Arc<SubmittedStudy>) -> Self {
        Self { file: Arc::new(file), study, stage: Stage::default() }
    }
}
