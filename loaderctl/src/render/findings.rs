//! What the modes set out to find.

use std::time::Duration;

use loader_proto::v1::{BurstFindings, ColdStartFindings, RpsFindings, RpsSlot, RunState, RunSummary, WarmupFindings};

use super::{
    distributions::responses,
    table,
    units::{duration, micros},
};

/// The findings of the run's mode; empty for a mode without any.
pub(super) fn findings(summary: &RunSummary) -> String {
    let rps = summary.rps.as_ref().map(|findings| rps(findings, summary.state()));
    rps.or_else(|| summary.warmup.as_ref().map(warmup))
        .or_else(|| summary.burst.as_ref().map(|findings| burst(findings, summary)))
        .or_else(|| summary.coldstart.as_ref().map(|findings| coldstart(findings, summary.state())))
        .unwrap_or_default()
}

fn warmup(findings: &WarmupFindings) -> String {
    let WarmupFindings {
        measured_from_us,
        stationary,
        points,
        statistic,
        p_value,
        instances_needed,
        instances_started,
        ended,
    } = findings;
    let because = match (measured_from_us, stationary) {
        (0, _) => "the run ended during the warm-up".to_owned(),
        (_, true) => "steady state".to_owned(),
        (_, false) => ended.replacen("no steady", "NO steady", 1),
    };
    let test = match (statistic, p_value) {
        (Some(statistic), Some(p)) => format!("statistic {statistic:.2}, p {p:.4}, {points} latencies"),
        _ => format!("none, {points} latencies"),
    };
    let started = if instances_started < instances_needed {
        format!("{instances_started} of {instances_needed} needed: no room for more")
    } else {
        instances_started.to_string()
    };
    table::pairs([
        ("warm-up", duration(Duration::from_micros(*measured_from_us))),
        ("ended", because),
        ("Dickey-Fuller", test),
        ("instances at start", started),
    ])
}

fn rps(findings: &RpsFindings, state: RunState) -> String {
    let RpsFindings { overloaded_slots, ended_at_overload, unknown, slots, .. } = findings;
    let some = findings.sustained_rate.is_some() || findings.unsustained_rate.is_some();
    let given_up = if some { unknown.clone() } else { String::new() };
    let totals = table::pairs([
        ("sustained rate", capacity(findings)),
        ("search gave up", given_up.clone()),
        ("overloaded slots", overloaded_slots.to_string()),
        ("ended", if given_up.is_empty() { end(*ended_at_overload, state).to_owned() } else { String::new() }),
    ]);
    let told: Vec<_> = slots.iter().filter(|slot| !slot.reason.is_empty()).map(rps_slot).collect();
    let left_out = told.len().saturating_sub(MOST_REASONS);
    let shown = told[left_out..].to_vec();
    let earlier = if left_out > 0 { format!("... and {left_out} before\n") } else { String::new() };
    let reasons =
        if shown.is_empty() { String::new() } else { table::text(&["slot", "rate", "verdict", "why"], shown) };
    format!("{totals}{reasons}{earlier}")
}

/// How many slots that were not sustained are shown with their reason: the last ones, around the capacity.
const MOST_REASONS: usize = 10;

/// The interval in which the capacity lies, in words.
fn capacity(findings: &RpsFindings) -> String {
    let RpsFindings { sustained_rate, sustained_passed, sustained_tried, at_least, unknown, .. } = findings;
    let RpsFindings { unsustained_rate, unsustained_passed, unsustained_tried, .. } = findings;
    let not = unsustained_rate
        .map(|above| format!("not {} ({unsustained_passed} of {unsustained_tried})", exact_rate(above)));
    let Some(sustained) = sustained_rate else {
        return match not {
            Some(not) => format!("none, {not}"),
            None if !unknown.is_empty() => format!("unknown: {unknown}"),
            None => "unknown: no slot was judged".to_owned(),
        };
    };
    let at_least = if *at_least { "at least " } else { "" };
    let sustained = format!("{at_least}{} ({sustained_passed} of {sustained_tried} slots)", exact_rate(*sustained));
    not.map_or(sustained.clone(), |not| format!("{sustained}, {not}"))
}

/// A rate as it was asked for, to a hundredth: the interval may be narrower than whole numbers.
fn exact_rate(rate: f64) -> String {
    format!("{}/s", (rate * 100.0).round() / 100.0)
}

fn rps_slot(slot: &RpsSlot) -> Vec<String> {
    let RpsSlot { slot, rate, verdict, reason, failed_ratio: _, backlog_slope: _, slo_share: _ } = slot;
    vec![slot.to_string(), exact_rate(*rate), verdict.clone(), reason.clone()]
}

fn burst(findings: &BurstFindings, summary: &RunSummary) -> String {
    let BurstFindings { steady_before_us, steady_during_us, bursty_before_us, burst_us, victim_us, victim_cold } =
        findings;
    let rows = [
        ("steady before the burst", steady_before_us),
        ("steady during the burst", steady_during_us),
        ("bursty before the burst", bursty_before_us),
        ("the burst itself", burst_us),
    ];
    let victim = match (victim_us, victim_cold) {
        (None, _) => "did not succeed".to_owned(),
        (Some(us), Some(true)) => format!("{} (cold start)", micros(*us)),
        (Some(us), Some(false)) => format!("{} (warm)", micros(*us)),
        (Some(us), None) => micros(*us),
    };
    format!("{}victim  {victim}\n", responses("Burst: response times", summary, &rows))
}

fn coldstart(findings: &ColdStartFindings, state: RunState) -> String {
    let ColdStartFindings { requested, achieved, shortfall, shortfall_by_slot, ended_at_overload } = findings;
    let short = shortfall_by_slot.iter().enumerate().filter(|(_, count)| **count > 0);
    let short: Vec<_> = short.map(|(slot, count)| format!("slot {slot}: {count}")).collect();
    table::pairs([
        ("planned cold starts", requested.to_string()),
        ("sent to a cold function", achieved.to_string()),
        (
            "shortfall",
            if short.is_empty() { shortfall.to_string() } else { format!("{shortfall} ({})", short.join(", ")) },
        ),
        ("ended", end(*ended_at_overload, state).to_owned()),
    ])
}

/// What ended the run.
fn end(at_overload: bool, state: RunState) -> &'static str {
    match (at_overload, state == RunState::Succeeded) {
        (true, _) => "at overload",
        (false, true) => "as planned",
        (false, false) => "before its plan did",
    }
}
