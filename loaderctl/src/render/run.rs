//! One run: the verdicts first, then what was measured.

use loader_proto::v1::{Run, RunSummary, StudyPlace};

use super::{
    counts,
    distributions::{self, IntervalsShown},
    disturbances, findings, histogram,
    progress::{self, state_name},
    summary, table,
    units::{between, duration, instant},
    verdicts::{self, Weight, verdicts},
    workers,
};

/// Everything that is known of a run.
pub(crate) fn run(run: &Run, intervals: IntervalsShown) -> String {
    let mut text = run.summary.as_ref().map(verdicts).unwrap_or_default();
    text.push_str(&facts(run));
    match &run.summary {
        Some(summary) => measured(summary, intervals, &mut text),
        None if run.progress.is_some() => {
            text.push_str(&format!("\n{}  {}\n", progress::stage(run), progress::time(run)));
            let lines = progress::figures(run).into_iter().chain(workers::under_way(run));
            text.extend(lines.map(|line| format!("  {line}\n")));
            let so_far = disturbances::so_far(run);
            if !so_far.is_empty() {
                text.push_str(&format!("\n{so_far}"));
            }
        }
        None => {}
    }
    text
}

/// What the first lines of [`run`] say, line by line: its verdicts, so that they can be shown in colours.
pub(crate) fn emphasis(run: &Run) -> Vec<Option<Weight>> {
    run.summary.as_ref().map(verdicts::emphasis).unwrap_or_default()
}

/// The state of a run, on one line.
pub(crate) fn state(run: &Run) -> String {
    let reason = if run.reason.is_empty() { String::new() } else { format!(": {}", run.reason) };
    format!("{}  {}{reason}\n", run.run_id, state_name(run.state()))
}

/// A run's place in its study.
fn place(place: &StudyPlace) -> String {
    let StudyPlace { study_id, cell, repeat, round: _, attempt } = place;
    let again = if *attempt > 0 { format!(", attempt {attempt}") } else { String::new() };
    format!("{study_id}: cell {cell}, repeat {repeat}{again}")
}

fn facts(run: &Run) -> String {
    let name = run.spec.as_ref().map(|spec| spec.name.as_str()).filter(|name| !name.is_empty());
    let took = if run.finished.is_some() { duration(between(run.started, run.finished)) } else { String::new() };
    let position =
        if run.queue_position > 0 { format!(", position {} in the queue", run.queue_position) } else { String::new() };
    table::pairs([
        ("run", run.run_id.clone()),
        ("name", name.unwrap_or_default().to_owned()),
        ("plan", format!("{} on {}", run.mode, run.platform)),
        ("owner", run.owner.clone().unwrap_or_default()),
        ("study", run.study.as_ref().map(place).unwrap_or_default()),
        ("state", format!("{}{position}", state_name(run.state()))),
        ("reason", run.reason.clone()),
        ("waits for", run.waiting_for.clone()),
        ("submitted", instant(run.submitted)),
        ("started", instant(run.started)),
        ("took", took),
        ("records", run.directory.clone()),
    ])
}

/// The sections of a summary, an empty line before each.
fn measured(summary: &RunSummary, intervals: IntervalsShown, text: &mut String) {
    let sections = [
        counts::counts(summary),
        counts::facts(summary),
        distributions::distributions(summary, intervals),
        histogram::responses(summary),
        findings::findings(summary),
        disturbances::findings(summary),
        summary::slots(summary),
        summary::functions(summary),
        workers::workers(summary),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        text.push('\n');
        text.push_str(section);
    }
}
