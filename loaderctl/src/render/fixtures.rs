//! Messages for tests.

use loader_proto::v1::{
    BurstFindings, ClockChanges, ColdStartFindings, ColdStarts, Distribution, FunctionSummary, GetStatusResponse,
    PlanFunction, PlanSlot, PlanSummary, PlatformFact, Record, RpsFindings, RpsSlot, Run, RunProgress, RunSpec,
    RunState, RunSummary, Saturated, SlotSummary, Slowdown, WarmupFindings,
};
use prost_types::{Duration, Timestamp};

/// A run under way.
pub(crate) fn running() -> Run {
    Run {
        run_id: "01R".to_owned(),
        state: RunState::Running.into(),
        mode: "burst".to_owned(),
        platform: "local".to_owned(),
        directory: "/var/lib/loader/runs/01R".to_owned(),
        progress: Some(RunProgress {
            functions_ready: 3,
            functions_total: 3,
            slot: 3,
            slots_total: 14,
            elapsed: Some(Duration { seconds: 12, nanos: 340_000_000 }),
            planned_duration: Some(Duration { seconds: 125, nanos: 0 }),
            planned: 520,
            due: 101,
            issued: 100,
            completed: 95,
            failed: 2,
            cold_starts: 3,
            in_flight: 5,
            target_rate: 8.0,
            achieved_rate: 7.92,
            lag_p99_us: 85,
            response_p50_us: 51_200,
            response_p99_us: 1_234_567,
            saturated: false,
        }),
        ..Run::default()
    }
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_795_446_000 + seconds, nanos: 0 })
}

/// A distribution whose percentiles are multiples of `us`.
fn distribution(count: u64, us: u64) -> Option<Distribution> {
    let [p90, p95, p99, p999, max] = [2, 3, 4, 5, 6].map(|times| us * times);
    Some(Distribution { count, mean: us as f64, p50: us, p90, p95, p99, p999, max })
}

fn slot(slot: u32, saturated: bool) -> SlotSummary {
    SlotSummary {
        slot,
        phase: if slot == 0 { "warmup" } else { "measure" }.to_owned(),
        start_unix_us: 1_795_446_000_000_000,
        duration_us: 60_000_000,
        rps: f64::from(slot) + 0.5,
        planned: 600,
        issued: 599,
        returned: 598,
        failed: 3,
        cold_starts: 2,
        lag_p99_us: if saturated { 25_000 } else { 120 },
        saturated,
        response_p50_us: 52_000,
        response_p99_us: 1_250_000,
    }
}

/// A run that has ended, without findings.
fn ended(mode: &str, state: RunState) -> Run {
    let summary = RunSummary {
        mode: mode.to_owned(),
        state: state.into(),
        load_duration_us: 125_000_000,
        requested: 1_200,
        issued: 1_199,
        returned: 1_196,
        failed: 6,
        by_status: [("ok".to_owned(), 1_194), ("function_timeout".to_owned(), 5), ("not_sent".to_owned(), 1)].into(),
        achieved_ratio: 0.999,
        rows: 1_200,
        dispatch_lag_us: distribution(1_199, 80),
        response_from_due_us: distribution(1_194, 52_080),
        response_us: distribution(1_194, 52_000),
        scheduling_latency_us: distribution(0, 0),
        slowdown: Some(Slowdown { count: 1_194, geometric_mean: 1.044, p50: 1.04, p99: 12.25 }),
        cold_starts: Some(ColdStarts {
            count: 24,
            share: 0.02,
            latency_p50_us: 350_000,
            latency_p99_us: 812_000,
            instances_started: 26,
        }),
        saturated: Some(Saturated::default()),
        ..RunSummary::default()
    };
    Run {
        spec: Some(RunSpec { name: "demo".to_owned(), ..RunSpec::default() }),
        state: state.into(),
        submitted: at(0),
        started: at(1),
        finished: at(131),
        mode: mode.to_owned(),
        summary: Some(summary),
        ..running()
    }
}

fn with(mut run: Run, change: impl FnOnce(&mut RunSummary)) -> Run {
    if let Some(summary) = &mut run.summary {
        change(summary);
    }
    run
}

/// A burst run during which the loader was too slow.
pub(crate) fn burst() -> Run {
    with(ended("burst", RunState::Succeeded), |summary| {
        let reason = "the 99th percentile of the dispatch lag was 25 ms in slot 1; the bound is 10 ms".to_owned();
        summary.saturated = Some(Saturated { saturated: true, reason, slots: vec![1, 3] });
        summary.slots = (0..22).map(|number| slot(number, number == 1)).collect();
        summary.burst = Some(BurstFindings {
            steady_before_us: distribution(900, 52_000),
            steady_during_us: distribution(9, 61_000),
            bursty_before_us: distribution(900, 52_500),
            burst_us: distribution(10, 310_000),
            victim_us: 712_345,
            victim_cold: true,
        });
        summary.functions = vec![FunctionSummary {
            function: "steady".to_owned(),
            requested: 595,
            failed: 1,
            cold_starts: 1,
            response_p50_us: 52_000,
            response_p99_us: 61_000,
            scheduling_latency_p50_us: 2_100,
            scheduling_latency_p99_us: 9_000,
            slowdown: Some(Slowdown { count: 594, geometric_mean: 1.04, p50: 1.04, p99: 1.2 }),
        }];
    })
}

