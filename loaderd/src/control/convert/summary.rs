//! The summary of a run, as in the API and summary.json. Every struct is taken apart in full.

use loader_proto::v1;
use loader_report::expectation::Judged;

use super::{counts::counts, disturbances, workers};
use crate::{
    clock::{ClockChanges, UnixMicros},
    histogram::Bucket,
    plan::distribution,
    record::{
        ArrivalTest, ColdStarts, FunctionSummary, GapFigures, KsTest, MemoryInFlight, OpenLoop, ResponseInclFailures,
        Saturation, SlotRow, Slowdown, Stall, StallFigures, SteadyState, Summary, TouchedPercentile, WarmupFindings,
    },
    store::RunSummary,
    units::micros,
};

pub(super) fn summary(summary: &RunSummary) -> v1::RunSummary {
    let RunSummary { run_id, name, mode, platform, state, reason, load, expectations } = summary;
    v1::RunSummary {
        run_id: run_id.to_string(),
        name: name.clone(),
        mode: mode.clone(),
        platform: platform.clone(),
        state: v1::RunState::from(*state).into(),
        reason: reason.clone(),
        expectations: expectations.iter().map(expectation).collect(),
        ..of_load(load)
    }
}

fn expectation(judged: &Judged) -> v1::ExpectationResult {
    let Judged { expectation, value, is_met, shown, aborted } = judged;
    v1::ExpectationResult {
        expectation: expectation.clone(),
        value: *value,
        met: is_met.map(|met| met && !aborted),
        shown: shown.clone(),
        aborted: *aborted,
    }
}

/// All but the identity and the end of the run, and its expectations.
pub(super) fn of_load(summary: &Summary) -> v1::RunSummary {
    let Summary {
        seed,
        t0,
        first_due,
        load_duration,
        measured,
        all,
        not_due,
        achieved_ratio,
        goodput,
        dispatch_lag_us: _,
        own_lag_us: _,
        connect_us: _,
        stream_wait_us: _,
        receive_lag_us: _,
        response_from_due_us: _,
        response_us: _,
        response_histogram,
        response_incl_failures: _,
        scheduling_latency_us: _,
        slowdown: _,
        cold_starts: _,
        saturation,
        open_loop: peer,
        memory_in_flight: memory,
        stalls: stalled,
        touched,
        marked,
        arrivals: arrival_test,
        steady_state: steady,
        functions,
        slots,
        clamped,
        dropped_functions,
        notes,
        warmup: warmed_up,
        disturbances: disturbed,
        clock_changes,
        findings,
        workers: sent_by,
        clock_error,
    } = summary;
    let v1::Counts { requested, issued, returned, failed, by_status } = counts(measured);
    let mut message = v1::RunSummary {
        seed: *seed,
        t0_unix_us: t0.0,
        first_due_unix_us: first_due.map(|due| due.0),
        load_duration_us: micros(*load_duration),
        requested,
        issued,
        returned,
        failed,
        by_status,
        all: Some(counts(all)),
        rows: all.requested,
        not_due: *not_due,
        achieved_ratio: *achieved_ratio,
        goodput: *goodput,
        saturated: Some(saturated(saturation)),
        open_loop: Some(open_loop(peer)),
        memory_in_flight: Some(memory_in_flight(memory)),
        stalls: Some(stalls(stalled, *t0, *touched, marked)),
        arrivals: Some(arrivals(arrival_test)),
        steady_state: Some(steady_state(steady)),
        functions: functions.iter().map(function).collect(),
        slots: slots.iter().map(slot).collect(),
        clamped: *clamped,
        dropped_functions: dropped_functions.clone(),
        notes: notes.clone(),
        warmup: warmed_up.as_ref().map(warmup),
        disturbances: disturbed.iter().map(disturbances::findings).collect(),
        clock_changes: clock_changes.as_ref().map(changes),
        response_histogram: response_histogram.iter().map(bucket).collect(),
        workers: sent_by.iter().map(workers::summary).collect(),
        clock_error: clock_error.as_ref().map(workers::clock_error),
        ..times(summary)
    };
    findings.iter().for_each(|findings| findings.fill(&mut message));
    message
}

