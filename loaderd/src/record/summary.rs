//! The summary of a run's load: its statistics and findings, put together.

use std::{collections::BTreeMap, time::Duration};

use super::{
    ArrivalTest, Counts, DisturbanceFindings, Slowdown, Statistics,
    distributions::TouchedPercentile,
    slots::SlotRow,
    stalls::StallFigures,
    statistics::FunctionStatistics,
    steady_state::{self, SteadyState},
    verdicts::reason,
    workers::{ClockError, WorkerFacts, WorkerSummary, clock_error, summaries},
};
use crate::{
    clock::{ClockChanges, UnixMicros},
    histogram::{Bucket, Distribution, Histogram, PERCENTILES, Percentiles},
    plan::{Findings, Phase},
};

/// What a summary needs besides the statistics.
#[derive(Debug)]
pub struct SummaryFacts {
    /// The number that everything random in the run came from.
    pub seed: u64,
    /// The start of the load.
    pub t0: UnixMicros,
    /// Invocations of the plan that had not come due when the run was stopped; absent where that is not known.
    pub not_due: Option<u64>,
    /// What happened to the clocks while the load went.
    pub clock_changes: Option<ClockChanges>,
    /// Names of the functions, in the plan's order.
    pub functions: Vec<String>,
    /// Instances that the platform started.
    pub instances_started: u64,
    /// What the run's mode found.
    pub findings: Option<Box<dyn Findings>>,
    /// Functions of the trace that were dropped, by reason.
    pub dropped_functions: BTreeMap<String, u64>,
    /// What else is to be known of the trace, a sentence each.
    pub notes: Vec<String>,
    /// What the warm-up came to.
    pub warmup: Option<WarmupFindings>,
    /// What came of each disturbance.
    pub disturbances: Vec<DisturbanceFindings>,
    /// What the coordinator knows of the run's workers, by index; empty of a run without them.
    pub workers: Vec<WorkerFacts>,
    /// The bound of a worker's clock above which the run is marked; absent of a run without workers.
    pub max_clock_error: Option<Duration>,
}

/// The results of a run's load: of its measured phase, but for `all`, `rows` and `slots`.
#[derive(Debug, Default)]
pub struct Summary {
    /// The number that everything random in the run came from.
    pub seed: u64,
    /// The start of the load, from which due times count.
    pub t0: UnixMicros,
    /// When the first invocation was due; absent when none was.
    pub first_due: Option<UnixMicros>,
    /// From t0 to the end of the last slot that ran, or to the stop.
    pub load_duration: Duration,
    /// Invocations of the measured phase.
    pub measured: Counts,
    /// Everything in the file.
    pub all: Counts,
    /// Invocations of the plan that had not come due when the run was stopped; absent where that is not known.
    pub not_due: Option<u64>,
    /// Issued over planned, inside their slots; absent when nothing was planned.
    pub achieved_ratio: Option<f64>,
    /// Invocations per second that succeeded within the objective; absent without measured time.
    pub goodput: Option<f64>,
    /// Dispatch lag of all that was sent.
    pub dispatch_lag_us: Distribution,
    /// The loader's own part of it.
    pub own_lag_us: Distribution,
    /// The part of it spent waiting for connections.
    pub connect_us: Distribution,
    /// The part of it spent waiting for streams and flow control.
    pub stream_wait_us: Distribution,
    /// From the arrival of a response until it was read.
    pub receive_lag_us: Distribution,
    /// Response time from the due time.
    pub response_from_due_us: Distribution,
    /// Response time from the send.
    pub response_us: Distribution,
    /// The same in buckets, in microseconds.
    pub response_histogram: Vec<Bucket>,
    /// Response time of all that was sent, failures as endless.
    pub response_incl_failures: ResponseInclFailures,
    /// Response minus execution.
    pub scheduling_latency_us: Distribution,
    /// Response over requested run time.
    pub slowdown: Slowdown,
    /// Cold starts, as reported by the functions.
    pub cold_starts: ColdStarts,
    /// Whether the loader itself was the bottleneck.
    pub saturation: Saturation,
    /// Whether the peer let the loader send as requested.
    pub open_loop: OpenLoop,
    /// Memory that the invocations in flight asked for.
    pub memory_in_flight: MemoryInFlight,
    /// Times in which the loader itself was late.
    pub stalls: StallFigures,
    /// Invocations that the loader touched.
    pub touched: u64,
    /// Percentiles in which that shows.
    pub marked: Vec<TouchedPercentile>,
    /// Whether invocations were sent as requested.
    pub arrivals: ArrivalTest,
    /// Whether the measured phase was steady.
    pub steady_state: SteadyState,
    /// By function, in the plan's order.
    pub functions: Vec<FunctionSummary>,
    /// By slot, in order.
    pub slots: Vec<SlotRow>,
    /// Invocations that came due and whose run time or memory was clamped.
    pub clamped: u64,
    /// Functions of the trace that were dropped, by reason.
    pub dropped_functions: BTreeMap<String, u64>,
    /// What else is to be known of the trace, a sentence each.
    pub notes: Vec<String>,
    /// What the warm-up came to, if there was one.
    pub warmup: Option<WarmupFindings>,
    /// What came of each disturbance, in the order of the spec.
    pub disturbances: Vec<DisturbanceFindings>,
    /// What happened to the clocks while the load went; absent when nothing did.
    pub clock_changes: Option<ClockChanges>,
    /// What the run's mode found, if it looks for anything.
    pub findings: Option<Box<dyn Findings>>,
    /// The run's workers, by index; empty of a run without them.
    pub workers: Vec<WorkerSummary>,
    /// That clocks of workers were not known well enough; absent when they were.
    pub clock_error: Option<ClockError>,
}

