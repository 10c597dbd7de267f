//! Studies of the daemon: lists, one of them with its cells and runs, and the line that follows it.

use std::collections::BTreeMap;

use loader_proto::v1::{Study, StudyCell, StudyOutcome, StudyProgress, StudyRun, StudyState};

use super::{
    study::called,
    table,
    units::{between, duration, instant},
};

/// Studies, one a line.
pub(crate) fn studies(studies: &[Study]) -> String {
    if studies.is_empty() {
        return "no studies\n".to_owned();
    }
    let rows = studies.iter().map(|study| {
        vec![
            study.study_id.clone(),
            name(study),
            study.owner.clone(),
            state(study.state()).to_owned(),
            instant(study.submitted),
            took(study),
            counts(study),
            study.reason.clone(),
        ]
    });
    table::text(&["STUDY", "NAME", "OWNER", "STATE", "SUBMITTED", "TOOK", "RUNS", "NOTE"], rows.collect())
}

/// A study in one line, as it is followed.
pub(crate) fn study_line(study: &Study) -> String {
    format!("{}  {}  {}", study.study_id, state(study.state()), study_stage(study))
}

/// What a study does at the moment, and how far it has come.
pub(crate) fn study_stage(study: &Study) -> String {
    let progress = study.progress.clone().unwrap_or_default();
    let mut line = counts(study);
    if let Some(next) = progress.next {
        line.push_str(&format!("; run {} of {}", next + 1, progress.runs));
    }
    if !progress.waiting_for.is_empty() {
        line.push_str(&format!("; waits for {}", progress.waiting_for));
    }
    let cell = study_cell(&progress.cell.clone().unwrap_or_default());
    if !cell.is_empty() {
        line.push_str(&format!(" ({cell}, repeat {})", progress.repeat));
    }
    if !progress.run_id.is_empty() {
        line.push_str(&format!(": {}", progress.run_id));
    }
    if !study.reason.is_empty() {
        line.push_str(&format!("; {}", study.reason));
    }
    line
}

/// A cell as text, such as `scaling.stableWindow=30s`.
fn study_cell(cell: &StudyCell) -> String {
    called(cell).iter().map(|(field, value)| format!("{field}={value}")).collect::<Vec<_>>().join(", ")
}

/// A study with the first cells and runs.
pub(crate) fn study(study: &Study, shown: usize) -> String {
    let progress = study.progress.clone().unwrap_or_default();
    let mut rows = vec![
        ("study", study.study_id.clone()),
        ("name", name(study)),
        ("state", state(study.state()).to_owned()),
        ("owner", study.owner.clone()),
        ("submitted", instant(study.submitted)),
        ("runs", counts(study)),
        ("compared", study.spec.as_ref().map(|spec| spec.figures.join(", ")).unwrap_or_default()),
    ];
    let mut add = |name, value: String| {
        if !value.is_empty() {
            rows.push((name, value));
        }
    };
    add("reason", study.reason.clone());
    add("took", took(study));
    add("run under way", progress.run_id.clone());
    add("waits for", progress.waiting_for.clone());
    add("directory", study.directory.clone());
    let mut text = table::pairs(rows);
    if !study.notes.is_empty() {
        text.push_str("\nNotes\n");
        study.notes.iter().take(shown).for_each(|note| text.push_str(&format!("  {note}\n")));
        if study.notes.len() > shown {
            text.push_str(&format!("  … and {} more\n", study.notes.len() - shown));
        }
    }
    text.push_str("\nCells\n");
    text.push_str(&cells(study, shown));
    text.push_str("\nRuns, in their order\n");
    let runs = study.runs.iter().enumerate().map(run).collect();
    let header = ["run", "round", "cell", "repeat", "seed", "outcome", "id", "made", "remark"];
    text.push_str(&table::first(&header, runs, shown));
    text
}

/// The cells, each with how many of its runs have come to what.
fn cells(study: &Study, shown: usize) -> String {
    let mut of_cells: BTreeMap<u32, BTreeMap<i32, u32>> = BTreeMap::new();
    for run in &study.runs {
        *of_cells.entry(run.cell).or_default().entry(run.outcome).or_default() += 1;
    }
    let fields: Vec<_> =
        study.cells.first().into_iter().flat_map(|cell| called(cell).keys().map(String::as_str)).collect();
    let header: Vec<_> =
        ["cell"].into_iter().chain(fields).chain(["samples", "failed", "left out", "not made", "to come"]).collect();
    let rows = study.cells.iter().zip(0..).map(|(cell, number)| {
        let of_cell = of_cells.get(&number);
        let count = |outcome: StudyOutcome| {
            of_cell.and_then(|counts| counts.get(&outcome.into())).copied().unwrap_or_default().to_string()
        };
        let counts = [
            StudyOutcome::Sample,
            StudyOutcome::Failed,
            StudyOutcome::LeftOut,
            StudyOutcome::NotMade,
            StudyOutcome::Unspecified,
        ];
        [number.to_string()].into_iter().chain(called(cell).values().cloned()).chain(counts.map(count)).collect()
    });
    table::first(&header, rows.collect(), shown)
}

