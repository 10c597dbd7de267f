//! The summary of a run's load: its statistics and findings, put together.

use std::{collections::BTreeMap, time::Duration};

use super::{ArrivalTest, Slowdown, Statistics, slots::SlotRow, statistics::FunctionStatistics};
use crate::{
    clock::{ClockChanges, UnixMicros},
    histogram::{Distribution, Histogram},
    plan::{Findings, Phase},
};

/// Verdicts that are listed in the reason; the others are counted.
const LISTED_VERDICTS: usize = 3;

/// What a summary needs besides the statistics.
#[derive(Debug)]
pub struct SummaryFacts {
    /// The number that everything random in the run came from.
    pub seed: u64,
    /// When the first invocation was due.
    pub start: UnixMicros,
    /// What happened to the clocks while the load went.
    pub clock_changes: Option<ClockChanges>,
    /// Names of the functions, in the plan's order.
    pub functions: Vec<String>,
    /// Instances that the platform started.
    pub instances_started: u64,
    /// What the run's mode found.
    pub findings: Option<Box<dyn Findings>>,
    /// Invocations that a clamp touched.
    pub clamped: u64,
    /// Functions of the trace that were dropped, by reason.
    pub dropped_functions: BTreeMap<String, u64>,
    /// What the warm-up came to.
    pub warmup: Option<WarmupFindings>,
}

/// The results of a run's load: of its measured part, but for `rows` and `slots`.
#[derive(Debug, Default)]
pub struct Summary {
    /// The number that everything random in the run came from.
    pub seed: u64,
    /// When the first invocation was due.
    pub start: UnixMicros,
    /// From then to the end of the last slot that ran.
    pub load_duration: Duration,
    /// Invocations of the plan.
    pub requested: u64,
    /// Invocations that were sent.
    pub issued: u64,
    /// Invocations that were answered, well or not.
    pub returned: u64,
    /// Invocations with any status but ok.
    pub failed: u64,
    /// Invocations by status, as in invocations.csv.
    pub by_status: BTreeMap<String, u64>,
    /// Issued over planned, inside their slots.
    pub achieved_ratio: f64,
    /// Number of rows in invocations.csv.
    pub rows: u64,
    /// Dispatch lag of all that was sent, in microseconds.
    pub dispatch_lag_us: Distribution,
    /// Response time from the due time, in microseconds.
    pub response_from_due_us: Distribution,
    /// Response time from the send, in microseconds.
    pub response_us: Distribution,
    /// Response minus execution, in microseconds.
    pub scheduling_latency_us: Distribution,
    /// Response over requested run time.
    pub slowdown: Slowdown,
    /// Cold starts, as reported by the functions.
    pub cold_starts: ColdStarts,
    /// Whether the loader itself was the bottleneck.
    pub saturation: Saturation,
    /// Whether invocations were sent as requested.
    pub arrivals: ArrivalTest,
    /// By function, in the plan's order.
    pub functions: Vec<FunctionSummary>,
    /// By slot, in order.
    pub slots: Vec<SlotRow>,
    /// Invocations that a clamp touched.
    pub clamped: u64,
    /// Functions of the trace that were dropped, by reason.
    pub dropped_functions: BTreeMap<String, u64>,
    /// What the warm-up came to, if there was one.
    pub warmup: Option<WarmupFindings>,
    /// What happened to the clocks while the load went; absent when nothing did.
    pub clock_changes: Option<ClockChanges>,
    /// What the run's mode found, if it looks for anything.
    pub findings: Option<Box<dyn Findings>>,
}

/// Cold starts, as reported by the functions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ColdStarts {
    /// Invocations that were the first of their instance.
    pub count: u64,
    /// Their share of the invocations of which it is known.
    pub share: f64,
    /// Response time of cold invocations, median, in microseconds.
    pub latency_p50_us: u64,
    /// Response time of cold invocations, 99th percentile, in microseconds.
    pub latency_p99_us: u64,
    /// Instances that the platform started during the run.
    pub instances_started: u64,
}

/// The verdict on the loader itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saturation {
    /// Whether it was the bottleneck in at least one slot.
    pub saturated: bool,
    /// Which slots, by how much.
    pub reason: String,
    /// Slots in which it was.
    pub slots: Vec<u32>,
}

