//! The run under way.

use super::figures::{Moment, figures};
use crate::{
    figure::{
        Mark,
        text::{escaped, sentence, visible},
    },
    page::units,
};

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
