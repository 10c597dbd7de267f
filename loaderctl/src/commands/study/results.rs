//! `study compare` and `study report`: the results of a study so far, from what the daemon has of it and its runs.

use std::{collections::BTreeMap, path::Path};

use loader_proto::v1::{self, GetRunRequest, GetStudyRequest, StudyOutcome};
use loader_report::{
    indicator::Figures,
    page,
    statistics::Until,
    study::{Baseline, Outcome, Results, Study, StudyRun, compared_figure, fewest_runs},
};
use serde_json::json;

use super::{directory, samples::sample};
use crate::{
    Ending, Failure,
    cli::{StudyCompareArguments, StudyReportArguments},
    client::Daemon,
    commands::{browser, run_files, session::Session},
    ending::is_missed,
    junit::{self, Planned},
    output::{self, Format, note},
    render,
};

/// How much figures may differ and count as the same, where the study does not say.
const MARGIN: f64 = 0.05;

/// Prints each cell against its baseline.
pub(in crate::commands) async fn compare(
    session: &Session,
    arguments: StudyCompareArguments,
) -> Result<Ending, Failure> {
    let StudyCompareArguments { study, csv, cells, figures } = arguments;
    let figures = chosen("--figures", &figures)?;
    let mut study = read(session, &study.study).await?;
    if !figures.is_empty() {
        study.is_chosen_afterwards = figures != names(&study);
        study.figures = figures;
    }
    let results = Results::of(&study);
    if let Some(path) = csv {
        run_files::write(&path, results.compare_csv(&study).as_bytes())?;
    }
    if let Some(path) = cells {
        run_files::write(&path, results.cells_csv(&study).as_bytes())?;
    }
    match session.format {
        Format::Table => output::text(&render::study_results(&study, &results))?,
        Format::Json => output::json(&render::study_results_json(&study, &results))?,
    }
    Ok(Ending::Done)
}

/// The figures that a flag asks for, by their names.
pub(super) fn chosen(flag: &str, asked: &[String]) -> Result<Vec<String>, Failure> {
    let (mut figures, mut faults) = (Vec::<String>::with_capacity(asked.len()), Vec::new());
    for name in asked {
        match compared_figure(name) {
            Err(fault) => faults.push(fault),
            Ok((found, _)) if figures.contains(&found.name) => faults.push(format!("{} is named twice", found.name)),
            Ok((found, _)) => figures.push(found.name.clone()),
        }
    }
    if faults.is_empty() { Ok(figures) } else { Err(Failure::Input(format!("{flag}: {}", faults.join("; ")))) }
}

/// The names of the figures that a study compares.
fn names(study: &Study) -> Vec<String> {
    study.compared_figures().into_iter().map(|indicator| indicator.name.clone()).collect()
}

/// What is compared in a study that is planned: the figures, and the tests of them.
pub(super) fn comparison_of(spec: v1::StudySpec, plan: &v1::StudyPlan) -> Result<(String, String), Failure> {
    let planned = v1::Study { spec: Some(spec), cells: plan.cells.clone(), ..v1::Study::default() };
    let study = of(planned, &BTreeMap::new())?;
    let tests = study.tests();
    let repeats = plan.runs.iter().map(|run| run.repeat as usize + 1).max().unwrap_or_default();
    let need = fewest_runs(tests).filter(|need| *need > repeats);
    let need = need.map_or(String::new(), |need| format!("; show nothing with fewer than {need} runs of each cell"));
    let of_all =
        if tests == 0 { "none: there is nothing to compare with".to_owned() } else { format!("up to {tests}{need}") };
    Ok((names(&study).join(", "), of_all))
}

/// Writes the page of a study.
pub(in crate::commands) async fn report(session: &Session, arguments: StudyReportArguments) -> Result<Ending, Failure> {
    let StudyReportArguments { study, to, open } = arguments;
    let study = read(session, &study.study).await?;
    let results = Results::of(&study);
    let html = page::study_html(&study, &results);
    run_files::write(&to, html.as_bytes())?;
    let lead = results.lead(&study);
    match session.format {
        Format::Table => {
            lead.sentences().for_each(note);
            output::text(&to.display().to_string())?;
        }
        Format::Json => output::json(
            &json!({ "file": to.display().to_string(), "bytes": html.len(), "lead": lead.sentences().collect::<Vec<_>>() }),
        )?,
    }
    if open {
        browser::show(&to.display().to_string());
    }
    Ok(Ending::Done)
}

/// A study with the figures of its samples: that in a directory, or one that the daemon has.
pub(super) async fn read(session: &Session, name: &str) -> Result<Study, Failure> {
    let path = Path::new(name);
    if directory::is_directory(path) {
        let (study, figures) = directory::read(path)?;
        return of(study, &figures);
    }
    if path.is_dir() || name.contains('/') {
        return Err(Failure::Input(format!("{name} is not the directory of a study, and not the id of one")));
    }
    let daemon = session.daemon().await?;
    let got = daemon.api.clone().get_study(GetStudyRequest { study_id: name.to_owned() }).await;
    let study = got.map_err(|status| daemon.failure(status))?.into_inner().study.unwrap_or_default();
    Ok(with_figures(&daemon, study).await?.0)
}

