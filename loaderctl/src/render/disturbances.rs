//! Disturbances: planned, carried out, and what came of them.

use std::time::Duration;

use loader_proto::v1::{DisturbanceFindings, Event, PlanDisturbance, Run, RunSummary};

use super::{
    table::{self, Rows},
    units::{between_micros, digits, duration, known, micros, part, wire_duration},
};

/// Disturbances, and events of them, that are shown.
const SHOWN: usize = 100;

/// Longest detail of a line, in characters.
const LONGEST: usize = 120;

/// What a plan will do to the platform; nothing without disturbances.
pub(super) fn planned(disturbances: &[PlanDisturbance]) -> String {
    let rows = disturbances.iter().map(|planned| {
        let PlanDisturbance { at, action, target, lasts, lasting, undone_by } = planned;
        let lasting = match (lasts, wire_duration(*lasting)) {
            (false, _) => String::new(),
            (true, Some(lasting)) => duration(lasting),
            (true, None) => "to the end".to_owned(),
        };
        let at = wire_duration(*at).map(duration).unwrap_or_default();
        vec![at, action.clone(), target.clone(), lasting, undone_by.clone()]
    });
    section("Disturbances", &["at", "do", "of", "for", "undone by"], rows.collect())
}

/// What was done so far in a run under way; nothing without disturbances.
pub(super) fn so_far(run: &Run) -> String {
    let rows = run.events.iter().map(|event| {
        let Event { disturbance, stage, due_unix_us: _, done_unix_us: _, action, target, outcome, detail } = event;
        vec![disturbance.to_string(), stage.clone(), action.clone(), target.clone(), outcome.clone(), short(detail)]
    });
    section("Disturbances so far", &["no", "stage", "do", "of", "outcome", "detail"], rows.collect())
}

/// The last thing that was done, on one line; nothing before there was one.
pub(crate) fn last(run: &Run) -> Option<String> {
    run.events.last().map(line)
}

/// What was done, on one line.
pub(crate) fn line(event: &Event) -> String {
    let Event { disturbance, stage, action, target, outcome, detail, due_unix_us: _, done_unix_us: _ } = event;
    let detail = if detail.is_empty() { String::new() } else { format!(": {}", short(detail)) };
    format!("disturbance {disturbance}, {action} of {target}: {stage} {outcome}{detail}")
}

/// What came of the disturbances of a run that has ended.
pub(super) fn findings(summary: &RunSummary) -> String {
    let header = ["no", "do", "of", "outcome", "due", "failed", "lost", "slowdown", "before", "p99 before", "recovery"];
    let found = &summary.disturbances;
    let table = section("Disturbances", &header, found.iter().map(finding).collect());
    let notes = found.iter().take(SHOWN).filter_map(note).map(|note| format!("  {note}\n"));
    table + &notes.collect::<String>()
}

fn finding(found: &DisturbanceFindings) -> Vec<String> {
    let DisturbanceFindings {
        disturbance,
        action,
        target,
        outcome,
        detail: _,
        due_unix_us: _,
        begin_unix_us: _,
        end_unix_us: _,
        until_unix_us: _,
        requested,
        failed,
        lost,
        slowdown,
        slowdown_before,
        scheduling_latency_before_p99_us,
        recovery_us,
        recovery_unknown: _,
    } = found;
    let failed = failed.map(|failed| format!("{failed} ({})", part(failed, requested.unwrap_or_default())));
    vec![
        disturbance.to_string(),
        action.clone(),
        target.clone(),
        outcome.clone(),
        known(*requested, |count| count.to_string()),
        known(failed, |failed| failed),
        known(*lost, |count| count.to_string()),
        known(*slowdown, digits),
        known(*slowdown_before, digits),
        known(*scheduling_latency_before_p99_us, micros),
        known(*recovery_us, |us| duration(Duration::from_micros(us))),
    ]
}

/// What is to be said besides: why it failed, what was changed, why its recovery is not known.
fn note(found: &DisturbanceFindings) -> Option<String> {
    let DisturbanceFindings { disturbance, detail, recovery_unknown, begin_unix_us, end_unix_us, .. } = found;
    let lasted =
        begin_unix_us.zip(*end_unix_us).map(|(begin, end)| format!("undone after {}", between_micros(begin, end)));
    let recovery = (!recovery_unknown.is_empty()).then(|| format!("recovery not known: {recovery_unknown}"));
    let parts = [Some(short(detail)).filter(|it| !it.is_empty()), lasted, recovery];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then(|| format!("{disturbance}: {text}"))
}

fn short(detail: &str) -> String {
    if detail.chars().count() <= LONGEST {
        return detail.to_owned();
    }
    detail.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn section(title: &str, header: &[&str], rows: Rows) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let more = rows.len().saturating_sub(SHOWN);
    let shown = table::text(header, rows.into_iter().take(SHOWN).collect());
    let more = if more > 0 { format!("... and {more} more\n") } else { String::new() };
    format!("{title}\n{shown}{more}")
}

#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
