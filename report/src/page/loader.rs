//! Verdicts on the loader itself: whether it kept up, and whether it let the load be open-loop.

use loader_proto::v1::{RunSummary, Stalls};

use super::{
    units::{micros, seconds},
    verdict::{Verdict, Weight, verdict},
};
use crate::{catalogue::saturation_lag, run::Run};

/// Slots that are named.
const SLOTS: usize = 12;

fn slots(slots: &[u32]) -> String {
    let named: Vec<_> = slots.iter().take(SLOTS).map(u32::to_string).collect();
    let more = slots.len().saturating_sub(SLOTS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("slots {}{more}", named.join(", "))
}

pub(super) fn saturated(summary: &RunSummary) -> Verdict {
    match &summary.saturated {
        Some(it) if it.saturated => {
            let text = format!(
                "It did not send in time, so these figures describe the loader rather than the platform ({}). {}",
                slots(&it.slots),
                it.reason
            );
            verdict(Weight::Bad, "The loader was the bottleneck", text)
        }
        Some(_) => verdict(Weight::Good, "The loader kept up", "It was not saturated in any slot."),
        None => verdict(Weight::Open, "Whether the loader kept up", "The summary does not say."),
    }
}

pub(super) fn lag(run: &Run) -> Verdict {
    let (limit, p99) = (saturation_lag(run), run.rows.own_lag.percentile(0.99).map(|us| us as f64));
    let title = "Whether the loader kept up is not judged";
    match p99 {
        Some(p99) if p99 > limit => {
            let text = format!("The p99 of its own lag is {}, above the limit of {}.", micros(p99), micros(limit));
            verdict(Weight::Bad, "The loader was late", text)
        }
        Some(p99) => {
            let text = format!(
                "There is no summary. Over all rows the p99 of its own lag is {}; the limit is {}.",
                micros(p99),
                micros(limit)
            );
            verdict(Weight::Care, title, text)
        }
        None => verdict(Weight::Care, title, "There is no summary, and there are too few rows to tell."),
    }
}

pub(super) fn open_loop(summary: &RunSummary) -> Verdict {
    match &summary.open_loop {
        Some(it) if it.violated => {
            let limit = it
                .stream_limit
                .map_or(String::new(), |limit| format!(" The peer allows {limit} streams on a connection."));
            let needed = it.connections_needed.map_or(String::new(), |count| format!(" {count} connections would do."));
            let text = format!(
                "Invocations waited for connections or streams, so the figures are not those of the requested load ({}). {}{limit}{needed}",
                slots(&it.slots),
                it.reason
            );
            verdict(Weight::Bad, "The load was not open-loop", text)
        }
        Some(_) => verdict(Weight::Good, "The load was open-loop", "Invocations did not wait for each other."),
        None => verdict(Weight::Open, "Whether the load was open-loop", "The summary does not say."),
    }
}

pub(super) fn stalls(summary: &RunSummary) -> Verdict {
    let Some(Stalls { count, longest_us, total_us, touched, marked, .. }) = &summary.stalls else {
        return verdict(Weight::Open, "Stalls of the loader", "The summary does not say.");
    };
    if *count == 0 {
        return verdict(Weight::Good, "The loader did not stall", "It was never late by more than its limit.");
    }
    let text = format!(
        "{count} stalls of {} in all, the longest {}; {touched} invocations touched.",
        micros(*total_us as f64),
        micros(*longest_us as f64)
    );
    if marked.is_empty() {
        return verdict(
            Weight::Good,
            "Stalls of the loader do not show",
            format!("No percentile changes by more than 5 %. {text}"),
        );
    }
    let mut figures: Vec<(&str, Vec<&str>)> = Vec::new();
    for it in marked {
        match figures.iter_mut().find(|(figure, _)| *figure == it.figure) {
            Some((_, percentiles)) => percentiles.push(&it.percentile),
            None => figures.push((&it.figure, vec![&it.percentile])),
        }
    }
    let marked = figures.iter().map(|(figure, percentiles)| {
        format!("{} ({})", label(figure), percentiles.join(", ").replace("p999", "p99.9"))
    });
    let marked: Vec<_> = marked.collect();
    verdict(
        Weight::Care,
        "Stalls of the loader show in percentiles",
        format!("Marked * below: {}. {text}", marked.join(", ")),
    )
}

/// What people call a figure of the summary.
fn label(figure: &str) -> &str {
    match figure {
        "dispatchLagUs" => "dispatch lag",
        "ownLagUs" => "own lag",
        "connectUs" => "wait for a connection",
        "streamWaitUs" => "wait for a stream",
        "receiveLagUs" => "receive lag",
        "responseFromDueUs" => "response from due",
        "responseUs" => "response",
        "schedulingLatencyUs" => "scheduling latency",
        "responseInclFailures" => "response incl. failures",
        other => other,
    }
}

pub(super) fn clocks(summary: &RunSummary) -> Option<Verdict> {
    let changes = summary.clock_changes.as_ref()?;
    if changes.suspended_us > 0 {
        let text = format!("For {}: nothing was sent during that time.", seconds(changes.suspended_us as f64 / 1e6));
        return Some(verdict(Weight::Bad, "The loader's machine was suspended", text));
    }
    let text = format!(
        "By {} during the load: timestamps follow the clock as it was before.",
        micros(changes.wall_step_us.unsigned_abs() as f64)
    );
    (changes.wall_step_us != 0).then(|| verdict(Weight::Care, "The wall clock was set", text))
}
