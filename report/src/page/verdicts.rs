//! Whether a run can be trusted: what is to be known before any figure is read.

use loader_proto::v1::{ArrivalTest, RunState, RunSummary, Stalls};

use super::units::{micros, percent, seconds};
use crate::{catalogue::saturation_lag, run::Run};

/// Probability below which arrivals are not those requested (docs/definitions.md).
const OFF: f64 = 0.001;

/// Values below which a 99th percentile has no interval.
const FEW: u64 = 368;

/// Slots that are named.
const SLOTS: usize = 12;

/// What a verdict means for the figures. In this order one outweighs the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Nothing speaks against them.
    Good,
    /// It was not, or could not be, judged.
    Open,
    /// They are to be read with this in mind.
    Care,
    /// They do not say what they seem to.
    Bad,
}

impl Weight {
    /// The class of its style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Open => "open",
            Self::Care => "care",
            Self::Bad => "bad",
        }
    }

    /// For those who don't see the sign before it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "Good",
            Self::Open => "Not judged",
            Self::Care => "Caution",
            Self::Bad => "Bad",
        }
    }
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) weight: Weight,
    pub(super) title: String,
    pub(super) text: String,
}

fn verdict(weight: Weight, title: impl Into<String>, text: impl Into<String>) -> Verdict {
    Verdict { weight, title: title.into(), text: text.into() }
}

/// All verdicts, in the order in which they void figures.
pub(super) fn verdicts(run: &Run) -> Vec<Verdict> {
    let mut all = vec![ended(run), failures(run)];
    match run.summary() {
        Some(summary) => {
            all.extend([saturated(summary), open_loop(summary), stalls(summary), arrivals(summary), steady(summary)]);
            all.extend(clocks(summary));
        }
        None => all.push(lag(run)),
    }
    all.push(samples(run));
    all.push(records(run));
    all
}

/// What all of them come to, in a sentence.
pub(super) fn lead(verdicts: &[Verdict]) -> Verdict {
    let worst = verdicts.iter().map(|it| it.weight).max().unwrap_or(Weight::Open);
    let reasons: Vec<_> = verdicts.iter().filter(|it| it.weight == worst).map(|it| it.title.as_str()).collect();
    let reasons = reasons.join("; ");
    match worst {
        Weight::Good => {
            verdict(worst, "These figures can be relied on", "Nothing that is checked speaks against them.")
        }
        Weight::Open => verdict(
            Weight::Good,
            "These figures can be relied on",
            format!("Nothing that was checked speaks against them. Not judged: {reasons}."),
        ),
        Weight::Care => verdict(worst, "Read these figures with care", format!("{reasons}.")),
        Weight::Bad => verdict(worst, "Do not rely on these figures", format!("{reasons}.")),
    }
}

fn ended(run: &Run) -> Verdict {
    let reason = run.documents.run.as_ref().map(|file| file.reason.as_str()).filter(|reason| !reason.is_empty());
    let reason = reason.or_else(|| run.summary().map(|summary| summary.reason.as_str())).unwrap_or_default();
    let why = |text: &str| match reason.split_at_checked(1) {
        Some((first, rest)) => format!("{}{}.", first.to_uppercase(), rest.trim_end_matches('.')),
        None => text.to_owned(),
    };
    match run.state() {
        RunState::Succeeded => verdict(Weight::Good, "The run was carried out", why("Its plan came to its end.")),
        RunState::Cancelled => {
            verdict(Weight::Care, "The run was cancelled", why("Figures are of what had come due until then."))
        }
        RunState::Failed => verdict(Weight::Bad, "The run failed", why("It does not say why.")),
        RunState::Interrupted => {
            verdict(Weight::Care, "The run was interrupted", why("Its daemon ended before it did."))
        }
        RunState::Unspecified => {
            verdict(Weight::Open, "How the run ended is not known", "There is neither run.json nor a summary.")
        }
        RunState::Queued
        | RunState::Deploying
        | RunState::WarmingUp
        | RunState::Running
        | RunState::Draining
        | RunState::Cleaning => {
            verdict(Weight::Care, "The run has not ended", "Its figures are of what there was when they were read.")
        }
    }
}

fn failures(run: &Run) -> Verdict {
    let (requested, failed) =
        run.summary().map_or((run.rows.requested, run.rows.failed), |it| (it.requested, it.failed));
    if requested == 0 {
        return verdict(Weight::Bad, "Nothing was measured", "No invocation of the measured phase became due.");
    }
    let share = failed as f64 / requested as f64;
    let text = format!("{failed} of {requested} invocations failed, {}. {}", percent(share), causes(run));
    match failed {
        0 => verdict(Weight::Good, "No invocation failed", format!("All {requested} invocations succeeded.")),
        _ if failed == requested => verdict(Weight::Bad, "Every invocation failed", text),
        _ if share > 0.5 => verdict(Weight::Bad, "More than half of the invocations failed", text),
        _ if share >= 0.01 => verdict(Weight::Care, format!("{} of the invocations failed", percent(share)), text),
        _ => verdict(Weight::Good, "Few invocations failed", text),
    }
}