/// Response times of all that was sent, where failures count as endless.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResponseInclFailures {
    /// Invocations that were sent.
    pub count: u64,
    /// Those that failed.
    pub failed: u64,
    /// Their share; absent when nothing was sent.
    pub failed_ratio: Option<f64>,
    /// Percentiles, in microseconds; absent where endless, or too few values say anything.
    pub percentiles: Percentiles<u64>,
    /// Names of the percentiles that are endless.
    pub endless: Vec<&'static str>,
}

/// Cold starts, as reported by the functions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ColdStarts {
    /// Invocations that were the first of their instance.
    pub count: u64,
    /// Their share of the invocations of which it is known; absent when it is known of none.
    pub share: Option<f64>,
    /// Response time of cold invocations, median, in microseconds.
    pub latency_p50_us: Option<u64>,
    /// Response time of cold invocations, 99th percentile, in microseconds.
    pub latency_p99_us: Option<u64>,
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
    /// How many workers like this loader would about do, of the slot that needs most; absent where the rows do not tell.
    pub workers_needed: Option<u32>,
}

/// The verdict on the peer: whether the load was open-loop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenLoop {
    /// Whether it was not, in at least one slot.
    pub violated: bool,
    /// Which slots, by how much, and what would do.
    pub reason: String,
    /// Slots in which it was not.
    pub slots: Vec<u32>,
    /// The peer's limit of streams that was waited for.
    pub stream_limit: Option<u32>,
    /// With how many connections none would have waited for a stream.
    pub connections_needed: Option<u32>,
}

/// Memory that the invocations in flight asked for, over the measured slots.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MemoryInFlight {
    /// The greatest sum, in MiB; absent without a measured slot.
    pub peak_mib: Option<u64>,
    /// Mean over their time, in MiB; absent without measured time.
    pub mean_mib: Option<f64>,
    /// Invocations that were not sent because of its bound.
    pub not_sent: u64,
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
    pub response_p50_us: Option<u64>,
    /// Response time from the send, 99th percentile, in microseconds.
    pub response_p99_us: Option<u64>,
    /// Response minus execution, median, in microseconds.
    pub scheduling_latency_p50_us: Option<u64>,
    /// Response minus execution, 99th percentile, in microseconds.
    pub scheduling_latency_p99_us: Option<u64>,
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
        t0,
        not_due,
        clock_changes,
        functions,
        instances_started,
        findings,
        dropped_functions,
        notes,
        warmup,
        disturbances,
        workers,
        max_clock_error,
    } = facts;
    let workers = summaries(workers, &statistics);
    let load_end = statistics.slots.iter().map(|row| row.start.plus(row.duration)).max();
    let known = so_far(&statistics);
    Summary {
        seed,
        t0,
        first_due: statistics.first_due.map(|due| t0.plus(due.as_duration())),
        load_duration: load_end.map(|end| end.since(t0)).unwrap_or_default(),
        not_due,
        response_histogram: statistics.distributions.response.buckets(),
        cold_starts: cold_starts(&statistics, instances_started),
        saturation: saturation(&statistics),
        open_loop: open_loop(&statistics),
        memory_in_flight: memory_in_flight(&statistics),
        stalls: statistics.stalls.figures(),
        touched: statistics.touched.rows,
        marked: statistics.distributions.marked(&statistics.touched),
        steady_state: steady_state::of(&statistics.latencies, &statistics.slots),
        functions: functions.into_iter().zip(&statistics.functions).map(function).collect(),
        clamped: statistics.clamped,
        dropped_functions,
        notes,
        warmup,
        disturbances,
        clock_changes,
        findings,
        clock_error: clock_error(&workers, max_clock_error),
        workers,
        arrivals: statistics.arrivals.test(),
        slots: statistics.slots,
        ..known
    }
}

