//! What the run's mode set out to find.

use loader_proto::v1::{BurstFindings, ColdStartFindings, RpsFindings, RunSummary, WarmupFindings};

use super::{
    key::distribution_row,
    table::{Cell, Table},
    units::{micros, percent, rate, seconds},
};
use crate::{catalogue::capacity, figure::text::sentence};

/// Slots that are shown.
const SLOTS: usize = 200;

/// The findings in words and tables; empty for a mode without any.
pub(super) fn findings(summary: &RunSummary) -> String {
    let parts = [
        summary.rps.as_ref().map(rps),
        summary.burst.as_ref().map(|it| burst(summary, it)),
        summary.coldstart.as_ref().map(coldstart),
        summary.warmup.as_ref().map(warmup),
        Some(summary.notes.iter().map(|note| paragraph(note)).collect()),
    ];
    parts.into_iter().flatten().collect()
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", sentence(text))
}

fn rps(findings: &RpsFindings) -> String {
    let RpsFindings {
        sustained_passed, sustained_tried, unsustained_passed, unsustained_tried, unknown, slots, ..
    } = findings;
    let mut text = capacity(findings);
    if findings.sustained_rate.is_some() {
        text += &format!(" Sustained in {sustained_passed} of {sustained_tried} slots.");
    }
    if findings.unsustained_rate.is_some() {
        text += &format!(" The rate above it in {unsustained_passed} of {unsustained_tried}.");
    }
    if !unknown.is_empty() {
        text += &format!(" The search gave up: {unknown}.");
    }
    let mut table = Table::new(
        "Slots",
        &["slot", "rate", "verdict", "why", "failed", "growth of the backlog", "within the objective"],
    );
    table.rows = slots
        .iter()
        .take(SLOTS)
        .enumerate()
        .map(|(place, slot)| {
            let of = |field: &str| format!("rps.slots.{place}.{field}");
            vec![
                Cell::count(u64::from(slot.slot)),
                Cell::number(Some(slot.rate), rate).of(of("rate")),
                Cell::text(&slot.verdict),
                Cell::text(&slot.reason),
                Cell::number(slot.failed_ratio, percent).of(of("failedRatio")),
                Cell::number(slot.backlog_slope, rate).of(of("backlogSlope")),
                Cell::number(slot.slo_share, percent).of(of("sloShare")),
            ]
        })
        .collect();
    paragraph(&text) + &table.sortable().html()
}

fn burst(summary: &RunSummary, findings: &BurstFindings) -> String {
    let BurstFindings { steady_before_us, steady_during_us, bursty_before_us, burst_us, victim_us, victim_cold } =
        findings;
    let mut table =
        Table::new("Response times of what succeeded", &["", "n", "p50", "p90", "p95", "p99", "p99.9", "max"]);
    table.rows = [
        ("burst.steadyBeforeUs", "steady before the burst", steady_before_us),
        ("burst.steadyDuringUs", "steady during the burst", steady_during_us),
        ("burst.burstyBeforeUs", "bursty before the burst", bursty_before_us),
        ("burst.burstUs", "the burst itself", burst_us),
    ]
    .into_iter()
    .map(|(field, name, values)| distribution_row(summary, field, name, values.as_ref()))
    .collect();
    let cold = match victim_cold {
        Some(true) => " from a cold instance",
        Some(false) => " from a warm instance",
        None => "",
    };
    let victim = victim_us.map_or("The victim did not succeed.".to_owned(), |us| {
        format!("The victim was answered in {}{cold}.", micros(us as f64))
    });
    paragraph(&victim) + &table.html()
}

fn coldstart(findings: &ColdStartFindings) -> String {
    let ColdStartFindings { requested, achieved, shortfall, shortfall_by_slot, ended_at_overload } = findings;
    let mut table = Table::new("Cold starts that no function was cold for, by slot", &["slot", "shortfall"]);
    let short = shortfall_by_slot.iter().enumerate().filter(|(_, count)| **count > 0).take(SLOTS);
    table.rows = short.map(|(slot, count)| vec![Cell::count(slot as u64), Cell::count(*count)]).collect();
    let end = if *ended_at_overload { " The run ended at overload." } else { "" };
    let text = format!(
        "{requested} cold starts were planned; {achieved} invocations were sent to a function without instances, {shortfall} found none such.{end}"
    );
    paragraph(&text) + &table.html()
}

fn warmup(findings: &WarmupFindings) -> String {
    let WarmupFindings {
        measured_from_us,
        stationary: _,
        points,
        statistic,
        p_value,
        ended,
        instances_needed,
        instances_started,
    } = findings;
    let test = match (statistic, p_value) {
        (Some(statistic), Some(p)) => {
            format!(" Augmented Dickey-Fuller test of the last window: statistic {statistic:.2}, p = {p:.4}.")
        }
        _ => String::new(),
    };
    let ended = if ended.is_empty() { "the run ended in it".to_owned() } else { ended.clone() };
    let text = format!(
        "The warm-up ended after {}: {ended}, by {points} latencies.{test} Functions began with {instances_started} of {instances_needed} instances that they were expected to need.",
        seconds(*measured_from_us as f64 / 1e6)
    );
    paragraph(&text)
}