/// How long what took.
fn times(summary: &Summary) -> v1::RunSummary {
    v1::RunSummary {
        dispatch_lag_us: Some(distribution(&summary.dispatch_lag_us)),
        own_lag_us: Some(distribution(&summary.own_lag_us)),
        connect_us: Some(distribution(&summary.connect_us)),
        stream_wait_us: Some(distribution(&summary.stream_wait_us)),
        receive_lag_us: Some(distribution(&summary.receive_lag_us)),
        response_from_due_us: Some(distribution(&summary.response_from_due_us)),
        response_us: Some(distribution(&summary.response_us)),
        response_incl_failures: Some(incl_failures(&summary.response_incl_failures)),
        scheduling_latency_us: Some(distribution(&summary.scheduling_latency_us)),
        slowdown: Some(slowdown(&summary.slowdown)),
        cold_starts: Some(cold_starts(&summary.cold_starts)),
        ..v1::RunSummary::default()
    }
}

fn bucket(bucket: &Bucket) -> v1::HistogramBucket {
    let Bucket { from, to, count } = *bucket;
    v1::HistogramBucket { from, to, count }
}

fn incl_failures(found: &ResponseInclFailures) -> v1::ResponseInclFailures {
    let ResponseInclFailures { count, failed, failed_ratio, percentiles: [p50, p90, p95, p99, p999], endless } = found;
    v1::ResponseInclFailures {
        count: *count,
        failed: *failed,
        failed_ratio: *failed_ratio,
        p50: *p50,
        p90: *p90,
        p95: *p95,
        p99: *p99,
        p999: *p999,
        endless: endless.iter().copied().map(str::to_owned).collect(),
    }
}

fn slowdown(slowdown: &Slowdown) -> v1::Slowdown {
    let &Slowdown { count, geometric_mean, p50, p99 } = slowdown;
    v1::Slowdown { count, geometric_mean, p50, p99 }
}

fn memory_in_flight(memory: &MemoryInFlight) -> v1::MemoryInFlight {
    let &MemoryInFlight { peak_mib, mean_mib, not_sent } = memory;
    v1::MemoryInFlight { peak_mib, mean_mib, not_sent }
}

fn cold_starts(cold_starts: &ColdStarts) -> v1::ColdStarts {
    let &ColdStarts { count, share, latency_p50_us, latency_p99_us, instances_started } = cold_starts;
    v1::ColdStarts { count, share, latency_p50_us, latency_p99_us, instances_started }
}

fn saturated(saturation: &Saturation) -> v1::Saturated {
    let Saturation { saturated, reason, slots, workers_needed } = saturation;
    v1::Saturated {
        saturated: *saturated,
        reason: reason.clone(),
        slots: slots.clone(),
        workers_needed: *workers_needed,
    }
}

fn open_loop(found: &OpenLoop) -> v1::OpenLoop {
    let OpenLoop { violated, reason, slots, stream_limit, connections_needed } = found;
    v1::OpenLoop {
        violated: *violated,
        reason: reason.clone(),
        slots: slots.clone(),
        stream_limit: *stream_limit,
        connections_needed: *connections_needed,
    }
}

fn stalls(found: &StallFigures, t0: UnixMicros, touched: u64, marked: &[TouchedPercentile]) -> v1::Stalls {
    let StallFigures { count, longest, total, listed } = found;
    let stall = |stall: &Stall| v1::Stall {
        start_unix_us: t0.plus(stall.begin).0,
        duration_us: micros(stall.length()),
        side: stall.side.as_str().to_owned(),
        worker: stall.worker.map(|worker| worker.0.into()),
    };
    let marked =
        marked.iter().map(|TouchedPercentile { figure, percentile, value, untouched }| v1::TouchedPercentile {
            figure: (*figure).to_owned(),
            percentile: (*percentile).to_owned(),
            value: *value as f64,
            untouched: untouched.map(|untouched| untouched as f64),
        });
    v1::Stalls {
        count: *count,
        longest_us: micros(*longest),
        total_us: micros(*total),
        listed: listed.iter().map(stall).collect(),
        touched,
        marked: marked.collect(),
    }
}