/// What is said of a study that has ended.
pub(super) struct AtEnd {
    /// Its results, for people.
    pub(super) shown: String,
    /// How many of its runs do not meet all of their expectations.
    pub(super) missed: usize,
    /// Its expectations as JUnit XML.
    pub(super) xml: String,
}

/// What is said of a study that has ended.
pub(super) async fn at_end(daemon: &Daemon, study: v1::Study) -> Result<AtEnd, Failure> {
    let planned = study.runs.clone();
    let (study, last) = with_figures(daemon, study).await?;
    let missed = last.iter().flatten().filter(|run| is_missed(run)).count();
    let of_run = |(planned, run): (&v1::StudyRun, &Option<v1::Run>)| Planned {
        name: format!("{}, repeat {}", study.label(planned.cell as usize), planned.repeat + 1),
        run: run.clone(),
        left_out: left_out(planned),
    };
    let xml = junit::of_study(&planned.iter().zip(&last).map(of_run).collect::<Vec<_>>());
    Ok(AtEnd { shown: render::study_results(&study, &Results::of(&study)), missed, xml })
}

/// Why a planned run is no sample, although nothing of it failed.
fn left_out(run: &v1::StudyRun) -> Option<String> {
    let why = || run.attempts.last().map(|last| format!("left out: {}", last.end)).unwrap_or_default();
    match run.outcome() {
        StudyOutcome::Unspecified | StudyOutcome::NotMade => Some("not made".to_owned()),
        StudyOutcome::LeftOut => Some(why()),
        StudyOutcome::Sample | StudyOutcome::Failed => None,
    }
}

/// A study with the figures of its samples, and the last run of each planned one, where there is one.
async fn with_figures(daemon: &Daemon, study: v1::Study) -> Result<(Study, Vec<Option<v1::Run>>), Failure> {
    let (mut figures, mut last) = (BTreeMap::new(), Vec::with_capacity(study.runs.len()));
    for run in &study.runs {
        let Some(attempt) = run.attempts.last() else {
            last.push(None);
            continue;
        };
        let got = daemon.api.clone().get_run(GetRunRequest { run_id: attempt.run_id.clone() }).await;
        let ended = match got {
            Ok(got) => Some(got.into_inner().run.unwrap_or_default()),
            // It was deleted since.
            Err(status) if status.code() == tonic::Code::NotFound => None,
            Err(status) => return Err(daemon.failure(status)),
        };
        match (sample(run), ended.as_ref().and_then(|run| run.summary.as_ref())) {
            (Some(id), Some(summary)) => drop(figures.insert(id.to_owned(), Figures::of(summary))),
            (Some(id), None) => note(&format!("run {id} is gone, and with it what it measured")),
            (None, _) => {}
        }
        last.push(ended);
    }
    Ok((of(study, &figures)?, last))
}

/// A study for its results, from the daemon's and the figures of its samples.
fn of(study: v1::Study, figures: &BTreeMap<String, Figures>) -> Result<Study, Failure> {
    let v1::Study { study_id, spec, cells, runs, .. } = study;
    let spec = spec.unwrap_or_default();
    let axes: Vec<CalledAxis> = spec.vary.iter().map(CalledAxis::of).collect();
    let values = |cell: &v1::StudyCell| {
        let value = |axis: &CalledAxis| cell.values.get(&axis.field).map(|value| axis.called(value));
        axes.iter().map(|axis| value(axis).unwrap_or_default()).collect::<Vec<_>>()
    };
    let until = spec.until.as_ref().map(rule).transpose()?;
    let unknown: Vec<String> = spec.figures.iter().filter_map(|name| compared_figure(name).err()).collect();
    if !unknown.is_empty() {
        return Err(Failure::Answer(format!("figures of the study: {}", unknown.join("; "))));
    }
    Ok(Study {
        name: if spec.name.is_empty() { "study".to_owned() } else { spec.name.clone() },
        id: study_id,
        cells: cells.iter().map(values).collect(),
        runs: runs.iter().filter_map(|run| planned(run, figures)).collect(),
        baseline: baseline(&spec.baseline, &axes),
        figures: spec.figures.clone(),
        is_chosen_afterwards: false,
        margin: spec.margin.unwrap_or(MARGIN),
        order: if spec.order.is_empty() { "interleaved".to_owned() } else { spec.order.clone() },
        seed: spec.seed.unwrap_or(42),
        until,
        axes: axes.into_iter().map(|axis| axis.label).collect(),
    })
}

/// An axis, and what it and its values are called.
struct CalledAxis {
    /// Its field, as cells have it.
    field: String,
    label: String,
    /// Of each value that is called something else, what it is called.
    labels: BTreeMap<String, String>,
}

