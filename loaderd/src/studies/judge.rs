//! What a run of a study is to it, once the run has ended.

use crate::{
    run::RunView,
    store::{Codec, RunDirectory, State},
    study::AttemptEnd,
};

/// What a run that has ended is to its study.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judgement {
    pub(super) end: AttemptEnd,
    /// Why it is no sample; empty of one that is.
    pub(super) reason: String,
    /// The figure that decides on more runs; absent where none is asked for.
    pub(super) figure: Option<f64>,
}

impl Judgement {
    /// A run that is no sample.
    pub(super) fn not(end: AttemptEnd, reason: impl Into<String>) -> Self {
        Self { end, reason: reason.into(), figure: None }
    }
}

/// Judges a run by its state and its summary. Reads a file, so it belongs on a blocking thread.
pub(super) fn judge(view: &RunView, directory: &RunDirectory, codec: &dyn Codec, figure: Option<&str>) -> Judgement {
    let reason = || view.file.reason.clone();
    match view.file.state {
        State::Succeeded => by_summary(directory, codec, figure),
        State::Cancelled => Judgement::not(AttemptEnd::Cancelled, "it was cancelled"),
        State::Interrupted => Judgement::not(AttemptEnd::Interrupted, reason()),
        State::Failed
        | State::Queued
        | State::Deploying
        | State::WarmingUp
        | State::Running
        | State::Draining
        | State::Cleaning => Judgement::not(AttemptEnd::Failed, reason()),
    }
}

fn by_summary(directory: &RunDirectory, codec: &dyn Codec, figure: Option<&str>) -> Judgement {
    let Some(summary) = directory.summary() else {
        return Judgement::not(AttemptEnd::Failed, "it has no summary");
    };
    let reading = codec.read_figures(&summary, figure);
    if let Some(reason) = reading.saturated {
        return Judgement::not(AttemptEnd::Saturated, format!("the loader was saturated: {reason}"));
    }
    if let Some(reason) = reading.not_open_loop {
        return Judgement::not(AttemptEnd::NotOpenLoop, format!("the load was not open-loop: {reason}"));
    }
    if !reading.is_measured {
        return Judgement::not(AttemptEnd::Failed, "nothing was measured");
    }
    Judgement { end: AttemptEnd::Sample, reason: String::new(), figure: reading.figure }
}
