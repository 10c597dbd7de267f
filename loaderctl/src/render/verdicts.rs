//! The verdicts on a run, in the order in which they void its figures; they come before any of them.

use std::time::Duration;

use loader_proto::v1::{ClockChanges, OpenLoop, RunSummary, Saturated, Stalls, TouchedPercentile};

use super::{
    counts::by_name,
    distributions::{label, percentile},
    expectations::expectations,
    units::{duration, known, micros, whole},
    workers,
};

/// Slots that are listed; the others are counted.
const LISTED_SLOTS: usize = 20;

/// Stalls that are listed, the longest ones.
const LISTED_STALLS: usize = 5;

/// The first verdict on a run, in a few words; empty where all is well.
pub(super) fn note(summary: &RunSummary) -> &'static str {
    let RunSummary { requested, failed, saturated, open_loop, stalls, .. } = summary;
    if summary.expectations.iter().any(|it| it.met != Some(true)) {
        "expectations not met"
    } else if failed.saturating_mul(2) > *requested {
        "most invocations failed"
    } else if saturated.as_ref().is_some_and(|it| it.saturated) {
        "the loader was the bottleneck"
    } else if open_loop.as_ref().is_some_and(|it| it.violated) {
        "not open-loop"
    } else if summary.workers.iter().any(|it| it.state == workers::LOST) {
        "a worker was lost"
    } else if stalls.as_ref().is_some_and(|it| !it.marked.is_empty()) {
        "stalls of the loader show"
    } else {
        ""
    }
}

/// What a verdict means for the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nothing speaks against them.
    Good,
    /// They are to be read with this in mind.
    Care,
    /// They do not say what they seem to.
    Bad,
}

/// Everything that is to be known before a figure is read; a paragraph each.
pub(super) fn verdicts(summary: &RunSummary) -> String {
    paragraphs(summary).iter().map(|(_, paragraph)| format!("{paragraph}\n\n")).collect()
}

/// What each line of [`verdicts`] says; nothing where it only tells more of the line before.
pub(super) fn emphasis(summary: &RunSummary) -> Vec<Option<Weight>> {
    let of_one = |(weight, paragraph): (Weight, String)| {
        let lines: Vec<_> = paragraph.lines().map(|line| (!line.starts_with(' ')).then_some(weight)).collect();
        lines.into_iter().chain([None])
    };
    paragraphs(summary).into_iter().flat_map(of_one).collect()
}

fn paragraphs(summary: &RunSummary) -> Vec<(Weight, String)> {
    let of = |weight| move |text| (weight, text);
    let stalls = summary.stalls.as_ref();
    let bad = [
        failures(summary),
        Some(expectations(summary)).filter(|text| !text.is_empty()),
        summary.saturated.as_ref().filter(|it| it.saturated).map(saturated),
        summary.open_loop.as_ref().filter(|it| it.violated).map(open_loop),
    ];
    let lost = workers::lost(summary).map(of(Weight::Bad));
    let clock_error = summary.clock_error.as_ref().map(workers::clock_error).map(of(Weight::Care));
    let care = stalls.filter(|it| !it.marked.is_empty()).map(marked);
    let good = Some(clean(summary)).filter(|text| !text.is_empty());
    let found = bad.into_iter().flatten().map(of(Weight::Bad)).chain(lost).chain(clock_error);
    let found = found.chain(care.map(of(Weight::Care))).chain(good.map(of(Weight::Good)));
    found.chain(clocks(summary).into_iter().map(of(Weight::Care))).collect()
}

/// That everything failed, or more than half of it.
fn failures(summary: &RunSummary) -> Option<String> {
    let RunSummary { requested, failed, by_status, .. } = summary;
    if failed.saturating_mul(2) <= *requested {
        return None;
    }
    let causes = by_name(by_status.iter().filter(|(status, _)| *status != "ok"));
    let failures = if failed == requested {
        format!("ALL {requested} INVOCATIONS FAILED")
    } else {
        format!("MOST INVOCATIONS FAILED: {failed} of {requested}")
    };
    Some(format!("{failures} ({causes})"))
}

fn saturated(verdict: &Saturated) -> String {
    let Saturated { saturated: _, reason, slots, workers_needed } = verdict;
    let needed =
        workers_needed.map(|count| format!("\n  workers like this loader that would do: about {count} (--workers)"));
    format!(
        "THE LOADER WAS THE BOTTLENECK: it did not send in time, so these figures\n\
         describe the loader rather than the platform.\n  slots: {}\n  {reason}{}",
        listed(slots),
        needed.unwrap_or_default()
    )
}

