//! Studies: what they would do.

use loader_proto::v1;

use super::time::span;
use crate::study::{Cell, PlannedRun, StudyPlan, StudyTotals};

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
    v1::StudyCell { values: values.collect() }
}

fn run(study: &StudyPlan, run: PlannedRun) -> v1::StudyRun {
    let PlannedRun { cell, repeat, round } = run;
    v1::StudyRun { cell, repeat, round, seed: study.seed(run) }
}
