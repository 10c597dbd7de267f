//! Messages for tests.

use loader_proto::v1::{
    ArrivalTest, BurstFindings, ClockChanges, ColdStartFindings, ColdStarts, Counts, Distribution, FunctionSummary,
    Gaps, GetStatusResponse, Interval, Intervals, KsTest, MemoryInFlight, NearestNode, OpenLoop, PlanFunction,
    PlanSlot, PlanSummary, PlatformFact, Record, ResponseInclFailures, RpsFindings, RpsSlot, Run, RunProgress, RunSpec,
    RunState, RunSummary, Saturated, SlotSummary, Slowdown, Stall, Stalls, SteadyState, TouchedPercentile,
    WarmupFindings,
};
use prost_types::{Duration, Timestamp};

/// A run under way.
pub(crate) fn running() -> Run {
    Run {
        run_id: "01R".to_owned(),
        state: RunState::Running.into(),
        mode: "burst".to_owned(),
        platform: "local".to_owned(),
        owner: Some("ci".to_owned()),
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
            memory_in_flight_mib: 850,
            target_rate: 8.0,
            achieved_rate: 7.92,
            lag_p99_us: Some(85),
            own_lag_p99_us: Some(80),
            response_p50_us: Some(51_200),
            response_p99_us: Some(1_234_567),
            saturated: false,
            workers: Vec::new(),
        }),
        ..Run::default()
    }
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_795_446_000 + seconds, nanos: 0 })
}

/// A distribution whose percentiles are multiples of `us`, each with its interval from 100 values on.
fn distribution(count: u64, us: u64) -> Option<Distribution> {
    let [p50, p90, p95, p99, p999, max] = [1, 2, 3, 4, 5, 6].map(|times| Some(us * times).filter(|_| count > times));
    let around = |value: Option<u64>| {
        value.filter(|_| count >= 100).map(|value| Interval { low: value - value / 100, high: value + value / 50 })
    };
    let intervals = Intervals {
        p50: around(p50),
        p90: around(p90),
        p95: around(p95),
        p99: around(p99),
        // There are too few for it.
        p999: None,
    };
    let mean = (count > 0).then_some(us as f64);
    Some(Distribution { count, mean, p50, p90, p95, p99, p999, max, intervals: Some(intervals) })
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
        lag_p99_us: Some(if saturated { 25_000 } else { 120 }),
        own_lag_p99_us: Some(if saturated { 24_900 } else { 90 }),
        saturated,
        open_loop: slot != 3,
        memory_peak_mib: Some(2_040),
        memory_mean_mib: Some(907.5),
        // Nothing came back in slot 2.
        response_p50_us: Some(52_000).filter(|_| slot != 2),
        response_p99_us: Some(1_250_000).filter(|_| slot != 2),
    }
}

