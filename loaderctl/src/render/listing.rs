//! Lists of runs and files, and the daemon's status.

use loader_proto::v1::{CleanRunsResponse, CleanedRun, GetStatusResponse, MetricValue, Run};

use super::{
    progress::state_name,
    table,
    units::{between, duration, instant, mib},
    verdicts,
};

/// Runs, one a line.
pub(crate) fn runs(runs: &[Run]) -> String {
    if runs.is_empty() {
        return "no runs\n".to_owned();
    }
    let rows = runs.iter().map(|run| {
        let took = if run.finished.is_some() { duration(between(run.started, run.finished)) } else { String::new() };
        let name = run.spec.as_ref().map(|spec| spec.name.clone()).unwrap_or_default();
        let state = state_name(run.state()).to_owned();
        let verdict = run.summary.as_ref().map(verdicts::note).unwrap_or_default();
        let note = match (run.waiting_for.as_str(), verdict, run.queue_position) {
            ("", "", 0) => run.reason.clone(),
            ("", "", position) => format!("position {position} in the queue"),
            ("", verdict, _) => verdict.to_owned(),
            (waiting_for, ..) => format!("waits: {waiting_for}"),
        };
        vec![
            run.run_id.clone(),
            if name.is_empty() { run.mode.clone() } else { name },
            run.mode.clone(),
            run.platform.clone(),
            run.owner.clone().unwrap_or_default(),
            state,
            instant(run.submitted),
            took,
            note,
        ]
    });
    table::text(&["RUN", "NAME", "MODE", "PLATFORM", "OWNER", "STATE", "SUBMITTED", "TOOK", "NOTE"], rows.collect())
}

/// Files that were written.
pub(crate) fn files(directory: &str, files: &[(String, u64)]) -> String {
    let rows = files.iter().map(|(name, size)| vec![name.clone(), size.to_string()]).collect();
    format!("{}in {directory}\n", table::figures(&["FILE", "BYTES"], rows))
}

/// The figures that can be drawn.
pub(crate) fn figures<'a>(figures: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    table::text(
        &["FIGURE", "WHAT IT SHOWS"],
        figures.map(|(name, about)| vec![name.to_owned(), about.to_owned()]).collect(),
    )
}

/// What the daemon is and does.
pub(crate) fn status(status: &GetStatusResponse) -> String {
    let GetStatusResponse {
        version,
        started,
        host,
        state_directory,
        default_platform,
        platforms,
        active_run_id,
        queued_runs,
        listen,
        metrics_listen,
        cores,
        memory_mib,
        platform_facts,
        waiting,
    } = status;
    let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    let facts = platform_facts.iter().map(|fact| (format!("{} {}", fact.platform, fact.name), fact.value.clone()));
    let facts: Vec<_> = facts.collect();
    let own = [
        ("version", version.clone()),
        ("started", instant(*started)),
        ("host", format!("{host}, {cores} cores, {}", mib(*memory_mib as f64))),
        ("state directory", state_directory.clone()),
        ("platforms", format!("{}; default {default_platform}", platforms.join(", "))),
        ("active run", or(active_run_id, "none")),
        ("queued runs", queued_runs.to_string()),
        ("listens on", listen.join(", ")),
        ("metrics on", or(metrics_listen, "off")),
    ];
    let waiting = waiting.iter().map(|it| ("clean-up waits", format!("run {}: {}", it.run_id, it.waiting_for)));
    let facts = facts.iter().map(|(name, value)| (name.as_str(), value.clone()));
    table::pairs(own.into_iter().chain(waiting).chain(facts))
}

/// Values that a Prometheus gave, one a line.
pub(crate) fn values(values: &[MetricValue]) -> String {
    let lines = values.iter().map(|MetricValue { labels, value, unix_seconds: _ }| {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        if labels.is_empty() { value.clone() } else { format!("{{{}}} {value}", labels.join(",")) }
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() { "no value".to_owned() } else { lines.join("\n") }
}

/// Runs that were cleaned, and platforms that are not configured.
pub(crate) fn cleaned(answer: &CleanRunsResponse) -> String {
    let CleanRunsResponse { cleaned, skipped } = answer;
    let removed = cleaned.iter().map(|CleanedRun { run_id, platform, functions }| {
        format!("{run_id}: {functions} functions removed from {platform}")
    });
    let mut lines: Vec<_> = removed.collect();
    if lines.is_empty() {
        lines.push("nothing to remove".to_owned());
    }
    lines.extend(skipped.iter().map(|it| format!("platform {} is not configured: {}", it.platform, it.reason)));
    lines.join("\n")
}
