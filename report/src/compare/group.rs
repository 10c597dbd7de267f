//! Runs that are alike: those that are samples, and those that are left out.

use std::collections::{BTreeMap, BTreeSet};

use loader_proto::v1::{RunState, RunSummary};

use super::asked::asked;
use crate::run::Run;

/// A run that is compared.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its id; empty in a directory that does not say.
    pub id: String,
    /// The name of its spec, or its id.
    pub label: String,
    /// What it asked for, by field; absent where that is not known.
    pub asked: Option<BTreeMap<String, String>>,
    /// Whether its files are not as it left them.
    pub is_changed: bool,
    pub(super) mode: String,
    pub(super) functions: BTreeSet<String>,
    pub(super) summary: RunSummary,
}

/// A run that is no sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub id: String,
    /// The name of its spec, or its id.
    pub label: String,
    /// Why, such as `saturated`.
    pub reason: &'static str,
}

/// A group of runs.
#[derive(Debug, Default)]
pub struct Group {
    /// What it is called: A or B.
    pub name: &'static str,
    /// The runs that are compared.
    pub samples: Vec<Sample>,
    /// The runs that are not.
    pub left_out: Vec<LeftOut>,
    /// The sample's run, as long as there is only one.
    pub(super) only: Option<Run>,
}

impl Group {
    /// A group without runs.
    pub fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Takes a run. Of its rows nothing is kept, unless it stays the only one.
    pub fn add(&mut self, run: Run) {
        let id = id(&run);
        let label = run.label().to_owned();
        match (reason(&run), run.summary()) {
            (None, Some(summary)) => {
                let sample = Sample {
                    id,
                    label,
                    asked: asked(&run),
                    is_changed: run.remarks.iter().any(|remark| remark.is_serious),
                    mode: summary.mode.clone(),
                    functions: summary.functions.iter().map(|it| it.function.clone()).collect(),
                    summary: summary.clone(),
                };
                self.samples.push(sample);
                self.only = (self.samples.len() == 1).then_some(run);
            }
            (reason, _) => self.left_out.push(LeftOut { id, label, reason: reason.unwrap_or(NO_SUMMARY) }),
        }
    }

    /// Takes a run that was not read, as it is no sample.
    pub fn leave_out(&mut self, id: &str, label: &str, reason: &'static str) {
        self.left_out.push(LeftOut { id: id.to_owned(), label: label.to_owned(), reason });
    }

    /// How many runs were left out, by reason.
    pub fn reasons(&self) -> BTreeMap<&'static str, usize> {
        self.left_out.iter().fold(BTreeMap::new(), |mut counts, run| {
            *counts.entry(run.reason).or_default() += 1;
            counts
        })
    }
}

const NO_SUMMARY: &str = "without summary";

fn id(run: &Run) -> String {
    let said = run.documents.run.as_ref().map(|file| file.run_id.as_str());
    said.or(run.summary().map(|summary| summary.run_id.as_str())).unwrap_or_default().to_owned()
}

/// Why a run in this state is no sample; nothing of one that has succeeded.
pub fn unusable(state: RunState) -> Option<&'static str> {
    match state {
        RunState::Succeeded => None,
        RunState::Failed => Some("failed"),
        RunState::Cancelled => Some("cancelled"),
        RunState::Interrupted => Some("interrupted"),
        RunState::Unspecified
        | RunState::Queued
        | RunState::Deploying
        | RunState::WarmingUp
        | RunState::Running
        | RunState::Draining
        | RunState::Cleaning => Some("not ended"),
    }
}

/// Why a run is no sample; nothing of one that is.
fn reason(run: &Run) -> Option<&'static str> {
    let state = unusable(run.state());
    let Some(summary) = run.summary() else { return state.or(Some(NO_SUMMARY)) };
    let saturated = summary.saturated.as_ref().is_some_and(|it| it.saturated).then_some("saturated");
    let waiting = summary.open_loop.as_ref().is_some_and(|it| it.violated).then_some("not open-loop");
    let empty = (summary.requested == 0).then_some("nothing measured");
    state.or(saturated).or(waiting).or(empty)
}