fn causes(run: &Run) -> String {
    let counts: Vec<(String, u64)> = match run.summary() {
        Some(summary) => summary.by_status.iter().map(|(status, count)| (status.clone(), *count)).collect(),
        None => run.rows.statuses.counts().into_iter().map(|(status, count)| (status.to_owned(), count)).collect(),
    };
    let mut failed: Vec<_> = counts.into_iter().filter(|(status, count)| status != "ok" && *count > 0).collect();
    failed.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
    let named: Vec<_> = failed.iter().take(5).map(|(status, count)| format!("{status} {count}")).collect();
    if named.is_empty() { String::new() } else { format!("Causes: {}.", named.join(", ")) }
}

fn slots(slots: &[u32]) -> String {
    let named: Vec<_> = slots.iter().take(SLOTS).map(u32::to_string).collect();
    let more = slots.len().saturating_sub(SLOTS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("slots {}{more}", named.join(", "))
}

fn saturated(summary: &RunSummary) -> Verdict {
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

fn lag(run: &Run) -> Verdict {
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

fn open_loop(summary: &RunSummary) -> Verdict {
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

fn stalls(summary: &RunSummary) -> Verdict {
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

fn arrivals(summary: &RunSummary) -> Verdict {
    let Some(ArrivalTest { count, statistic: _, p_value, plan, gaps, .. }) =
        summary.arrivals.as_ref().filter(|it| it.count > 0)
    else {
        return verdict(Weight::Open, "Whether invocations went out as planned", "Nothing was sent.");
    };
    let off = gaps.as_ref().and_then(|gaps| gaps.off_ratio);
    let off_text = off.map_or(String::new(), |off| {
        format!(" {} of the times between them are off by more than 10 % or 1 ms.", percent(off))
    });
    let p = [*p_value, plan.as_ref().map(|plan| plan.p_value)].into_iter().flatten().fold(1.0, f64::min);
    let text = format!("Kolmogorov–Smirnov test of {count} instants: p = {p:.4}.{off_text}");
    if p < OFF {
        verdict(Weight::Care, "Invocations did not go out as requested", text)
    } else if off.is_some_and(|off| off > 0.05) {
        verdict(Weight::Care, "Times between invocations are not those of the plan", text)
    } else {
        verdict(Weight::Good, "Invocations went out as planned", text)
    }
}

fn steady(summary: &RunSummary) -> Verdict {
    let Some(it) = summary.steady_state.as_ref() else {
        return verdict(Weight::Open, "Whether latencies were steady", "The summary does not say.");
    };
    // Sweeps change the load on purpose.
    let is_sweep = matches!(summary.mode.as_str(), "rps" | "burst" | "coldstart");
    match it.verdict.as_str() {
        "steady" => verdict(Weight::Good, "Latencies were steady", it.reason.clone()),
        "trending" if is_sweep => verdict(Weight::Good, "Latencies changed, as the load did", it.reason.clone()),
        "trending" => {
            let by = it
                .trend_per_minute
                .map_or(String::new(), |trend| format!(" By {} of the level in a minute.", percent(trend)));
            verdict(Weight::Care, "Latencies were not steady", format!("{}{by}", it.reason))
        }
        other => verdict(Weight::Open, "Whether latencies were steady", format!("{other}: {}", it.reason)),
    }
}

fn clocks(summary: &RunSummary) -> Option<Verdict> {
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

fn samples(run: &Run) -> Verdict {
    let answered =
        run.summary().and_then(|it| it.response_us.as_ref()).map_or(run.rows.response.all.count(), |it| it.count);
    match answered {
        0 => verdict(Weight::Bad, "There is no response time", "No invocation of the measured phase succeeded."),
        1..100 => verdict(
            Weight::Care,
            "Few samples",
            format!("{answered} responses are too few for a 99th percentile, which needs 100."),
        ),
        100..FEW => verdict(
            Weight::Care,
            "Few samples",
            format!("{answered} responses give a 99th percentile without an interval, which needs {FEW}."),
        ),
        _ => verdict(
            Weight::Good,
            "Enough samples",
            format!("{answered} responses; the 95 % interval of each percentile stands below it."),
        ),
    }
}

fn records(run: &Run) -> Verdict {
    let serious: Vec<_> = run.remarks.iter().filter(|it| it.is_serious).collect();
    match serious.as_slice() {
        [] => verdict(
            Weight::Good,
            "The records are complete",
            format!("{} rows; lengths and checksums are those of the manifest.", run.row_count()),
        ),
        [first, rest @ ..] => {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" And {} more, under \"Remarks on the files\".", rest.len())
            };
            verdict(Weight::Care, "Files are not as the run left them", format!("{}.{more}", first.text))
        }
    }
}
