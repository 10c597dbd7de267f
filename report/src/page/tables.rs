//! The longer tables: functions, slots, statuses, stalls.

use std::collections::HashMap;

use loader_proto::v1::{FunctionSummary, RunSummary};

use super::{
    table::{Cell, Table},
    units::{digits, instant, micros, percent, rate, ratio},
};
use crate::{aggregate::FunctionFigures, run::Run};

/// Rows of a table; the page stays small whatever the run.
const MOST: usize = 400;

/// How many are shown, where these are not all.
fn left_out(shown: usize, all: usize) -> String {
    if shown < all { format!(": the first {shown} of {all}") } else { String::new() }
}

/// The functions, those with most invocations first.
pub(super) fn functions(run: &Run) -> Table {
    let of_summary: HashMap<&str, (usize, &FunctionSummary)> = run
        .summary()
        .iter()
        .flat_map(|it| it.functions.iter().enumerate())
        .map(|(place, it)| (it.function.as_str(), (place, it)))
        .collect();
    let mut functions: Vec<&FunctionFigures> = run.rows.functions.iter().collect();
    functions.sort_by(|one, other| other.requested.cmp(&one.requested).then(one.name.cmp(&other.name)));
    let caption = format!("Functions, by their invocations{}", left_out(MOST.min(functions.len()), functions.len()));
    let head = [
        "function",
        "requested",
        "failed",
        "cold",
        "response, mean",
        "p50",
        "p99",
        "scheduling latency, mean",
        "slowdown, geometric mean",
    ];
    let mut table = Table::new(&caption, &head).sortable();
    table.rows =
        functions.into_iter().take(MOST).map(|it| function(it, of_summary.get(it.name.as_str()).copied())).collect();
    table
}

fn function(it: &FunctionFigures, of_summary: Option<(usize, &FunctionSummary)>) -> Vec<Cell> {
    let named = |value: Option<f64>, text: fn(f64) -> String, field: &str| {
        let cell = Cell::number(value, text);
        of_summary.map_or(cell.clone(), |(place, _)| cell.of(format!("functions.{place}.{field}")))
    };
    let count = |of: fn(&FunctionSummary) -> u64, own: u64, field: &str| {
        named(Some(of_summary.map_or(own, |(_, it)| of(it)) as f64), |count| format!("{count:.0}"), field)
    };
    let percentile = |of: fn(&FunctionSummary) -> Option<u64>, field: &str| {
        named(of_summary.and_then(|(_, it)| of(it)).map(|us| us as f64), micros, field)
    };
    let slowdown = match of_summary {
        Some((_, it)) => it.slowdown.as_ref().and_then(|it| it.geometric_mean),
        None => it.slowdown(),
    };
    vec![
        Cell::text(&it.name),
        count(|it| it.requested, it.requested, "requested"),
        count(|it| it.failed, it.failed, "failed"),
        count(|it| it.cold_starts, it.cold, "coldStarts"),
        Cell::number(it.mean_response_us(), micros),
        percentile(|it| it.response_p50_us, "responseP50Us"),
        percentile(|it| it.response_p99_us, "responseP99Us"),
        Cell::number(it.mean_latency_us(), micros),
        named(slowdown, ratio, "slowdown.geometricMean"),
    ]
}

/// The slots.
pub(super) fn slots(summary: &RunSummary) -> Table {
    let caption = format!("Slots{}", left_out(MOST.min(summary.slots.len()), summary.slots.len()));
    let head = [
        "slot",
        "phase",
        "rate",
        "planned",
        "sent",
        "answered",
        "failed",
        "cold",
        "response p50",
        "p99",
        "own lag p99",
        "saturated",
        "open-loop",
    ];
    let mut table = Table::new(&caption, &head).sortable();
    let yes = |it: bool| Cell::text(if it { "yes" } else { "no" });
    table.rows = summary
        .slots
        .iter()
        .take(MOST)
        .enumerate()
        .map(|(place, it)| {
            let of = |field: &str| format!("slots.{place}.{field}");
            let micros_of = |us: Option<u64>, field: &str| Cell::number(us.map(|us| us as f64), micros).of(of(field));
            vec![
                Cell::count(u64::from(it.slot)),
                Cell::text(&it.phase),
                Cell::number(Some(it.rps), rate).of(of("rps")),
                Cell::count(it.planned).of(of("planned")),
                Cell::count(it.issued).of(of("issued")),
                Cell::count(it.returned).of(of("returned")),
                Cell::count(it.failed).of(of("failed")),
                Cell::count(it.cold_starts).of(of("coldStarts")),
                micros_of(it.response_p50_us, "responseP50Us"),
                micros_of(it.response_p99_us, "responseP99Us"),
                micros_of(it.own_lag_p99_us, "ownLagP99Us"),
                yes(it.saturated),
                yes(it.open_loop),
            ]
        })
        .collect();
    table
}

/// How often each status occurs.
pub(super) fn statuses(run: &Run) -> Table {
    let mut table = Table::new("Invocations of the measured phase by status", &["status", "invocations", "share"]);
    let counts: Vec<(String, u64)> = match run.summary() {
        Some(summary) => {
            let mut counts: Vec<_> = summary.by_status.iter().map(|(status, count)| (status.clone(), *count)).collect();
            counts.sort();
            counts
        }
        None => run
            .rows
            .statuses
            .counts()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(status, count)| (status.to_owned(), count))
            .collect(),
    };
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    table.rows = counts
        .iter()
        .take(MOST)
        .map(|(status, count)| {
            let cell = Cell::count(*count);
            let cell = if run.summary().is_some() { cell.of(format!("byStatus.{status}")) } else { cell };
            vec![Cell::text(status), cell, Cell::number(Some(*count as f64 / all.max(1) as f64), percent)]
        })
        .collect();
    table
}

/// The longest stalls of the loader.
pub(super) fn stalls(summary: &RunSummary) -> Table {
    let has_workers = !summary.workers.is_empty();
    let head = ["began", "late for", "side", "worker"];
    let head = if has_workers { &head[..] } else { &head[..3] };
    let mut table = Table::new("The longest stalls of the loader", head);
    let listed = summary.stalls.iter().flat_map(|stalls| &stalls.listed);
    table.rows = listed
        .map(|stall| {
            let began = instant(Some(stall.start_unix_us));
            let late = Cell::number(Some(stall.duration_us as f64), micros);
            let worker =
                has_workers.then(|| Cell::number(stall.worker.map(f64::from), |worker| format!("{worker:.0}")));
            [Cell::text(began), late, Cell::text(&stall.side)].into_iter().chain(worker).collect()
        })
        .collect();
    table
}

/// Disturbances of the platform.
pub(super) fn events(run: &Run) -> Table {
    let mut table = Table::new("Disturbances", &["since the start of the load", "what"]);
    let events = run.samples.events.iter().take(MOST);
    table.rows = events
        .map(|event| {
            let since = run.since_start(event.unix_us);
            vec![Cell::number(Some(since), |since| format!("{} s", digits(since))), Cell::text(&event.text)]
        })
        .collect();
    table
}
