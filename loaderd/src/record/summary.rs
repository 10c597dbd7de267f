//! The summary of a run: its statistics and findings as one message, which is also summary.json.

use loader_proto::v1::{
    self, BurstFindings, ColdStartFindings, ColdStarts, Distribution, FunctionSummary, RpsFindings, RunSummary,
    Saturated, WarmupFindings,
};

use super::{
    Statistics, Tally,
    slots::{SlotRow, micros},
    statistics::{BurstStatistics, FunctionStatistics},
};
use crate::{
    clock::{ClockChanges, UnixMicros},
    plan::{Findings, Phase},
};

/// Verdicts that are put into words; the others are counted.
const VERDICTS_IN_WORDS: usize = 3;

/// What a summary needs beside the statistics. Identity and end of the run are the caller's to fill in.
#[derive(Debug)]
pub struct SummaryFacts {
    /// When the first invocation was due.
    pub start: UnixMicros,
    /// What happened to the clocks while the load went.
    pub clock_changes: Option<ClockChanges>,
    /// Names of the functions, in the plan's order.
    pub functions: Vec<String>,
    /// Instances that the platform started.
    pub instances_started: u64,
    /// What the plan found.
    pub findings: Findings,
    /// Whether the run was in mode burst.
    pub burst: bool,
    /// Invocations that a clamp touched.
    pub clamped: u64,
    /// Functions of the trace that were left out, by reason.
    pub dropped_functions: std::collections::BTreeMap<String, u64>,
    /// What the warm-up came to.
    pub warmup: Option<WarmupFindings>,
}

/// Puts a run's figures together.
pub fn summarise(mut statistics: Statistics, facts: SummaryFacts) -> RunSummary {
    statistics.slots.sort_by_key(|row| row.slot);
    let SummaryFacts {
        start,
        clock_changes,
        functions,
        instances_started,
        findings,
        burst,
        clamped,
        dropped_functions,
        warmup,
    } = facts;
    let measured = || statistics.slots.iter().filter(|row| row.phase == Phase::Measure.as_str());
    let planned: u64 = measured().map(|row| row.planned).sum();
    let issued_in_time: u64 = measured().map(|row| row.issued).sum();
    let mut summary = RunSummary {
        start_unix_us: start.0,
        load_duration_us: micros(statistics.measured_load),
        requested: statistics.requested,
        issued: statistics.issued,
        returned: statistics.returned,
        failed: statistics.failed,
        achieved_ratio: if planned == 0 { 0.0 } else { issued_in_time as f64 / planned as f64 },
        rows: statistics.rows,
        dispatch_lag_us: Some(Distribution::from(&statistics.lag)),
        response_from_due_us: Some(Distribution::from(&statistics.response_from_due)),
        response_us: Some(Distribution::from(&statistics.response)),
        scheduling_latency_us: Some(Distribution::from(&statistics.scheduling_latency)),
        slowdown: Some((&statistics.slowdown).into()),
        cold_starts: Some(cold_starts(&statistics, instances_started)),
        saturated: Some(saturated(&statistics)),
        arrivals: Some(statistics.arrivals.test()),
        functions: functions.into_iter().zip(&statistics.functions).map(function).collect(),
        burst: burst.then(|| burst_findings(&statistics.burst)),
        clamped,
        dropped_functions,
        warmup,
        clock_changes: clock_changes.map(changes),
        ..RunSummary::default()
    };
    match findings {
        Findings::None => {}
        Findings::Rps { held_rate, overloaded_slots, ended_at_overload } => {
            let held_rate = held_rate.unwrap_or_default();
            summary.rps = Some(RpsFindings { held_rate, overloaded_slots, ended_at_overload });
        }
        Findings::ColdStart { requested, shortfall_by_slot, ended_at_overload } => {
            summary.coldstart = Some(ColdStartFindings {
                requested,
                achieved: statistics.cold_sent,
                shortfall: shortfall_by_slot.iter().sum(),
                shortfall_by_slot,
                ended_at_overload,
            });
        }
    }
    summary.by_status = statistics.by_status;
    summary.slots = statistics.slots;
    summary
}

fn changes(ClockChanges { suspended, wall_step_us }: ClockChanges) -> v1::ClockChanges {
    v1::ClockChanges { suspended_us: micros(suspended), wall_step_us }
}

fn cold_starts(statistics: &Statistics, instances_started: u64) -> ColdStarts {
    let known = statistics.cold_known;
    ColdStarts {
        count: statistics.cold_starts,
        share: if known == 0 { 0.0 } else { statistics.cold_starts as f64 / known as f64 },
        latency_p50_us: statistics.cold_latency.quantile(0.5),
        latency_p99_us: statistics.cold_latency.quantile(0.99),
        instances_started,
    }
}

fn saturated(statistics: &Statistics) -> Saturated {
    let verdicts = &statistics.verdicts;
    let words: Vec<_> = verdicts.iter().take(VERDICTS_IN_WORDS).map(ToString::to_string).collect();
    let mut reason = words.join("; ");
    if verdicts.len() > VERDICTS_IN_WORDS {
        reason = format!("{reason}; and {} more slots", verdicts.len() - VERDICTS_IN_WORDS);
    }
    Saturated {
        saturated: statistics.is_saturated(),
        reason,
        slots: statistics.slots.iter().filter(|row| row.saturated).map(|row: &SlotRow| row.slot).collect(),
    }
}

fn function((name, statistics): (String, &FunctionStatistics)) -> FunctionSummary {
    let both = |tally: &Tally| (tally.quantile(0.5), tally.quantile(0.99));
    let (response_p50_us, response_p99_us) = both(&statistics.response);
    let (scheduling_latency_p50_us, scheduling_latency_p99_us) = both(&statistics.scheduling_latency);
    FunctionSummary {
        function: name,
        requested: statistics.requested,
        failed: statistics.failed,
        cold_starts: statistics.cold_starts,
        response_p50_us,
        response_p99_us,
        scheduling_latency_p50_us,
        scheduling_latency_p99_us,
        slowdown: Some((&statistics.slowdown).into()),
    }
}

fn burst_findings(burst: &BurstStatistics) -> BurstFindings {
    BurstFindings {
        steady_before_us: Some(Distribution::from(&burst.steady_before)),
        steady_during_us: Some(Distribution::from(&burst.steady_during)),
        bursty_before_us: Some(Distribution::from(&burst.bursty_before)),
        burst_us: Some(Distribution::from(&burst.burst)),
        victim_us: burst.victim.map_or(0, micros),
        victim_cold: burst.victim_cold,
    }
}
