//! The run under way.

use std::cmp::Reverse;

use super::figures::{Moment, figures};
use crate::{
    figure::{
        Mark,
        text::{escaped, sentence, visible},
    },
    page::{
        table::{Cell, Table},
        units,
    },
};

/// Workers that are shown: of more, the worst.
const WORKERS: usize = 16;

/// Invocations of a run, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of the whole plan; absent when it is open-ended.
    pub planned: Option<u64>,
    /// That were sent.
    pub issued: u64,
    /// That have ended, in whatever way.
    pub completed: u64,
    /// Of those, that failed.
    pub failed: u64,
    /// That found a cold instance.
    pub cold_starts: u64,
}

/// What the last seconds were like, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latencies {
    /// Response time, median.
    pub response_p50_us: Option<u64>,
    /// Response time, 99th percentile.
    pub response_p99_us: Option<u64>,
    /// The loader's own lag, 99th percentile.
    pub own_lag_p99_us: Option<u64>,
}

/// A worker of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Worker {
    /// Its number.
    pub index: u32,
    /// The node that it runs on; empty while it is not known.
    pub node: String,
    /// Its state, such as `ok` or `lost`.
    pub state: String,
    /// Invocations of its share that have come due.
    pub due: u64,
    /// Those that it has sent.
    pub issued: u64,
    /// Invocations in flight.
    pub in_flight: u64,
    /// Own lag of the last seconds, 99th percentile, in microseconds.
    pub own_lag_p99_us: Option<u64>,
    /// How well its clock is known, in nanoseconds; absent until it was compared.
    pub clock_bound_ns: Option<u64>,
}

/// A run under way.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnderWay {
    /// Its id.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// Its mode.
    pub mode: String,
    /// Its platform.
    pub platform: String,
    /// Its state, such as `running`.
    pub state: String,
    /// What its clean-up waits for; empty when it waits for nothing.
    pub waiting_for: String,
    /// Functions that are deployed, and all of them; absent before deployment.
    pub functions: Option<(u32, u32)>,
    /// The slot under way, from 1, and how many there are, where that is known; absent before the load.
    pub slot: Option<(u32, Option<u32>)>,
    /// Seconds since the start of the load; absent before it.
    pub elapsed: Option<f64>,
    /// How many seconds the load lasts; absent when it is open-ended.
    pub duration: Option<f64>,
    /// Its invocations; absent before the load.
    pub counts: Option<Counts>,
    /// Its last seconds.
    pub latencies: Latencies,
    /// The limit of the loader's own lag p99, in microseconds; absent where it is not known.
    pub lag_limit_us: Option<f64>,
    /// Whether the loader itself was the bottleneck so far.
    pub is_saturated: bool,
    /// Each second of its load so far.
    pub moments: Vec<Moment>,
    /// What was done to the platform on purpose: seconds since the start of the load, and what.
    pub events: Vec<(f64, String)>,
    /// Its workers; empty of a run without them.
    pub workers: Vec<Worker>,
}

/// The part of the page when no run is under way.
pub fn nothing_under_way() -> String {
    "<h2 id=\"now\">Under way</h2>\n<p>No run is under way. <code>loaderctl submit</code> queues one.</p>\n".to_owned()
}

/// The part of the page about a run.
pub fn under_way(run: &UnderWay) -> String {
    let label = if run.name.is_empty() { &run.id } else { &run.name };
    let (label, id) = (escaped(&visible(label)), escaped(&visible(&run.id)));
    let state = run.state.replace('_', " ");
    let told = [&state, &run.mode, &format!("on {}", run.platform)].map(|text| escaped(&visible(text))).join(" · ");
    let mut html = format!(
        "<h2 id=\"now\">Under way: <bdi>{label}</bdi></h2>\n<p class=\"soft\">{told} · <code>{id}</code></p>\n"
    );
    if run.is_saturated {
        html += "<div class=\"lead bad\"><strong>The loader is the bottleneck</strong>It sends too late: figures of this run say \
                 more about the loader than about the platform.</div>\n";
    }
    if !run.waiting_for.is_empty() {
        let what = sentence(&run.waiting_for);
        html += &format!("<div class=\"lead care\"><strong>The clean-up waits</strong>{what}</div>\n");
    }
    html += &progress(run);
    html += &numbers(run);
    html += &workers(&run.workers);
    let marks: Vec<_> = run.events.iter().map(|(at, label)| Mark { at: *at, label: label.clone() }).collect();
    html + &figures(&run.moments, &marks, run.lag_limit_us)
}