/// One function's share in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSummary {
    /// The name of the function.
    pub function: String,
    /// Invocations that came due.
    pub requested: u64,
    /// Invocations with any status but ok.
    pub failed: u64,
    /// Cold starts, as reported by the functions.
    pub cold_starts: u64,
    /// Response time from the send, median, in microseconds.
    pub response_p50_us: u64,
    /// Response time from the send, 99th percentile, in microseconds.
    pub response_p99_us: u64,
    /// Response minus execution, median, in microseconds.
    pub scheduling_latency_p50_us: u64,
    /// Response minus execution, 99th percentile, in microseconds.
    pub scheduling_latency_p99_us: u64,
    /// Response over requested run time.
    pub slowdown: Slowdown,
}

/// What a warm-up came to.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmupFindings {
    /// When the measured part began, from the start of the load; 0 when it never did.
    pub measured_from_us: u64,
    /// How the warm-up ended, as text; empty when the run ended in it.
    pub ended: String,
    /// Whether it began because the scheduling latencies had reached a steady state.
    pub stationary: bool,
    /// Scheduling latencies in the last window that was judged.
    pub points: u64,
    /// Statistic of the last augmented Dickey-Fuller test; absent when there was none.
    pub statistic: Option<f64>,
    /// The p-value of `statistic`; absent when there was no test.
    pub p_value: Option<f64>,
    /// Instances that the functions were expected to need in all.
    pub instances_needed: u32,
    /// Instances that they started with.
    pub instances_started: u32,
}

/// Puts a run's figures together.
pub fn summarise(mut statistics: Statistics, facts: SummaryFacts) -> Summary {
    statistics.slots.sort_by_key(|row| row.slot);
    let SummaryFacts {
        seed,
        start,
        clock_changes,
        functions,
        instances_started,
        findings,
        clamped,
        dropped_functions,
        warmup,
    } = facts;
    let measured = || statistics.slots.iter().filter(|row| row.phase == Phase::Measure);
    let planned: u64 = measured().map(|row| row.planned).sum();
    let issued_in_time: u64 = measured().map(|row| row.issued).sum();
    Summary {
        seed,
        start,
        load_duration: statistics.measured_load,
        requested: statistics.requested,
        issued: statistics.issued,
        returned: statistics.returned,
        failed: statistics.failed,
        achieved_ratio: if planned == 0 { 0.0 } else { issued_in_time as f64 / planned as f64 },
        rows: statistics.rows,
        dispatch_lag_us: Distribution::from(&statistics.lag),
        response_from_due_us: Distribution::from(&statistics.response_from_due),
        response_us: Distribution::from(&statistics.response),
        scheduling_latency_us: Distribution::from(&statistics.scheduling_latency),
        slowdown: Slowdown::from(&statistics.slowdown),
        cold_starts: cold_starts(&statistics, instances_started),
        saturation: saturation(&statistics),
        arrivals: statistics.arrivals.test(),
        functions: functions.into_iter().zip(&statistics.functions).map(function).collect(),
        clamped,
        dropped_functions,
        warmup,
        clock_changes,
        findings,
        by_status: statistics.by_status,
        slots: statistics.slots,
    }
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

fn saturation(statistics: &Statistics) -> Saturation {
    let verdicts = &statistics.verdicts;
    let listed: Vec<_> = verdicts.iter().take(LISTED_VERDICTS).map(ToString::to_string).collect();
    let mut reason = listed.join("; ");
    if verdicts.len() > LISTED_VERDICTS {
        reason = format!("{reason}; and {} more slots", verdicts.len() - LISTED_VERDICTS);
    }
    Saturation {
        saturated: statistics.is_saturated(),
        reason,
        slots: statistics.slots.iter().filter(|row| row.saturated).map(|row| row.slot).collect(),
    }
}

fn function((name, statistics): (String, &FunctionStatistics)) -> FunctionSummary {
    let both = |histogram: &Histogram| (histogram.quantile(0.5), histogram.quantile(0.99));
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
        slowdown: Slowdown::from(&statistics.slowdown),
    }
}
