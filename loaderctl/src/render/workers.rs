//! The workers of a run: how they stand, what came of each, and the verdicts on them.

use std::{cmp::Reverse, collections::BTreeMap};

use loader_proto::v1::{ClockError, Run, RunState, RunSummary, WorkerProgress, WorkerSummary};

use super::{
    table::{self, Rows},
    units::{digits, known, micros, part},
};

/// The state of a worker that was given up.
pub(super) const LOST: &str = "lost";

/// Workers up to which each has a line while the run goes; of more, the worst have.
const EACH: usize = 8;

/// Of many workers, those that have a line.
const WORST: usize = 4;

/// Workers of a run that has ended that are shown: of more, the worst.
const SHOWN: usize = 20;

/// Lost workers that are named in the verdict.
const NAMED: usize = 5;

/// Most characters of a node's name while a run goes.
const NODE: usize = 20;

/// Most of it when the run has ended: there are more figures then.
const NARROW: usize = 13;

/// Of a shortened name, how much of its begin is shown. Names of nodes differ by their ends.
const BEGIN: usize = 4;

/// How many workers are in which state, on one line; nothing without workers.
pub(super) fn standing(workers: &[WorkerProgress]) -> Option<String> {
    let mut by_state = BTreeMap::<&str, usize>::new();
    workers.iter().for_each(|worker| *by_state.entry(&worker.state).or_default() += 1);
    let states: Vec<_> = by_state.iter().map(|(state, count)| format!("{count} {state}")).collect();
    (!workers.is_empty()).then(|| format!("workers {}: {}", workers.len(), states.join(", ")))
}

/// A table of the workers of a run that is under way, no wider than 76 columns: of many the worst ones, and their sum. Nothing when the
/// run has none.
pub(crate) fn under_way(run: &Run) -> Vec<String> {
    let workers = run.progress.as_ref().map_or(&[][..], |progress| &progress.workers);
    if workers.is_empty()
        || !matches!(run.state(), RunState::Deploying | RunState::WarmingUp | RunState::Running | RunState::Draining)
    {
        return Vec::new();
    }
    let mut shown: Vec<_> = workers.iter().collect();
    if workers.len() > EACH {
        shown.sort_by_key(|worker| badness(worker));
        shown.truncate(WORST);
        shown.sort_by_key(|worker| worker.worker);
    }
    let mut rows: Rows = shown.iter().map(|worker| row(worker)).collect();
    if workers.len() > 1 {
        rows.push(sum(workers));
    }
    let header = ["worker", "node", "state", "due", "sent", "own p99", "clock"];
    let table = table::figures(&header, rows);
    let more = workers.len() - shown.len();
    let more = (more > 0).then(|| format!("{more} more workers are better off"));
    table.lines().map(str::to_owned).chain(more).collect()
}

/// By what the worst workers come first: their state, what they are behind by, their lag.
fn badness(worker: &WorkerProgress) -> impl Ord + use<> {
    let state = ["lost", "suspect", "resumed", "starting", "ready"].iter().position(|state| *state == worker.state);
    (state.unwrap_or(usize::MAX), Reverse(worker.own_lag_p99_us), Reverse(worker.batches_kept), worker.worker)
}

fn row(worker: &WorkerProgress) -> Vec<String> {
    let WorkerProgress {
        worker,
        node,
        state,
        reason: _,
        due,
        issued,
        in_flight: _,
        own_lag_p99_us,
        batches_kept: _,
        clock,
    } = worker;
    vec![
        worker.to_string(),
        shortened(node, NODE),
        state.clone(),
        due.to_string(),
        issued.to_string(),
        known(*own_lag_p99_us, micros),
        known(clock.as_ref(), |clock| bound(clock.bound_ns)),
    ]
}

/// The sums of all workers, the greatest lag and the greatest bound.
fn sum(workers: &[WorkerProgress]) -> Vec<String> {
    let of = |figure: fn(&WorkerProgress) -> u64| workers.iter().map(figure).sum::<u64>().to_string();
    let lag = workers.iter().filter_map(|worker| worker.own_lag_p99_us).max();
    let clock = workers.iter().filter_map(|worker| worker.clock.as_ref()).map(|clock| clock.bound_ns).max();
    vec![
        "all".to_owned(),
        String::new(),
        String::new(),
        of(|worker| worker.due),
        of(|worker| worker.issued),
        known(lag, micros),
        known(clock, bound),
    ]
}

