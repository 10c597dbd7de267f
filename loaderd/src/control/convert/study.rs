//! Studies: what they would do, and what has become of them.

use std::collections::BTreeMap;

use loader_proto::v1;
use prost::Message as _;

use super::time::{span, timestamp};
use crate::{
    store::{StudyFile, StudyPlace, StudyState, SubmittedStudy},
    studies::{Stage, StudyView},
    study::{Attempt, Cell, Counts, Outcome, PlannedRun, Settings, StudyPlan, StudyRun, StudyTotals},
    units,
};

/// What a study would do.
pub(in crate::control) fn study_plan(study: &StudyPlan, totals: &StudyTotals) -> v1::StudyPlan {
    let &StudyTotals { load, invocations, open_ended, waits } = totals;
    v1::StudyPlan {
        cells: study.cells.iter().map(|cell| self::cell(study, cell)).collect(),
        runs: study.runs.iter().map(|&run| self::run(study, run)).collect(),
        duration: Some(span(load)),
        invocations,
        open_ended,
        waits,
        bytes: totals.bytes(),
    }
}

fn cell(study: &StudyPlan, cell: &Cell) -> v1::StudyCell {
    let values = cell.fields(&study.axes).map(|(field, value)| (field.to_string(), value.to_owned()));
    v1::StudyCell { values: values.collect(), labels: labels(study, cell) }
}

fn labels(study: &StudyPlan, cell: &Cell) -> BTreeMap<String, String> {
    cell.labels(&study.axes).map(|(axis, value)| (axis.to_owned(), value.to_owned())).collect()
}

fn run(study: &StudyPlan, run: PlannedRun) -> v1::StudyRun {
    let PlannedRun { cell, repeat, round } = run;
    v1::StudyRun { cell, repeat, round, seed: study.seed(run), ..v1::StudyRun::default() }
}

/// The message that a study was submitted as.
pub(super) fn study_message(study: &SubmittedStudy) -> v1::StudySpec {
    // Always decodes: it was encoded when it was submitted.
    v1::StudySpec::decode(study.message.as_slice()).unwrap_or_default()
}

/// A run's place in its study.
pub(super) fn place(place: &StudyPlace) -> v1::StudyPlace {
    let StudyPlace { study_id, cell, repeat, round, attempt } = place;
    v1::StudyPlace { study_id: study_id.to_string(), cell: *cell, repeat: *repeat, round: *round, attempt: *attempt }
}

/// A study with its cells and its runs.
pub(in crate::control) fn study(view: &StudyView, directory: String) -> v1::Study {
    let mut message = bare(view, directory);
    let file = &view.file;
    let has_ended = file.state.is_terminal();
    message.cells = (0..file.cells.len()).filter_map(|number| cell_of(view, number)).collect();
    message.runs = file.runs.iter().map(|run| planned(view, run, has_ended)).collect();
    message
}

/// A study as lists show it and as it is followed: without its cells, its runs, and what is long in its spec.
pub(in crate::control) fn followed(view: &StudyView, directory: String) -> v1::Study {
    let mut message = bare(view, directory);
    if let Some(spec) = &mut message.spec {
        spec.vary.clear();
        spec.exclude.clear();
        spec.base = None;
    }
    message
}

/// A study without its cells and its runs.
fn bare(view: &StudyView, directory: String) -> v1::Study {
    let StudyView { file, study, stage } = view;
    let StudyFile {
        version: _,
        study_id,
        name: _,
        state,
        reason,
        owner,
        submitted_unix_us,
        started_unix_us,
        finished_unix_us,
        last_run_finished_unix_us: _,
        is_begun: _,
        reuse: _,
        client: _,
        idle_cpu: _,
        cells: _,
        runs: _,
        notes,
    } = &**file;
    v1::Study {
        study_id: study_id.to_string(),
        spec: Some(study_message(study)),
        state: v1::StudyState::from(*state).into(),
        reason: reason.clone(),
        submitted: Some(timestamp(*submitted_unix_us)),
        started: started_unix_us.map(timestamp),
        finished: finished_unix_us.map(timestamp),
        owner: owner.clone(),
        directory,
        progress: Some(progress(view, stage)),
        cells: Vec::new(),
        runs: Vec::new(),
        notes: notes.clone(),
    }
}

fn progress(view: &StudyView, stage: &Stage) -> v1::StudyProgress {
    let (file, settings) = (&view.file, settings(view));
    let has_ended = file.state.is_terminal();
    let counts = settings.map(|settings| Counts::of(settings, &file.runs, has_ended)).unwrap_or_default();
    let Counts { runs, samples, reused, failed, left_out, not_made } = counts;
    let Stage { next, run, waiting_for, client } = stage;
    let planned = next.and_then(|next| file.runs.get(next));
    v1::StudyProgress {
        runs,
        samples,
        reused,
        failed,
        left_out,
        not_made,
        run_id: run.as_ref().map(ToString::to_string).unwrap_or_default(),
        next: next.map(units::to_u32),
        waiting_for: waiting_for.clone(),
        client_stage: client.as_ref().map(|(stage, _)| stage.as_str().to_owned()).unwrap_or_default(),
        cell: planned.and_then(|run| cell_of(view, run.cell as usize)),
        repeat: planned.map(|run| run.repeat).unwrap_or_default(),
    }
}

fn settings(view: &StudyView) -> Option<&Settings> {
    view.study.checked.as_ref().ok().map(|plan| &plan.settings)
}

/// A cell by its number; of a study that is not valid any more without labels.
fn cell_of(view: &StudyView, number: usize) -> Option<v1::StudyCell> {
    let values = view.file.cells.get(number)?.clone();
    let plan = view.study.checked.as_ref().ok();
    let labels = plan.and_then(|plan| Some(labels(plan, plan.cells.get(number)?))).unwrap_or_default();
    Some(v1::StudyCell { values, labels })
}

fn planned(view: &StudyView, run: &StudyRun, has_ended: bool) -> v1::StudyRun {
    let StudyRun { cell, repeat, round, seed, attempts } = run;
    let outcome = settings(view).map(|settings| run.outcome(settings.retries));
    let outcome = match outcome {
        Some(Outcome::Sample) => v1::StudyOutcome::Sample,
        Some(Outcome::Failed) => v1::StudyOutcome::Failed,
        Some(Outcome::LeftOut) => v1::StudyOutcome::LeftOut,
        Some(Outcome::Open | Outcome::UnderWay) | None if has_ended => v1::StudyOutcome::NotMade,
        Some(Outcome::Open | Outcome::UnderWay) | None => v1::StudyOutcome::Unspecified,
    };
    v1::StudyRun {
        cell: *cell,
        repeat: *repeat,
        round: *round,
        seed: *seed,
        attempts: attempts.iter().map(attempt).collect(),
        outcome: outcome.into(),
    }
}

fn attempt(attempt: &Attempt) -> v1::StudyAttempt {
    let Attempt { run_id, reused, end, reason, figure: _ } = attempt;
    v1::StudyAttempt {
        run_id: run_id.to_string(),
        reused: *reused,
        end: end.map(|end| end.as_str().to_owned()).unwrap_or_default(),
        reason: reason.clone(),
    }
}

impl From<StudyState> for v1::StudyState {
    fn from(state: StudyState) -> Self {
        match state {
            StudyState::Queued => Self::Queued,
            StudyState::Running => Self::Running,
            StudyState::Succeeded => Self::Succeeded,
            StudyState::Failed => Self::Failed,
            StudyState::Cancelled => Self::Cancelled,
        }
    }
}
