//! The summary of a run, as in the API and summary.json. Every struct is taken apart in full.

use loader_proto::v1;

use crate::{
    clock::ClockChanges,
    plan::distribution,
    record::{ArrivalTest, ColdStarts, FunctionSummary, Saturation, SlotRow, Slowdown, Summary, WarmupFindings},
    store::RunSummary,
    units::micros,
};

pub(super) fn summary(summary: &RunSummary) -> v1::RunSummary {
    let RunSummary { run_id, name, mode, platform, state, reason, load } = summary;
    v1::RunSummary {
        run_id: run_id.to_string(),
        name: name.clone(),
        mode: mode.clone(),
        platform: platform.clone(),
        state: v1::RunState::from(*state).into(),
        reason: reason.clone(),
        ..of_load(load)
    }
}

/// All but the identity and the end of the run.
fn of_load(summary: &Summary) -> v1::RunSummary {
    let Summary {
        seed,
        start,
        load_duration,
        requested,
        issued,
        returned,
        failed,
        by_status,
        achieved_ratio,
        rows,
        dispatch_lag_us,
        response_from_due_us,
        response_us,
        scheduling_latency_us,
        slowdown: slowdowns,
        cold_starts: cold,
        saturation,
        arrivals: arrival_test,
        functions,
        slots,
        clamped,
        dropped_functions,
        warmup: warmed_up,
        clock_changes,
        findings,
    } = summary;
    let mut message = v1::RunSummary {
        seed: *seed,
        start_unix_us: start.0,
        load_duration_us: micros(*load_duration),
        requested: *requested,
        issued: *issued,
        returned: *returned,
        failed: *failed,
        by_status: by_status.clone(),
        achieved_ratio: *achieved_ratio,
        rows: *rows,
        dispatch_lag_us: Some(distribution(dispatch_lag_us)),
        response_from_due_us: Some(distribution(response_from_due_us)),
        response_us: Some(distribution(response_us)),
        scheduling_latency_us: Some(distribution(scheduling_latency_us)),
        slowdown: Some(slowdown(slowdowns)),
        cold_starts: Some(cold_starts(cold)),
        saturated: Some(saturated(saturation)),
        arrivals: Some(arrivals(arrival_test)),
        functions: functions.iter().map(function).collect(),
        slots: slots.iter().map(slot).collect(),
        clamped: *clamped,
        dropped_functions: dropped_functions.clone(),
        warmup: warmed_up.as_ref().map(warmup),
        clock_changes: clock_changes.as_ref().map(changes),
        ..v1::RunSummary::default()
    };
    if let Some(findings) = findings {
        findings.fill(&mut message);
    }
    message
}

fn slowdown(slowdown: &Slowdown) -> v1::Slowdown {
    let &Slowdown { count, geometric_mean, p50, p99 } = slowdown;
    v1::Slowdown { count, geometric_mean, p50, p99 }
}

fn cold_starts(cold_starts: &ColdStarts) -> v1::ColdStarts {
    let &ColdStarts { count, share, latency_p50_us, latency_p99_us, instances_started } = cold_starts;
    v1::ColdStarts { count, share, latency_p50_us, latency_p99_us, instances_started }
}

fn saturated(saturation: &Saturation) -> v1::Saturated {
    let Saturation { saturated, reason, slots } = saturation;
    v1::Saturated { saturated: *saturated, reason: reason.clone(), slots: slots.clone() }
}

fn arrivals(test: &ArrivalTest) -> v1::ArrivalTest {
    let &ArrivalTest { count, against, statistic, p_value } = test;
    v1::ArrivalTest { count, against: against.to_owned(), statistic, p_value }
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
    }
}