/// A table of the workers of a run that has ended, no wider than 80 columns; empty without workers. The summary has more figures of each.
pub(super) fn workers(summary: &RunSummary) -> String {
    if summary.workers.is_empty() {
        return String::new();
    }
    let due: u64 = summary.workers.iter().map(requested).sum();
    let header = ["worker", "node", "state", "share", "sent", "own p99", "recv p99", "clock"];
    let mut shown: Vec<_> = summary.workers.iter().collect();
    let more = shown.len().saturating_sub(SHOWN);
    if more > 0 {
        shown.sort_by_key(|worker| troubled(worker));
        shown.truncate(SHOWN);
        shown.sort_by_key(|worker| worker.worker);
    }
    let rows = shown.iter().map(|worker| summary_row(worker, due)).collect();
    let (common, header, rows) = table::without_common(&header, &["node"], rows);
    let common = if common.is_empty() { common } else { format!(", all on {common}") };
    let more = if more > 0 { format!("{more} more workers were better off\n") } else { String::new() };
    format!("Workers{common}\n{}{more}", table::figures(&header, rows))
}

/// By what the worst workers of a run that has ended come first.
fn troubled(worker: &WorkerSummary) -> impl Ord + use<> {
    let lag = worker.own_lag_us.as_ref().and_then(|lag| lag.max);
    (worker.state != LOST, Reverse(worker.saturated_slots), worker.state == "ok", Reverse(lag), worker.worker)
}

/// Invocations of its share in the measured phase.
fn requested(worker: &WorkerSummary) -> u64 {
    worker.counts.as_ref().map_or(0, |counts| counts.requested)
}

fn summary_row(worker: &WorkerSummary, due: u64) -> Vec<String> {
    let own_lag = worker.own_lag_us.as_ref().and_then(|lag| lag.p99);
    let receive_lag = worker.receive_lag_us.as_ref().and_then(|lag| lag.p99);
    vec![
        worker.worker.to_string(),
        shortened(&worker.node, NARROW),
        became(worker),
        part(requested(worker), due),
        worker.counts.as_ref().map_or(0, |counts| counts.issued).to_string(),
        known(own_lag, micros),
        known(receive_lag, micros),
        known(worker.clock.as_ref(), |clock| bound(clock.worst_bound_ns)),
    ]
}

/// The state of a worker; of one that is well, whether it was the bottleneck.
fn became(worker: &WorkerSummary) -> String {
    let is_well = worker.state != LOST;
    if is_well && worker.saturated_slots > 0 { "saturated".to_owned() } else { worker.state.clone() }
}

/// That workers were lost, which, and why.
pub(super) fn lost(summary: &RunSummary) -> Option<String> {
    let lost: Vec<_> = summary.workers.iter().filter(|worker| worker.state == LOST).collect();
    let first = lost.first()?;
    let missing: u64 = lost.iter().filter_map(|worker| worker.counts.as_ref()).map(|it| it.requested - it.issued).sum();
    let title = match lost.len() {
        1 => format!("WORKER {} WAS LOST", first.worker),
        count => format!("{count} WORKERS WERE LOST"),
    };
    let reasons = lost.iter().take(NAMED).map(|worker| {
        let WorkerSummary { worker, node, reason, .. } = worker;
        let on = if node.is_empty() { String::new() } else { format!(" on {node}") };
        let why = if reason.is_empty() { "not known why" } else { reason };
        format!("\n  worker {worker}{on}: {why}")
    });
    let more = lost.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    Some(format!(
        "{title}: {missing} invocations of the measured phase were not sent, or it\n\
         is not known whether they were, so the load was less than requested.{}{more}",
        reasons.collect::<String>()
    ))
}

/// That clocks were not known well enough, and what that means.
pub(super) fn clock_error(error: &ClockError) -> String {
    let ClockError { max_ns, workers, worst_bound_ns } = error;
    let (worst, allowed) = (bound(*worst_bound_ns), bound(*max_ns));
    let means = "times of different workers may be apart by that; latencies are not affected.";
    if let [worker] = workers.as_slice() {
        return format!("THE CLOCK OF WORKER {worker} IS KNOWN TO {worst} AT WORST, not to {allowed}:\n{means}");
    }
    let named: Vec<_> = workers.iter().take(NAMED).map(u32::to_string).collect();
    let more = workers.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(
        "CLOCKS OF {} WORKERS ARE KNOWN TO {worst} AT WORST, not to {allowed}:\n{means}\n  workers: {}{more}",
        workers.len(),
        named.join(", ")
    )
}

/// A bound, such as `± 21 µs`.
fn bound(ns: u64) -> String {
    format!("± {}", nanos(ns))
}

fn nanos(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..100_000 => format!("{} µs", digits(ns as f64 / 1e3)),
        _ => micros(ns / 1000),
    }
}

/// A name of at most this many characters.
fn shortened(name: &str, most: usize) -> String {
    let length = name.chars().count();
    if length <= most {
        return name.to_owned();
    }
    let end = name.chars().skip(length + BEGIN + 1 - most);
    name.chars().take(BEGIN).chain(['…']).chain(end).collect()
}

#[cfg(test)]
mod tests;