fn open_loop(verdict: &OpenLoop) -> String {
    let OpenLoop { violated: _, reason, slots, stream_limit, connections_needed } = verdict;
    let limit = stream_limit.map(|limit| format!("\n  streams that the peer allows on a connection: {limit}"));
    let needed = connections_needed.map(|count| format!("\n  connections that would do for all slots: {count}"));
    format!(
        "NOT OPEN-LOOP: invocations waited for connections or streams, so these figures\n\
         are not those of the requested load.\n  slots: {}\n  {reason}{}{}",
        listed(slots),
        limit.unwrap_or_default(),
        needed.unwrap_or_default(),
    )
}

fn marked(stalls: &Stalls) -> String {
    let percentiles = stalls.marked.iter().map(|it| {
        let TouchedPercentile { figure, percentile: name, value, untouched } = it;
        let time = |us: f64| micros(whole(us));
        let (figure, name) = (label(figure), percentile(name));
        format!("\n  {figure} {name} *  {}, without them {}", time(*value), known(*untouched, time))
    });
    format!(
        "THE LOADER'S STALLS SHOW IN SOME FIGURES, which are marked *:\n  {}{}{}",
        tally(stalls),
        listed_stalls(stalls),
        percentiles.collect::<String>()
    )
}

/// How many stalls there were, how long, and what they touched.
fn tally(stalls: &Stalls) -> String {
    let Stalls { count, longest_us, total_us, listed: _, touched, marked: _ } = stalls;
    let stalls = if *count == 1 { "stall" } else { "stalls" };
    let rows = if *touched == 1 { "invocation" } else { "invocations" };
    format!(
        "{count} {stalls} of {} in all, the longest {}; {touched} {rows} touched",
        micros(*total_us),
        micros(*longest_us)
    )
}

/// The longest stalls, by when they began.
fn listed_stalls(stalls: &Stalls) -> String {
    let mut longest: Vec<_> = stalls.listed.iter().collect();
    longest.sort_by_key(|stall| std::cmp::Reverse(stall.duration_us));
    longest.truncate(LISTED_STALLS);
    longest.sort_by_key(|stall| stall.start_unix_us);
    let lines = longest.into_iter().map(|stall| {
        let at =
            jiff::Timestamp::from_microsecond(stall.start_unix_us).map(|at| at.strftime("%H:%M:%S%.3fZ").to_string());
        let doing = if stall.side == "receive" { "reading" } else { "sending" };
        let of = stall.worker.map(|worker| format!("worker {worker} ")).unwrap_or_default();
        format!("\n  {} {of}{} late for {}", at.unwrap_or_default(), doing, micros(stall.duration_us))
    });
    lines.collect()
}

/// What holds where a verdict was given and found nothing.
fn clean(summary: &RunSummary) -> String {
    let mut holds = Vec::new();
    if summary.saturated.as_ref().is_some_and(|it| !it.saturated) {
        holds.push("The loader kept up: not saturated in any slot.".to_owned());
    }
    if summary.open_loop.as_ref().is_some_and(|it| !it.violated) {
        holds.push("Open-loop: invocations did not wait for each other.".to_owned());
    }
    match &summary.stalls {
        Some(stalls) if stalls.count == 0 => holds.push("No stalls.".to_owned()),
        Some(stalls) if stalls.marked.is_empty() => {
            holds.push(format!("Stalls change no percentile by more than 5 %:\n  {}", tally(stalls)));
        }
        _ => {}
    }
    holds.join("\n")
}

/// Changes of the clocks of the loader's machine: rows can have a gap, or times that differ from the clock.
fn clocks(summary: &RunSummary) -> Vec<String> {
    let Some(ClockChanges { suspended_us, wall_step_us }) = summary.clock_changes else { return Vec::new() };
    let mut notes = Vec::new();
    let tenths = |us: u64| duration(Duration::from_millis((us + 50_000) / 100_000 * 100));
    if suspended_us > 0 {
        let span = tenths(suspended_us);
        notes.push(format!("THE LOADER'S MACHINE WAS SUSPENDED for {span}: nothing was sent during that time."));
    }
    if wall_step_us != 0 {
        let span = tenths(wall_step_us.unsigned_abs());
        let way = if wall_step_us < 0 { "back" } else { "forward" };
        notes.push(format!(
            "The wall clock was set {way} by {span} during the load: timestamps follow the clock as it was before."
        ));
    }
    notes
}

/// Numbers of slots, the first ones of many.
fn listed(slots: &[u32]) -> String {
    let mut shown: Vec<_> = slots.iter().take(LISTED_SLOTS).map(u32::to_string).collect();
    let more = slots.len() - shown.len();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}