impl CalledAxis {
    fn of(axis: &v1::Axis) -> Self {
        let v1::Axis { field, values, label, labels } = axis;
        let field = canonical(field);
        let label = if label.is_empty() { field.clone() } else { label.clone() };
        Self { field, label, labels: values.iter().cloned().zip(labels.iter().cloned()).collect() }
    }

    /// What a value is called.
    fn called(&self, value: &str) -> String {
        self.labels.get(value).map_or(value, String::as_str).to_owned()
    }
}

/// The baseline of a study, as its axes and values are called.
fn baseline(given: &BTreeMap<String, String>, axes: &[CalledAxis]) -> Baseline {
    let of_entry = |(field, value): (&String, &String)| {
        let axis = axes.iter().find(|axis| axis.field == canonical(field) || axis.label == *field);
        axis.map_or_else(|| (field.clone(), value.clone()), |axis| (axis.label.clone(), axis.called(value)))
    };
    given.iter().map(of_entry).collect()
}

/// The path of a field in JSON names, as cells have it.
pub(super) fn canonical(field: &str) -> String {
    loader_proto::json::field::<v1::RunSpec>(field).map_or_else(|_| field.to_owned(), |path| path.to_string())
}

fn rule(until: &v1::Until) -> Result<Until, Failure> {
    let at_least = until.at_least.unwrap_or(5);
    let at_most = until.at_most.unwrap_or(at_least.max(20));
    Until::new(until.half_width.unwrap_or(0.05), at_least, at_most).map_err(Failure::Answer)
}

/// A planned run for the results; nothing of one that is not made.
fn planned(run: &v1::StudyRun, figures: &BTreeMap<String, Figures>) -> Option<StudyRun> {
    let last = run.attempts.last();
    let outcome = match run.outcome() {
        v1::StudyOutcome::NotMade => return None,
        v1::StudyOutcome::Unspecified => Outcome::ToCome,
        v1::StudyOutcome::Failed | v1::StudyOutcome::LeftOut => {
            Outcome::LeftOut(last.map(|last| last.end.clone()).unwrap_or_default())
        }
        v1::StudyOutcome::Sample => match sample(run).and_then(|id| figures.get(id)) {
            Some(figures) => Outcome::Sample(figures.clone()),
            None => Outcome::LeftOut("deleted".to_owned()),
        },
    };
    Some(StudyRun {
        id: last.map(|last| last.run_id.clone()).unwrap_or_default(),
        cell: run.cell as usize,
        repeat: run.repeat,
        round: run.round,
        outcome,
    })
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::{Axis, StudyAttempt, StudyCell, StudySpec};

    use super::*;

    #[test]
    fn a_study_of_the_daemon_becomes_one_with_figures() {
        let cell = |window: &str| StudyCell {
            values: [("scaling.stableWindow".to_owned(), window.to_owned())].into(),
            ..StudyCell::default()
        };
        let run = |cell, outcome: StudyOutcome, id: &str, end: &str| v1::StudyRun {
            cell,
            attempts: vec![StudyAttempt { run_id: id.to_owned(), end: end.to_owned(), ..StudyAttempt::default() }],
            outcome: outcome.into(),
            ..v1::StudyRun::default()
        };
        let study = v1::Study {
            spec: Some(StudySpec {
                vary: vec![Axis {
                    field: "scaling.stable_window".to_owned(),
                    values: vec!["30s".to_owned(), "60s".to_owned()],
                    label: "window".to_owned(),
                    labels: vec!["short".to_owned(), "default".to_owned()],
                }],
                baseline: [("scaling.stable_window".to_owned(), "60s".to_owned())].into(),
                ..StudySpec::default()
            }),
            cells: vec![cell("30s"), cell("60s")],
            runs: vec![
                run(0, StudyOutcome::Sample, "a", "sample"),
                run(1, StudyOutcome::LeftOut, "b", "saturated"),
                run(1, StudyOutcome::Sample, "gone", "sample"),
                v1::StudyRun { outcome: StudyOutcome::NotMade.into(), ..v1::StudyRun::default() },
                v1::StudyRun::default(),
            ],
            ..v1::Study::default()
        };
        let figures: Figures = [("response.p50".to_owned(), 7.0)].into_iter().collect();
        let study = of(study, &[("a".to_owned(), figures.clone())].into()).expect("is one");
        assert_eq!(
            (study.axes.as_slice(), study.cells[1].as_slice()),
            (&["window".to_owned()][..], &["default".to_owned()][..])
        );
        assert_eq!(study.baseline, [("window".to_owned(), "default".to_owned())].into());
        let outcomes: Vec<_> = study.runs.iter().map(|run| run.outcome.clone()).collect();
        let left_out = |reason: &str| Outcome::LeftOut(reason.to_owned());
        assert_eq!(outcomes, [Outcome::Sample(figures), left_out("saturated"), left_out("deleted"), Outcome::ToCome]);
    }
}
