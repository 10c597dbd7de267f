//! What a study would do.

use std::collections::BTreeMap;

use loader_proto::v1::{StudyCell, StudyPlan, StudyRun};

use super::{
    table,
    units::{duration, mib, wire_duration},
};

/// Its size, what is compared and in how many tests, and the first cells and runs.
pub(crate) fn study_plan(plan: &StudyPlan, (compared, tests): (&str, &str), shown: usize) -> String {
    let StudyPlan { cells, runs, duration: length, invocations, open_ended, waits, bytes } = plan;
    let beginning = if *open_ended { " (of the runs' beginnings: open-ended)" } else { "" };
    let waiting = if *waits { " (without the waits between slots)" } else { "" };
    let length = wire_duration(*length).map(duration).unwrap_or_default();
    let mut text = table::pairs([
        ("cells", cells.len().to_string()),
        ("runs", runs.len().to_string()),
        ("invocations", format!("{invocations}{beginning}")),
        ("load and pauses", format!("{length}{waiting}{beginning}")),
        ("records", format!("{}{beginning}", size(*bytes))),
        ("compared", compared.to_owned()),
        ("tests", tests.to_owned()),
    ]);
    let fields: Vec<_> = cells.first().into_iter().flat_map(|cell| called(cell).keys().map(String::as_str)).collect();
    let header: Vec<_> = ["cell"].into_iter().chain(fields).collect();
    text.push_str("\nCells\n");
    text.push_str(&table::first(&header, cells.iter().enumerate().map(cell).collect(), shown));
    text.push_str("\nRuns, in their order\n");
    let runs = runs.iter().enumerate().map(run).collect();
    text.push_str(&table::first(&["run", "round", "cell", "repeat", "seed"], runs, shown));
    text
}

fn size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        "less than 1 MiB".to_owned()
    } else {
        format!("about {}", mib(bytes as f64 / f64::from(1 << 20)))
    }
}

/// Axes and values of a cell as they are called; by their fields where a daemon does not say.
pub(super) fn called(StudyCell { values, labels }: &StudyCell) -> &BTreeMap<String, String> {
    if labels.is_empty() { values } else { labels }
}

fn cell((index, cell): (usize, &StudyCell)) -> Vec<String> {
    [index.to_string()].into_iter().chain(called(cell).values().cloned()).collect()
}

fn run((index, run): (usize, &StudyRun)) -> Vec<String> {
    let StudyRun { cell, repeat, round, seed, attempts: _, outcome: _ } = run;
    [index.to_string(), round.to_string(), cell.to_string(), repeat.to_string(), seed.to_string()].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_shows_its_size_its_cells_and_its_order() {
        let cell = |window: &str| StudyCell {
            values: [("rps.functions", "10"), ("scaling.stableWindow", window)]
                .map(|(field, value)| (field.to_owned(), value.to_owned()))
                .into(),
            ..StudyCell::default()
        };
        let run = |cell, repeat, round, seed| StudyRun { cell, repeat, round, seed, ..StudyRun::default() };
        let plan = StudyPlan {
            cells: vec![cell("30s"), cell("60s")],
            runs: vec![run(1, 0, 0, 42), run(0, 0, 0, 42), run(0, 1, 1, 43)],
            duration: Some(prost_types::Duration { seconds: 5400, nanos: 0 }),
            invocations: 1_000_000,
            open_ended: true,
            waits: false,
            bytes: 180_000_000,
        };
        insta::assert_snapshot!(study_plan(&plan, ("response.p99", "up to 1"), 2));
        let small = study_plan(&StudyPlan { bytes: 1000, ..plan }, ("", ""), 2);
        assert!(small.contains("records          less than 1 MiB"), "{small}");
    }
}