/// Arrivals of a process, sent as planned.
fn arrivals() -> ArrivalTest {
    ArrivalTest {
        count: 1_199,
        against: "uniform".to_owned(),
        statistic: Some(0.0213),
        p_value: Some(0.6421),
        plan: Some(KsTest { statistic: 0.0008, p_value: 1.0 }),
        gaps: Some(Gaps {
            count: 1_198,
            p50_us: Some(31),
            p99_us: Some(240),
            max_us: Some(410),
            off_ratio: Some(0.002),
        }),
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
        achieved_ratio: Some(0.999),
        goodput: Some(9.552),
        rows: 1_800,
        all: Some(Counts {
            requested: 1_800,
            issued: 1_799,
            returned: 1_790,
            failed: 12,
            by_status: [("ok".to_owned(), 1_788), ("function_timeout".to_owned(), 11), ("not_sent".to_owned(), 1)]
                .into(),
        }),
        dispatch_lag_us: distribution(1_199, 80),
        own_lag_us: distribution(1_199, 70),
        connect_us: distribution(3, 2_500),
        stream_wait_us: distribution(0, 0),
        receive_lag_us: distribution(1_196, 12),
        response_incl_failures: Some(ResponseInclFailures {
            count: 1_199,
            failed: 5,
            failed_ratio: Some(5.0 / 1_199.0),
            p50: Some(52_100),
            p90: Some(104_300),
            p95: Some(157_000),
            p99: Some(209_000),
            p999: None,
            endless: vec!["p999".to_owned()],
        }),
        arrivals: Some(arrivals()),
        steady_state: Some(SteadyState {
            verdict: "steady".to_owned(),
            reason: String::new(),
            trend_per_minute: None,
            points: 1_194,
        }),
        open_loop: Some(OpenLoop::default()),
        memory_in_flight: Some(MemoryInFlight { peak_mib: Some(2_040), mean_mib: Some(907.5), not_sent: 0 }),
        stalls: Some(Stalls::default()),
        response_from_due_us: distribution(1_194, 52_080),
        response_us: distribution(1_194, 52_000),
        scheduling_latency_us: distribution(0, 0),
        slowdown: Some(Slowdown { count: 1_194, geometric_mean: Some(1.044), p50: Some(1.04), p99: Some(12.25) }),
        cold_starts: Some(ColdStarts {
            count: 24,
            share: Some(0.02),
            latency_p50_us: Some(350_000),
            latency_p99_us: None,
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

/// Stalls on both sides, one of which shows in a percentile.
fn stalls() -> Stalls {
    let stall = |after_us: i64, duration_us: u64, side: &str| Stall {
        start_unix_us: 1_795_446_001_000_000 + after_us,
        duration_us,
        side: side.to_owned(),
        worker: None,
    };
    let touched = |figure: &str, value: f64, untouched: Option<f64>| TouchedPercentile {
        figure: figure.to_owned(),
        percentile: "p999".to_owned(),
        value,
        untouched,
    };
    Stalls {
        count: 2,
        longest_us: 500_300,
        total_us: 530_800,
        listed: vec![stall(345_678, 500_300, "send"), stall(9_345_000, 30_500, "receive")],
        touched: 31,
        marked: vec![touched("dispatchLagUs", 400.0, Some(150.0)), touched("responseFromDueUs", 260_400.0, None)],
    }
}

/// A burst run during which the loader was too slow.
pub(crate) fn burst() -> Run {
    with(ended("burst", RunState::Succeeded), |summary| {
        let reason = "the 99th percentile of the dispatch lag was 25 ms in slot 1; the bound is 10 ms".to_owned();
        summary.saturated = Some(Saturated { saturated: true, reason, slots: vec![1, 3], workers_needed: Some(4) });
        summary.open_loop = Some(OpenLoop {
            violated: true,
            reason: "slot 3: 212 of 600 invocations waited longer than 10 ms for a stream".to_owned(),
            slots: vec![3],
            stream_limit: Some(100),
            connections_needed: Some(6),
        });
        summary.stream_wait_us = distribution(212, 45_000);
        summary.stalls = Some(stalls());
        summary.slots = (0..22).map(|number| slot(number, number == 1)).collect();
        summary.burst = Some(BurstFindings {
            steady_before_us: distribution(900, 52_000),
            steady_during_us: distribution(9, 61_000),
            bursty_before_us: distribution(900, 52_500),
            burst_us: distribution(10, 310_000),
            victim_us: Some(712_345),
            victim_cold: Some(true),
        });
        summary.functions = vec![FunctionSummary {
            function: "steady".to_owned(),
            requested: 595,
            failed: 1,
            cold_starts: 1,
            response_p50_us: Some(52_000),
            response_p99_us: Some(61_000),
            scheduling_latency_p50_us: Some(2_100),
            scheduling_latency_p99_us: None,
            slowdown: Some(Slowdown { count: 594, geometric_mean: Some(1.04), p50: Some(1.04), p99: Some(1.2) }),
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
        notes: vec![
            "duration is 1h; the trace has 10m from its start on, which are replayed".to_owned(),
            "memory is the default: 1 (f)".to_owned(),
        ],
        slot_plans: (0..3).map(slot).collect(),
        function_plans: ["fn-1", "fn-2"].map(function).into(),
        open_ended: false,
        waits: false,
        disturbances: Vec::new(),
        shares: None,
    }
}

/// A daemon at work.
pub(crate) fn status() -> GetStatusResponse {
    GetStatusResponse {
        waiting: Vec::new(),
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
        instances: Some(0),
        instances_desired: Some(1),
        ..Record::default()
    }
}

/// The node of that record's instance, without its memory.
pub(crate) fn nearest_node() -> NearestNode {
    NearestNode {
        node: "worker-1".to_owned(),
        sampled_unix_us: Some(1_795_446_002_000_000),
        cpu_ratio: Some(0.25),
        memory_ratio: None,
        pods: Some(12),
    }
}
