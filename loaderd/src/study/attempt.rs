//! What was made of the planned runs of a study: each run that was made for one of them, and how it ended.

use serde::{Deserialize, Serialize};

use super::PlannedRun;
use crate::id::RunId;

/// Runs that the daemon's end interrupted, for one planned run, after which it counts as failed: none that ends the daemon each time is
/// made forever.
const MOST_INTERRUPTED: usize = 100;

/// A planned run, and the runs that were made for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyRun {
    /// The number of its cell, from 0.
    pub cell: u32,
    /// Which of its cell's runs it is, from 0.
    pub repeat: u32,
    /// The round in which its turn comes, from 0.
    pub round: u32,
    /// The seed that everything random in it comes from.
    pub seed: u64,
    /// The runs that were made for it, in their order.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
}

/// A run that was made for a planned one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The run. It is written down before the run is submitted.
    pub run_id: RunId,
    /// Whether it is a run from before the study.
    #[serde(default)]
    pub reused: bool,
    /// How it ended; absent while it has not.
    #[serde(default)]
    pub end: Option<AttemptEnd>,
    /// Why it is no sample; empty of one that is.
    #[serde(default)]
    pub reason: String,
    /// The figure that decides whether the cell has enough runs; absent where nothing is decided by one, or the run has none.
    #[serde(default)]
    pub figure: Option<f64>,
}

impl Attempt {
    /// A run that has not ended.
    pub fn new(run_id: RunId) -> Self {
        Self { run_id, reused: false, end: None, reason: String::new(), figure: None }
    }
}

/// How a run of a study ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AttemptEnd {
    /// It is a sample.
    Sample,
    /// It failed, or a hook before it.
    Failed,
    /// The loader was its bottleneck.
    Saturated,
    /// Its load waited for responses.
    NotOpenLoop,
    /// It was cancelled by hand.
    Cancelled,
    /// The daemon ended before it did.
    Interrupted,
    /// It was deleted by hand before the study had ended.
    Deleted,
}

impl AttemptEnd {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Failed => "failed",
            Self::Saturated => "saturated",
            Self::NotOpenLoop => "notOpenLoop",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Deleted => "deleted",
        }
    }
}

/// What a planned run has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A run for it is to be made.
    Open,
    /// A run for it is under way.
    UnderWay,
    /// The last run for it is a sample.
    Sample,
    /// It failed, with all of its retries.
    Failed,
    /// It is no sample, for a reason that another run would not change.
    LeftOut,
}

impl Outcome {
    /// Whether no further run is made for it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Sample | Self::Failed | Self::LeftOut)
    }
}

impl StudyRun {
    /// A planned run for which no run was made.
    pub fn new(planned: PlannedRun, seed: u64) -> Self {
        let PlannedRun { cell, repeat, round } = planned;
        Self { cell, repeat, round, seed, attempts: Vec::new() }
    }

    /// Its place in the plan.
    pub fn planned(&self) -> PlannedRun {
        let Self { cell, repeat, round, .. } = *self;
        PlannedRun { cell, repeat, round }
    }

    /// What it has come to, where a run that failed is tried again `retries` times, and one that the loader spoiled once. What was
    /// interrupted or deleted is made again.
    pub fn outcome(&self, retries: u32) -> Outcome {
        let count = |ends: &[AttemptEnd]| {
            self.attempts.iter().filter(|attempt| attempt.end.is_some_and(|end| ends.contains(&end))).count()
        };
        match self.attempts.last().map(|attempt| attempt.end) {
            None => Outcome::Open,
            Some(None) => Outcome::UnderWay,
            Some(Some(AttemptEnd::Sample)) => Outcome::Sample,
            Some(Some(_)) if count(&[AttemptEnd::Failed]) > retries as usize => Outcome::Failed,
            Some(Some(_)) if count(&[AttemptEnd::Interrupted]) > MOST_INTERRUPTED => Outcome::Failed,
            Some(Some(_)) if count(&[AttemptEnd::Saturated, AttemptEnd::NotOpenLoop]) > 1 => Outcome::LeftOut,
            Some(Some(_)) if count(&[AttemptEnd::Cancelled]) > 0 => Outcome::LeftOut,
            Some(Some(_)) => Outcome::Open,
        }
    }

    /// The run that is its sample.
    pub fn sample(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|attempt| attempt.end == Some(AttemptEnd::Sample))
    }
}