/// How far it has come.
fn progress(run: &UnderWay) -> String {
    match (run.elapsed, run.duration, run.functions) {
        (Some(elapsed), Some(duration), _) => {
            let told = format!("{} of {}", units::seconds(elapsed.min(duration).floor()), units::seconds(duration));
            let share = if duration > 0.0 { (elapsed / duration).clamp(0.0, 1.0) } else { 1.0 };
            format!("<p><progress max=\"1\" value=\"{share:.3}\" aria-label=\"Load\">{told}</progress> {told}</p>\n")
        }
        (Some(elapsed), None, _) => format!("<p>{} of an open-ended load</p>\n", units::seconds(elapsed.floor())),
        (None, _, Some((ready, total))) => format!("<p>{ready} of {total} functions are deployed.</p>\n"),
        (None, _, None) => String::new(),
    }
}

/// Its numbers.
fn numbers(run: &UnderWay) -> String {
    let Some(counts) = run.counts else { return String::new() };
    let micros = |us: Option<u64>| us.map_or(units::UNKNOWN.to_owned(), |us| units::micros(us as f64));
    let of_planned = counts.planned.map_or(String::new(), |planned| format!(" of {planned}"));
    let share = |part: u64| match counts.completed {
        0 => part.to_string(),
        all => format!("{part} ({})", units::percent(part as f64 / all as f64)),
    };
    let slot = run.slot.map(|(slot, slots)| match slots {
        Some(slots) => format!("{slot} of {slots}"),
        None => slot.to_string(),
    });
    let last = run.moments.last();
    let shown = [
        ("Sent", Some(format!("{}{of_planned}", counts.issued))),
        ("Requested rate", last.map(|it| units::rate(it.requested))),
        ("Achieved rate", last.map(|it| units::rate(it.achieved))),
        ("In flight", last.map(|it| format!("{:.0}", it.in_flight))),
        ("Failed", Some(share(counts.failed))),
        ("Cold starts", Some(share(counts.cold_starts))),
        ("Response p50", Some(micros(run.latencies.response_p50_us))),
        ("Response p99", Some(micros(run.latencies.response_p99_us))),
        ("Own lag p99", Some(micros(run.latencies.own_lag_p99_us))),
        ("Slot", slot),
    ];
    let shown = shown.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let shown: String =
        shown.map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(&value))).collect();
    format!("<dl class=\"key\">\n{shown}</dl>\n")
}

/// Its workers, with their sums first.
fn workers(workers: &[Worker]) -> String {
    if workers.is_empty() {
        return String::new();
    }
    let more = workers.len().saturating_sub(WORKERS);
    let caption =
        if more > 0 { format!("Workers: the worst {WORKERS} of {}", workers.len()) } else { "Workers".to_owned() };
    let mut worst: Vec<_> = workers.iter().collect();
    if more > 0 {
        worst.sort_by_key(|it| (it.state == "ok", Reverse(it.own_lag_p99_us), it.index));
        worst.truncate(WORKERS);
        worst.sort_by_key(|it| it.index);
    }
    let head = ["worker", "node", "state", "due", "sent", "in flight", "own lag p99", "clock known to ±"];
    let mut table = Table::new(&caption, &head);
    let all = |figure: fn(&Worker) -> u64| workers.iter().map(figure).sum();
    let sum = Worker {
        due: all(|it| it.due),
        issued: all(|it| it.issued),
        in_flight: all(|it| it.in_flight),
        own_lag_p99_us: workers.iter().filter_map(|it| it.own_lag_p99_us).max(),
        clock_bound_ns: workers.iter().filter_map(|it| it.clock_bound_ns).max(),
        ..Worker::default()
    };
    if workers.len() > 1 {
        table.rows.push(worker(Cell::text("all"), &sum));
    }
    table.rows.extend(worst.into_iter().map(|it| worker(Cell::text(it.index.to_string()), it)));
    table.html()
}

fn worker(name: Cell, worker: &Worker) -> Vec<Cell> {
    let Worker { index: _, node, state, due, issued, in_flight, own_lag_p99_us, clock_bound_ns } = worker;
    let number = |value: Option<u64>, text: fn(f64) -> String| Cell::number(value.map(|it| it as f64), text);
    vec![
        name,
        Cell::text(node),
        Cell::text(state),
        Cell::count(*due),
        Cell::count(*issued),
        Cell::count(*in_flight),
        number(*own_lag_p99_us, units::micros),
        number(*clock_bound_ns, units::nanos),
    ]
}
