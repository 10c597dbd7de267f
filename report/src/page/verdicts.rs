//! Whether a run can be trusted: what is to be known before any figure is read.

use loader_proto::v1::{ArrivalTest, RunState, RunSummary};

use super::{
    loader::{clocks, lag, open_loop, saturated, stalls},
    units::percent,
    verdict::{Verdict, Weight, capital, verdict},
    workers,
};
use crate::run::Run;

/// Probability below which arrivals are not those requested (docs/definitions.md).
const OFF: f64 = 0.001;

/// Values below which a 99th percentile has no interval.
const FEW: u64 = 368;

/// All verdicts, in the order in which they void figures.
pub(super) fn verdicts(run: &Run) -> Vec<Verdict> {
    let mut all = vec![ended(run), failures(run)];
    match run.summary() {
        Some(summary) => all.extend(of_loader(summary)),
        None => all.push(lag(run)),
    }
    all.push(samples(run));
    all.push(records(run));
    all
}

/// Those that need no rows: of a run without summary only how it ended.
pub(super) fn of_documents(run: &Run) -> Vec<Verdict> {
    let mut all = vec![ended(run)];
    if let Some(summary) = run.summary() {
        all.push(failures(run));
        all.extend(of_loader(summary));
        all.push(samples(run));
    }
    all
}

/// Whether the loader did what it was asked to.
fn of_loader(summary: &RunSummary) -> Vec<Verdict> {
    let mut all = vec![saturated(summary), open_loop(summary), stalls(summary), arrivals(summary), steady(summary)];
    all.extend(clocks(summary));
    all.extend(workers::lost(summary));
    all.extend(workers::clock_error(summary));
    all
}

fn ended(run: &Run) -> Verdict {
    let reason = run.documents.run.as_ref().map(|file| file.reason.as_str()).filter(|reason| !reason.is_empty());
    let reason = reason.or_else(|| run.summary().map(|summary| summary.reason.as_str())).unwrap_or_default();
    let why = |text: &str| match reason {
        "" => text.to_owned(),
        reason => format!("{}.", capital(reason.trim_end_matches('.'))),
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
    let rates = summary.slots.iter().filter(|slot| slot.phase == "measure").map(|slot| slot.rps.to_bits());
    let is_sweep = summary.mode != "trace" && rates.collect::<std::collections::BTreeSet<_>>().len() > 1;
    match it.verdict.as_str() {
        "steady" => verdict(Weight::Good, "Latencies were steady", it.reason.clone()),
        "trending" if is_sweep => verdict(Weight::Good, "Latencies changed, as the load did", it.reason.clone()),
        "trending" => {
            let by = it
                .trend_per_minute
                .map_or(String::new(), |trend| format!(", by {} of the level in a minute.", percent(trend)));
            verdict(Weight::Care, "Latencies were not steady", format!("{}{by}", it.reason))
        }
        other => verdict(Weight::Open, "Whether latencies were steady", format!("{other}: {}", it.reason)),
    }
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
    let rows = run.row_count();
    match serious.as_slice() {
        [] if run.documents.manifest.is_none() => {
            let text = format!("{rows} rows; without a manifest nothing says whether these are all.");
            verdict(Weight::Open, "Whether the records are complete", text)
        }
        [] => {
            let text = format!("{rows} rows; files have the lengths of the manifest, and up to 64 MiB its checksums.");
            verdict(Weight::Good, "The records are complete", text)
        }
        [first, rest @ ..] => {
            let more = match rest.len() {
                0 => String::new(),
                count => format!(" And {count} more, under \"Remarks on the files\"."),
            };
            verdict(Weight::Care, "Files are not as the run left them", format!("{}.{more}", capital(&first.text)))
        }
    }
}