fn arrivals(test: &ArrivalTest) -> v1::ArrivalTest {
    let &ArrivalTest { count, against, process, plan, gaps } = test;
    let GapFigures { count: gap_count, p50_us, p99_us, max_us, off_ratio } = gaps;
    v1::ArrivalTest {
        count,
        against: against.to_owned(),
        statistic: process.map(|test| test.statistic),
        p_value: process.map(|test| test.p_value),
        plan: plan.map(|KsTest { statistic, p_value }| v1::KsTest { statistic, p_value }),
        gaps: Some(v1::Gaps { count: gap_count, p50_us, p99_us, max_us, off_ratio }),
    }
}

fn steady_state(found: &SteadyState) -> v1::SteadyState {
    let SteadyState { verdict, reason, trend_per_minute, points } = found;
    v1::SteadyState {
        verdict: (*verdict).to_owned(),
        reason: reason.clone(),
        trend_per_minute: *trend_per_minute,
        points: *points,
    }
}

fn changes(changes: &ClockChanges) -> v1::ClockChanges {
    let &ClockChanges { suspended, wall_step_us } = changes;
    v1::ClockChanges { suspended_us: micros(suspended), wall_step_us }
}

fn warmup(findings: &WarmupFindings) -> v1::WarmupFindings {
    let WarmupFindings {
        measured_from_us,
        ended,
        stationary,
        points,
        statistic,
        p_value,
        instances_needed,
        instances_started,
    } = findings;
    v1::WarmupFindings {
        measured_from_us: *measured_from_us,
        stationary: *stationary,
        points: *points,
        statistic: *statistic,
        p_value: *p_value,
        instances_needed: *instances_needed,
        instances_started: *instances_started,
        ended: ended.clone(),
    }
}

fn function(summary: &FunctionSummary) -> v1::FunctionSummary {
    let FunctionSummary {
        function,
        requested,
        failed,
        cold_starts,
        response_p50_us,
        response_p99_us,
        scheduling_latency_p50_us,
        scheduling_latency_p99_us,
        slowdown: slowdowns,
    } = summary;
    v1::FunctionSummary {
        function: function.clone(),
        requested: *requested,
        failed: *failed,
        cold_starts: *cold_starts,
        response_p50_us: *response_p50_us,
        response_p99_us: *response_p99_us,
        scheduling_latency_p50_us: *scheduling_latency_p50_us,
        scheduling_latency_p99_us: *scheduling_latency_p99_us,
        slowdown: Some(slowdown(slowdowns)),
    }
}

fn slot(row: &SlotRow) -> v1::SlotSummary {
    let &SlotRow {
        slot,
        phase,
        start,
        duration,
        rps,
        planned,
        issued,
        returned,
        failed,
        cold_starts,
        lag_p99_us,
        saturated,
        response_p50_us,
        response_p99_us,
        own_lag_p99_us,
        open_loop,
        memory_peak_mib,
        memory_mean_mib,
    } = row;
    v1::SlotSummary {
        slot,
        phase: phase.as_str().to_owned(),
        start_unix_us: start.0,
        duration_us: micros(duration),
        rps,
        planned,
        issued,
        returned,
        failed,
        cold_starts,
        lag_p99_us,
        saturated,
        response_p50_us,
        response_p99_us,
        own_lag_p99_us,
        open_loop,
        memory_peak_mib: Some(memory_peak_mib),
        memory_mean_mib,
    }
}