/// A sweep that ended at overload.
pub(crate) fn rps() -> Run {
    with(ended("rps", RunState::Succeeded), |summary| {
        let slot = |slot, rate, verdict: &str, reason: &str| RpsSlot {
            slot,
            rate,
            verdict: verdict.to_owned(),
            reason: reason.to_owned(),
            ..RpsSlot::default()
        };
        summary.rps = Some(RpsFindings {
            overloaded_slots: 2,
            ended_at_overload: true,
            sustained_rate: Some(17.0),
            sustained_passed: 1,
            sustained_tried: 1,
            unsustained_rate: Some(18.0),
            unsustained_tried: 2,
            slots: vec![
                slot(0, 17.0, "sustained", ""),
                slot(1, 18.0, "unknown", "the loader sent 81 % in time"),
                slot(2, 18.0, "not sustained", "4.5 % failed or were not answered in time"),
                slot(3, 18.0, "not sustained", "5 % failed or were not answered in time"),
            ],
            ..RpsFindings::default()
        });
    })
}

/// A trace with a warm-up that ended by itself, on a platform without room for all instances.
pub(crate) fn warmed_up() -> Run {
    with(ended("trace", RunState::Succeeded), |summary| {
        summary.warmup = Some(WarmupFindings {
            measured_from_us: 412_000_000,
            stationary: true,
            points: 840,
            statistic: Some(-5.43),
            p_value: Some(0.0000031),
            instances_needed: 60,
            instances_started: 41,
            ended: "steady state".to_owned(),
        });
    })
}

/// A cold start run that was cancelled.
pub(crate) fn coldstart() -> Run {
    let run = with(ended("coldstart", RunState::Cancelled), |summary| {
        summary.coldstart = Some(ColdStartFindings {
            requested: 8,
            achieved: 6,
            shortfall: 2,
            shortfall_by_slot: vec![0, 2, 0],
            ended_at_overload: false,
        });
        summary.clamped = 7;
        summary.clock_changes = Some(ClockChanges { suspended_us: 12_300_000, wall_step_us: -3_600_000_000 });
        summary.dropped_functions = [("no_invocations".to_owned(), 4)].into();
    });
    Run { reason: "cancelled by a user".to_owned(), ..run }
}

/// A plan of a trace.
pub(crate) fn plan() -> PlanSummary {
    let slot = |slot: u32| PlanSlot {
        slot,
        invocations: 190,
        duration: Some(Duration { seconds: 60, nanos: 0 }),
        rate: 3.1667,
        concurrency: 2.04,
        memory_mib: 374.4,
    };
    let function = |function: &str| PlanFunction {
        function: function.to_owned(),
        source_id: "c211f9".to_owned(),
        invocations: 143,
        mean_runtime_us: 291_000,
        mean_memory_mib: 165.2,
    };
    PlanSummary {
        mode: "trace".to_owned(),
        platform: "local".to_owned(),
        functions: 2,
        slots: 3,
        invocations: 570,
        duration: Some(Duration { seconds: 180, nanos: 0 }),
        mean_rate: 3.1667,
        peak_rate: 3.5,
        peak_concurrency: 2.04,
        peak_memory_mib: 374.4,
        clamped: 5,
        dropped_functions: [("no_invocations".to_owned(), 4), ("no_memory".to_owned(), 1)].into(),
        slot_plans: (0..3).map(slot).collect(),
        function_plans: ["fn-1", "fn-2"].map(function).into(),
        open_ended: false,
        waits: false,
    }
}

/// A daemon at work.
pub(crate) fn status() -> GetStatusResponse {
    GetStatusResponse {
        platform_facts: vec![PlatformFact {
            platform: "knative".to_owned(),
            name: "missing permissions".to_owned(),
            value: "none".to_owned(),
        }],
        version: "0.1.0".to_owned(),
        started: at(0),
        host: "master".to_owned(),
        state_directory: "/var/lib/loader".to_owned(),
        default_platform: "local".to_owned(),
        platforms: vec!["local".to_owned(), "attach".to_owned()],
        active_run_id: "01R".to_owned(),
        queued_runs: 2,
        listen: vec!["http://127.0.0.1:9470".to_owned(), "unix:/run/loader/loaderd.sock".to_owned()],
        metrics_listen: String::new(),
        cores: 16,
        memory_mib: 64_000,
    }
}

/// A record of an invocation with a cold start.
pub(crate) fn record() -> Record {
    Record {
        invocation_id: "min0.inv3".to_owned(),
        function: "victim".to_owned(),
        phase: "measure".to_owned(),
        slot: 4,
        mark: "victim".to_owned(),
        due_unix_us: 1_795_446_000_000_000,
        sent_unix_us: Some(1_795_446_000_000_120),
        dispatch_lag_us: Some(120),
        response_us: Some(712_345),
        requested_runtime_us: 500_000,
        actual_runtime_us: Some(500_017),
        requested_memory_kib: 10_240,
        actual_memory_kib: Some(10_248),
        status: "ok".to_owned(),
        error: "none, \"really\"".to_owned(),
        instance: "victim-1".to_owned(),
        cold_start: Some(true),
        instance_started_unix_us: Some(1_795_446_000_100_000),
        ..Record::default()
    }
}
