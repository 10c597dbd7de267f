//! study.json: a study's identity, its state, its cells, and its runs in their order with what has become of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    clock::UnixMicros,
    id::{RunId, StudyId},
    study::{Cell, StudyPlan, StudyRun},
};

/// Version of study.json that this program writes.
pub(super) const VERSION: u32 = 1;

/// The state of a study, as in study.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyState {
    /// It waits for earlier studies.
    Queued,
    /// Its runs are made, one after the other.
    Running,
    /// It was carried out, and some runs are samples.
    Succeeded,
    /// It could not be carried out.
    Failed,
    /// A user cancelled it.
    Cancelled,
}

impl StudyState {
    /// Whether the state is final.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Its name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// For what the client of a study is awaited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientStages {
    /// Whether it is awaited before each run.
    pub before_run: bool,
    /// Whether it is awaited after each run.
    pub after_run: bool,
}

/// What study.json holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyFile {
    /// Version of this layout.
    pub version: u32,
    /// The id of the study.
    pub study_id: StudyId,
    /// The name of the study, from its file.
    pub name: String,
    /// The state of the study.
    pub state: StudyState,
    /// Why it failed; empty otherwise.
    pub reason: String,
    /// Who submitted it.
    pub owner: String,
    /// When it was submitted, Unix microseconds.
    pub submitted_unix_us: i64,
    /// When its turn came.
    pub started_unix_us: Option<i64>,
    /// When it reached a terminal state.
    pub finished_unix_us: Option<i64>,
    /// When its last run ended.
    #[serde(default)]
    pub last_run_finished_unix_us: Option<i64>,
    /// Whether the executable before the study has been run.
    #[serde(default)]
    pub is_begun: bool,
    /// Whether runs from before the study may stand for its runs.
    #[serde(default)]
    pub reuse: bool,
    /// For what its client is awaited.
    #[serde(default)]
    pub client: ClientStages,
    /// How busy the platform was before the first run: the CPU usage of its nodes, as a share of their capacity.
    #[serde(default)]
    pub idle_cpu: Option<f64>,
    /// The combinations of values, by the fields of the axes.
    pub cells: Vec<BTreeMap<String, String>>,
    /// The runs, in the order in which they are made.
    pub runs: Vec<StudyRun>,
    /// What else is to be known, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl StudyFile {
    /// The file of a study that was just submitted.
    pub fn new(study_id: StudyId, plan: &StudyPlan, submitted: UnixMicros, owner: &str) -> Self {
        let of_cell =
            |cell: &Cell| cell.fields(&plan.axes).map(|(field, value)| (field.to_string(), value.to_owned())).collect();
        Self {
            version: VERSION,
            study_id,
            name: plan.settings.name.clone(),
            state: StudyState::Queued,
            reason: String::new(),
            owner: owner.to_owned(),
            submitted_unix_us: submitted.0,
            started_unix_us: None,
            finished_unix_us: None,
            last_run_finished_unix_us: None,
            is_begun: false,
            reuse: false,
            client: ClientStages::default(),
            idle_cpu: None,
            cells: plan.cells.iter().map(of_cell).collect(),
            runs: plan.unmade(),
            notes: Vec::new(),
        }
    }

    /// The runs that were made for it or stand for its runs.
    pub fn run_ids(&self) -> impl Iterator<Item = &RunId> {
        self.runs.iter().flat_map(|run| &run.attempts).map(|attempt| &attempt.run_id)
    }
}

/// A run's place in its study, as run.json has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyPlace {
    /// The study.
    pub study_id: StudyId,
    /// The number of its cell, from 0.
    pub cell: u32,
    /// Which of its cell's runs it is, from 0.
    pub repeat: u32,
    /// The round in which its turn came, from 0.
    pub round: u32,
    /// Which run for that place it is, from 0.
    pub attempt: u32,
}