fn run((index, run): (usize, &StudyRun)) -> Vec<String> {
    let StudyRun { cell, repeat, round, seed, attempts, outcome: _ } = run;
    let last = attempts.last();
    let outcome = match run.outcome() {
        StudyOutcome::Unspecified if last.is_some_and(|last| last.end.is_empty()) => "under way",
        StudyOutcome::Unspecified => "to come",
        StudyOutcome::Sample if last.is_some_and(|last| last.reused) => "sample, reused",
        StudyOutcome::Sample => "sample",
        StudyOutcome::Failed => "failed",
        StudyOutcome::LeftOut => "left out",
        StudyOutcome::NotMade => "not made",
    };
    let remarks = attempts.iter().filter(|attempt| !attempt.reason.is_empty());
    vec![
        index.to_string(),
        round.to_string(),
        cell.to_string(),
        repeat.to_string(),
        seed.to_string(),
        outcome.to_owned(),
        last.map(|last| last.run_id.clone()).unwrap_or_default(),
        attempts.len().to_string(),
        remarks.map(|attempt| attempt.reason.as_str()).collect::<Vec<_>>().join("; "),
    ]
}

/// What has become of the runs, such as `3 of 20, 1 failed`.
fn counts(study: &Study) -> String {
    let StudyProgress { runs, samples, reused, failed, left_out, not_made, .. } =
        study.progress.clone().unwrap_or_default();
    let mut text = format!("{samples} of {runs} done");
    for (count, what) in [(reused, "reused"), (failed, "failed"), (left_out, "left out"), (not_made, "not made")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

fn name(study: &Study) -> String {
    let name = study.spec.as_ref().map(|spec| spec.name.clone()).unwrap_or_default();
    if name.is_empty() { "study".to_owned() } else { name }
}

fn took(study: &Study) -> String {
    if study.finished.is_some() && study.started.is_some() {
        duration(between(study.started, study.finished))
    } else {
        String::new()
    }
}

fn state(state: StudyState) -> &'static str {
    state.as_str_name().trim_start_matches("STUDY_STATE_")
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::{StudyAttempt, StudySpec};

    use super::*;

    fn attempt(run_id: &str, end: &str, reason: &str) -> StudyAttempt {
        StudyAttempt { run_id: run_id.to_owned(), reused: false, end: end.to_owned(), reason: reason.to_owned() }
    }

    fn example() -> Study {
        let cell = |window: &str| StudyCell {
            values: [("scaling.stableWindow".to_owned(), window.to_owned())].into(),
            ..StudyCell::default()
        };
        let run = |cell, outcome: StudyOutcome, attempts| StudyRun {
            cell,
            repeat: 0,
            round: 0,
            seed: 42,
            attempts,
            outcome: outcome.into(),
        };
        Study {
            study_id: "study-20261123t143141123-9f3a".to_owned(),
            spec: Some(StudySpec { name: "window".to_owned(), ..StudySpec::default() }),
            state: StudyState::Running.into(),
            owner: "ann".to_owned(),
            progress: Some(StudyProgress {
                runs: 3,
                samples: 1,
                failed: 1,
                next: Some(2),
                run_id: "20261123t143151123-0003".to_owned(),
                cell: Some(cell("60s")),
                ..StudyProgress::default()
            }),
            cells: vec![cell("30s"), cell("60s")],
            runs: vec![
                run(
                    1,
                    StudyOutcome::Sample,
                    vec![
                        attempt("20261123t143141123-0001", "saturated", "the loader was saturated: in slot 2"),
                        attempt("20261123t143145123-0002", "sample", ""),
                    ],
                ),
                run(0, StudyOutcome::Failed, vec![attempt("20261123t143150123-0003", "failed", "no room")]),
                run(1, StudyOutcome::Unspecified, vec![attempt("20261123t143151123-0003", "", "")]),
            ],
            notes: vec!["run 20261123t143141123-0001 was deleted by hand; it is made again".to_owned()],
            ..Study::default()
        }
    }

    #[test]
    fn a_study_shows_its_cells_and_what_has_become_of_its_runs() {
        let shown = study(&example(), 20);
        let lines: Vec<_> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for expected in [
            "name window",
            "state RUNNING",
            "runs 1 of 3 done, 1 failed",
            "run under way 20261123t143151123-0003",
            "run 20261123t143141123-0001 was deleted by hand; it is made again",
            "cell scaling.stableWindow samples failed left out not made to come",
            "0 30s 0 1 0 0 0",
            "1 60s 1 0 0 0 1",
            "0 0 1 0 42 sample 20261123t143145123-0002 2 the loader was saturated: in slot 2",
            "1 0 0 0 42 failed 20261123t143150123-0003 1 no room",
            "2 0 1 0 42 under way 20261123t143151123-0003 1",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{expected}: {shown}");
        }
    }

    #[test]
    fn a_study_that_is_followed_says_what_it_does_in_one_line() {
        let mut study = example();
        assert_eq!(
            study_line(&study),
            "study-20261123t143141123-9f3a  RUNNING  1 of 3 done, 1 failed; run 3 of 3 \
             (scaling.stableWindow=60s, repeat 0): 20261123t143151123-0003"
        );
        study.progress = Some(StudyProgress {
            runs: 3,
            next: Some(1),
            waiting_for: "the pause between runs".to_owned(),
            ..StudyProgress::default()
        });
        assert!(study_line(&study).ends_with("0 of 3 done; run 2 of 3; waits for the pause between runs"));
    }
}