/// The figures that are known before the end of a run: counts, what its invocations took, cold starts.
pub(super) fn so_far(statistics: &Statistics) -> Summary {
    let measured = || statistics.slots.iter().filter(|row| row.phase == Phase::Measure);
    let planned: u64 = measured().map(|row| row.planned).sum();
    let issued_in_time: u64 = measured().map(|row| row.issued).sum();
    let measured_time: Duration = measured().map(|row| row.duration).sum();
    let all = &statistics.distributions;
    Summary {
        measured: statistics.measured.clone(),
        all: statistics.all.clone(),
        achieved_ratio: (planned > 0).then(|| issued_in_time as f64 / planned as f64),
        goodput: (!measured_time.is_zero()).then(|| statistics.good as f64 / measured_time.as_secs_f64()),
        dispatch_lag_us: Distribution::from(&all.dispatch_lag),
        own_lag_us: Distribution::from(&all.own_lag),
        connect_us: Distribution::from(&all.connect),
        stream_wait_us: Distribution::from(&all.stream_wait),
        receive_lag_us: Distribution::from(&all.receive_lag),
        response_from_due_us: Distribution::from(&all.response_from_due),
        response_us: Distribution::from(&all.response),
        response_incl_failures: incl_failures(statistics),
        scheduling_latency_us: Distribution::from(&all.scheduling_latency),
        slowdown: statistics.slowdown.figures(),
        cold_starts: cold_starts(statistics, 0),
        ..Summary::default()
    }
}

/// The percentiles of all that was sent: the failures are the greatest values, and endless. A percentile is endless where their share
/// reaches what lies above it.
fn incl_failures(statistics: &Statistics) -> ResponseInclFailures {
    let (count, failed) = (statistics.sent, statistics.sent_failed);
    let answered = &statistics.distributions.response;
    let tells = |share| crate::histogram::rank(share, count).is_some();
    let is_endless = |share| failed > 0 && failed as f64 >= (1.0 - share) * count as f64 - 1e-9;
    let finite = |share| answered.percentile_among(share, count).filter(|_| !is_endless(share));
    let endless = PERCENTILES.into_iter().filter(|&(_, share)| tells(share) && is_endless(share));
    ResponseInclFailures {
        count,
        failed,
        failed_ratio: (count > 0).then(|| failed as f64 / count as f64),
        percentiles: PERCENTILES.map(|(_, share)| finite(share)),
        endless: endless.map(|(name, _)| name).collect(),
    }
}

fn cold_starts(statistics: &Statistics, instances_started: u64) -> ColdStarts {
    let known = statistics.cold_known;
    ColdStarts {
        count: statistics.cold_starts,
        share: (known > 0).then(|| statistics.cold_starts as f64 / known as f64),
        latency_p50_us: statistics.cold_response.percentile(0.5),
        latency_p99_us: statistics.cold_response.percentile(0.99),
        instances_started,
    }
}

fn saturation(statistics: &Statistics) -> Saturation {
    let verdicts = &statistics.saturated;
    Saturation {
        saturated: !verdicts.is_empty(),
        reason: reason(verdicts),
        slots: sorted(verdicts.iter().map(|verdict| verdict.slot)),
        workers_needed: verdicts.iter().filter_map(|verdict| verdict.workers_needed).max(),
    }
}

fn open_loop(statistics: &Statistics) -> OpenLoop {
    let verdicts = &statistics.held;
    OpenLoop {
        violated: !verdicts.is_empty(),
        reason: reason(verdicts),
        slots: sorted(verdicts.iter().map(|verdict| verdict.slot)),
        stream_limit: verdicts.iter().filter_map(|verdict| verdict.stream_limit).max(),
        connections_needed: verdicts.iter().filter_map(|verdict| verdict.connections_needed).max(),
    }
}

fn memory_in_flight(statistics: &Statistics) -> MemoryInFlight {
    let measured = || statistics.slots.iter().filter(|row| row.phase == Phase::Measure);
    let weighed = measured().filter_map(|row| row.memory_mean_mib.map(|mean| (mean, row.duration.as_secs_f64())));
    let (sum, seconds) = weighed.fold((0.0, 0.0), |(sum, all), (mean, seconds)| (sum + mean * seconds, all + seconds));
    MemoryInFlight {
        peak_mib: measured().map(|row| row.memory_peak_mib).max(),
        mean_mib: (seconds > 0.0).then(|| sum / seconds),
        not_sent: statistics.over_memory,
    }
}

fn sorted(slots: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut slots: Vec<_> = slots.collect();
    slots.sort_unstable();
    slots
}

fn function((name, statistics): (String, &FunctionStatistics)) -> FunctionSummary {
    let both = |histogram: &Histogram| (histogram.percentile(0.5), histogram.percentile(0.99));
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
        slowdown: statistics.slowdown.figures(),
    }
}
