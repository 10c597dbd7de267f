//! The results of a study on the disk: cells.csv and compare.csv, after each round and at the end.

use loader_report::{
    indicator::Figures,
    study::{self as report, Results},
};

use super::driver::{Driver, Halt};
use crate::{
    id::RunId,
    store::{Store, StudyFile},
    study::{Cell, Outcome, Spared, StudyPlan, StudyRun},
};

impl Driver {
    /// Writes the results of the runs so far. The study goes on where that fails.
    pub(super) async fn write_results(&mut self, plan: &StudyPlan) -> Result<(), Halt> {
        let (file, plan, parts) = (self.file.clone(), plan.clone(), self.parts.clone());
        let written = tokio::task::spawn_blocking(move || {
            let study = so_far(&file, &plan, &parts.runs);
            let (cells, compared) = Results::csv_files(&study, parts.draws);
            parts.studies.save_result(&file.study_id, "cells.csv", cells.as_bytes())?;
            parts.studies.save_result(&file.study_id, "compare.csv", compared.as_bytes())
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                log::error!("study {}: {error}", self.file.study_id);
                Ok(())
            }
            Err(error) if error.is_panic() => {
                log::error!("study {}: its results cannot be computed: {error}", self.file.study_id);
                Ok(())
            }
            // Only when the runtime ends.
            Err(_) => Err(Halt::Shutdown),
        }
    }
}

/// What the results of a study need of it. Reads the summaries of its samples.
fn so_far(file: &StudyFile, plan: &StudyPlan, runs: &Store) -> report::Study {
    let (settings, has_ended) = (&plan.settings, file.state.is_terminal());
    let spared = Spared::of(settings, &file.runs);
    let values = |cell: &Cell| cell.labels(&plan.axes).map(|(_, value)| value.to_owned()).collect();
    let of_run = |run: &StudyRun| {
        let outcome = match run.outcome(settings.retries) {
            Outcome::Sample => report::Outcome::Sample(figures(run, runs)),
            Outcome::Failed | Outcome::LeftOut => report::Outcome::LeftOut(why(run)),
            // It is not made.
            Outcome::Open | Outcome::UnderWay if has_ended || spared.has(run.cell) => return None,
            Outcome::Open | Outcome::UnderWay => report::Outcome::ToCome,
        };
        Some(report::StudyRun {
            id: run.attempts.last().map(|attempt| attempt.run_id.to_string()).unwrap_or_default(),
            cell: run.cell as usize,
            repeat: run.repeat,
            round: run.round,
            outcome,
        })
    };
    report::Study {
        name: file.name.clone(),
        id: file.study_id.to_string(),
        axes: plan.axes.iter().map(|axis| axis.label.clone()).collect(),
        cells: plan.cells.iter().map(values).collect(),
        runs: file.runs.iter().filter_map(of_run).collect(),
        baseline: plan.baseline(),
        figures: settings.figures.clone(),
        is_chosen_afterwards: false,
        margin: settings.margin,
        order: settings.order.as_str().to_owned(),
        seed: settings.seed,
        until: settings.until.as_ref().map(|until| until.rule.clone()),
    }
}

/// The figures of a sample; none of one that was deleted since.
fn figures(run: &StudyRun, runs: &Store) -> Figures {
    let summary = |run: &RunId| serde_json::from_str(&runs.directory(run).summary()?).ok();
    let summary: Option<serde_json::Value> = run.sample().and_then(|sample| summary(&sample.run_id));
    summary.map(|summary| Figures::of_json(&summary)).unwrap_or_default()
}

/// Why a run is no sample.
fn why(run: &StudyRun) -> String {
    let end = run.attempts.last().and_then(|attempt| attempt.end);
    end.map(|end| end.as_str().to_owned()).unwrap_or_default()
}
