//! What was expected of a run.

use loader_proto::v1::{ExpectationResult, RunSummary};

use super::table::{Cell, Table};

/// A row for each expectation.
pub(super) fn expectations(summary: &RunSummary) -> Table {
    let mut table = Table::new("Expectations of the spec", &["expectation", "", "it was"]);
    let rows = summary.expectations.iter().map(|it| {
        let ExpectationResult { expectation, value: _, met, shown, aborted } = it;
        let word = match (met, aborted) {
            (_, true) => "missed, which ended the run",
            (Some(true), false) => "met",
            (Some(false), false) => "missed",
            (None, false) => "not known",
        };
        vec![Cell::text(expectation), Cell::text(word), Cell::text(shown)]
    });
    table.rows = rows.collect();
    table
}
