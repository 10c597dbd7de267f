use super::*;
use crate::metrics::Population;

/// The lines of `text` that begin with `prefix`, in alphabetical order.
fn series(metrics: &Metrics, prefix: &str) -> Vec<String> {
    let mut lines: Vec<_> =
        metrics.encode().lines().filter(|line| line.starts_with(prefix)).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn every_series_is_there_from_the_start() {
    let text = Metrics::new().encode();
    let mut names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "loader_build_info gauge",
            "loader_cluster_activator_queue gauge",
            "loader_cluster_pods gauge",
            "loader_connect_seconds histogram",
            "loader_connections gauge",
            "loader_dispatch_lag_seconds histogram",
            "loader_disturbances counter",
            "loader_invocations_completed counter",
            "loader_invocations_in_flight gauge",
            "loader_invocations_scheduled counter",
            "loader_invocations_sent counter",
            "loader_memory_in_flight_bytes gauge",
            "loader_open_loop_violated gauge",
            "loader_own_lag_seconds histogram",
            "loader_receive_lag_seconds histogram",
            "loader_records_queued gauge",
            "loader_records_written counter",
            "loader_response_seconds histogram",
            "loader_run_phase gauge",
            "loader_runs counter",
            "loader_runs_queued gauge",
            "loader_saturated gauge",
            "loader_scheduling_latency_seconds histogram",
            "loader_scrape_duration_seconds histogram",
            "loader_scrape_errors counter",
            "loader_slowdown_ratio histogram",
            "loader_stalls counter",
            "loader_stream_wait_seconds histogram",
            "loader_target_rate gauge",
            "loader_workers_lost gauge",
            "process_cpu_seconds counter",
            "process_max_fds gauge",
            "process_open_fds gauge",
            "process_resident_memory_bytes gauge",
            "process_start_time_seconds gauge",
            "process_threads gauge",
            "process_virtual_memory_bytes gauge",
        ]
    );
    let not_zero = |line: &&str| !line.starts_with(['#', 'p']) && !line.ends_with(" 0") && !line.ends_with(" 0.0");
    let not_zero: Vec<_> = text.lines().filter(not_zero).collect();
    assert_eq!(not_zero.len(), 1, "{not_zero:?}");
    assert!(not_zero[0].starts_with("loader_build_info{version="), "{not_zero:?}");
}

#[test]
fn the_documentation_lists_every_metric_and_no_other() {
    let (metrics, page) = (Metrics::new(), include_str!("../../../../docs/metrics.md"));
    let run = RunLabels { run_id: String::new(), mode: String::new(), platform: String::new() };
    metrics.run_started(&run);
    metrics.expectations(std::iter::once(("failed < 1%".to_owned(), true)));
    let (node, role) = ("n".to_owned(), "worker");
    metrics.nodes(&[NodeFigures { node, role, cpu_ratio: Some(0.0), memory_ratio: Some(0.0), pods: Some(0) }]);
    metrics.workers(&[worker()]);
    let text = metrics.encode();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut exported: Vec<_> = kinds
        .map(|(name, kind)| {
            (if kind == "counter" { format!("{name}_total") } else { name.to_owned() }, kind.to_owned())
        })
        .collect();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    let mut documented: Vec<_> = rows
        .flat_map(|(names, rest)| {
            let kind = rest.split(" | ").next().unwrap_or_default().to_owned();
            names.split(", ").map(move |name| (name.trim_matches('`').to_owned(), kind.clone())).collect::<Vec<_>>()
        })
        .collect();
    exported.sort();
    documented.sort();
    assert_eq!(documented, exported);
}

#[test]
fn expectations_are_those_of_the_last_run() {
    let metrics = Metrics::new();
    metrics.expectations([("failed < 1%".to_owned(), true), ("response.p99 < \"5ms\"".to_owned(), false)].into_iter());
    assert_eq!(
        series(&metrics, "loader_expectation_met{"),
        [
            r#"loader_expectation_met{expectation="failed < 1%"} 1"#,
            r#"loader_expectation_met{expectation="response.p99 < \"5ms\""} 0"#,
        ]
    );
    metrics.run_started(&RunLabels { run_id: "r1".to_owned(), mode: "rps".to_owned(), platform: "local".to_owned() });
    assert_eq!(series(&metrics, "loader_expectation_met{"), [""; 0]);
}

#[test]
fn a_run_is_told_while_it_is_active() {
    let metrics = Metrics::new();
    metrics.saturated(true);
    metrics.open_loop_violated(true);
    let run = RunLabels { run_id: "r1".to_owned(), mode: "burst".to_owned(), platform: "local".to_owned() };
    metrics.run_started(&run);
    metrics.phase(Some("running"));
    assert_eq!(
        series(&metrics, "loader_run_info{"),
        [r#"loader_run_info{run_id="r1",mode="burst",platform="local"} 1"#]
    );
    assert_eq!(series(&metrics, "loader_saturated "), ["loader_saturated 0"]);
    assert_eq!(series(&metrics, "loader_open_loop_violated "), ["loader_open_loop_violated 0"]);
    assert_eq!(
        series(&metrics, "loader_run_phase{"),
        [
            r#"loader_run_phase{phase="cleaning"} 0"#,
            r#"loader_run_phase{phase="deploying"} 0"#,
            r#"loader_run_phase{phase="draining"} 0"#,
            r#"loader_run_phase{phase="running"} 1"#,
            r#"loader_run_phase{phase="warming_up"} 0"#,
        ]
    );
    metrics.run_ended("cancelled");
    assert_eq!(series(&metrics, "loader_run_info{").len(), 1, "another run ended");
    metrics.idle();
    metrics.run_ended("failed");
    assert_eq!(series(&metrics, "loader_run_info{"), [""; 0]);
    assert_eq!(series(&metrics, r#"loader_run_phase{phase="running"}"#), [r#"loader_run_phase{phase="running"} 0"#]);
    assert_eq!(
        series(&metrics, "loader_runs_total{"),
        [
            r#"loader_runs_total{state="cancelled"} 1"#,
            r#"loader_runs_total{state="failed"} 1"#,
            r#"loader_runs_total{state="interrupted"} 0"#,
            r#"loader_runs_total{state="succeeded"} 0"#,
        ]
    );
}

/// An invocation of which nothing is known but its status.
fn bare(population: Population, status: &str) -> Completed<'_> {
    Completed {
        population,
        status,
        cold_start: None,
        response: None,
        receive_lag: None,
        scheduling_latency: None,
        slowdown: None,
    }
}

/// The lines of `text` that begin with `prefix` and whose value is not zero, in alphabetical order.
fn not_zero(metrics: &Metrics, prefix: &str) -> Vec<String> {
    let lines = series(metrics, prefix);
    lines.into_iter().filter(|line| !line.ends_with(" 0") && !line.ends_with(" 0.0")).collect()
}

#[test]
fn an_invocation_is_counted_by_outcome_and_temperature() {
    let metrics = Metrics::new();
    metrics.scheduled(3);
    metrics.completed(&Completed { cold_start: Some(true), ..bare(Population::Measure, "ok") });
    metrics.completed(&bare(Population::Warmup, "http_503"));
    assert_eq!(series(&metrics, "loader_invocations_scheduled_total"), ["loader_invocations_scheduled_total 3"]);
    assert_eq!(
        not_zero(&metrics, "loader_invocations_completed_total{"),
        [
            r#"loader_invocations_completed_total{status="http_503",cold_start="unknown"} 1"#,
            r#"loader_invocations_completed_total{status="ok",cold_start="true"} 1"#,
        ]
    );
}

#[test]
fn every_duration_is_in_the_histogram_of_its_name_and_phase() {
    let metrics = Metrics::new();
    let millis = Duration::from_millis;
    metrics.sent(&Sent {
        population: Population::Measure,
        lag: millis(15),
        own_lag: millis(3),
        connect: Some(millis(4)),
        stream_wait: Some(millis(8)),
    });
    metrics.completed(&Completed {
        cold_start: Some(true),
        response: Some(millis(300)),
        receive_lag: Some(millis(2)),
        scheduling_latency: Some(millis(50)),
        slowdown: Some(1.5),
        ..bare(Population::StepWarmup, "ok")
    });
    assert_eq!(series(&metrics, "loader_invocations_sent_total"), ["loader_invocations_sent_total 1"]);
    for (name, expected) in [
        ("dispatch_lag_seconds", r#"loader_dispatch_lag_seconds_sum{phase="measure"} 0.015"#),
        ("own_lag_seconds", r#"loader_own_lag_seconds_sum{phase="measure"} 0.003"#),
        ("connect_seconds", r#"loader_connect_seconds_sum{phase="measure"} 0.004"#),
        ("stream_wait_seconds", r#"loader_stream_wait_seconds_sum{phase="measure"} 0.008"#),
        ("receive_lag_seconds", r#"loader_receive_lag_seconds_sum{phase="step_warmup"} 0.002"#),
        ("response_seconds", r#"loader_response_seconds_sum{phase="step_warmup",cold_start="true"} 0.3"#),
        ("scheduling_latency_seconds", r#"loader_scheduling_latency_seconds_sum{phase="step_warmup"} 0.05"#),
        ("slowdown_ratio", r#"loader_slowdown_ratio_sum{phase="step_warmup"} 1.5"#),
    ] {
        assert_eq!(not_zero(&metrics, &format!("loader_{name}_sum")), [expected]);
    }
    let bucket = |bound| format!(r#"loader_dispatch_lag_seconds_bucket{{le="{bound}",phase="measure"}}"#);
    for (bound, count) in [("0.01", 0), ("0.016", 1)] {
        assert_eq!(series(&metrics, &bucket(bound)), [format!("{} {count}", bucket(bound))]);
    }
}

#[test]
fn what_is_unknown_is_not_observed() {
    let metrics = Metrics::new();
    let lag = Duration::from_millis(1);
    metrics.sent(&Sent { population: Population::Warmup, lag, own_lag: lag, connect: None, stream_wait: None });
    metrics.completed(&bare(Population::Warmup, "function_timeout"));
    let observed: Vec<_> = not_zero(&metrics, "loader_").into_iter().filter(|line| line.contains("_count")).collect();
    assert_eq!(
        observed,
        [r#"loader_dispatch_lag_seconds_count{phase="warmup"} 1"#, r#"loader_own_lag_seconds_count{phase="warmup"} 1"#,]
    );
}

#[test]
fn stalls_are_counted_by_side() {
    let metrics = Metrics::new();
    metrics.stalls(Side::Receive, 2);
    assert_eq!(
        series(&metrics, "loader_stalls_total"),
        [r#"loader_stalls_total{side="receive"} 2"#, r#"loader_stalls_total{side="send"} 0"#]
    );
}

/// A worker that reports, of which everything is known.
fn worker() -> WorkerFigures {
    WorkerFigures {
        worker: 0,
        is_up: true,
        is_lost: false,
        due: 70,
        sent: 50,
        in_flight: 3,
        own_lag_p99: Some(Duration::from_micros(250)),
        clock_bound: Some(Duration::from_micros(20)),
    }
}

#[test]
fn workers_have_series_while_they_are_known() {
    let metrics = Metrics::new();
    let lost = WorkerFigures {
        worker: 1,
        is_up: false,
        is_lost: true,
        due: 70,
        sent: 50,
        in_flight: 0,
        own_lag_p99: None,
        clock_bound: None,
    };
    metrics.workers(&[worker(), lost]);
    for (name, expected) in [
        ("up", vec![r#"up{worker="0"} 1"#, r#"up{worker="1"} 0"#]),
        ("invocations_due", vec![r#"invocations_due{worker="0"} 70"#, r#"invocations_due{worker="1"} 70"#]),
        ("invocations_sent", vec![r#"invocations_sent{worker="0"} 50"#, r#"invocations_sent{worker="1"} 50"#]),
        (
            "invocations_in_flight",
            vec![r#"invocations_in_flight{worker="0"} 3"#, r#"invocations_in_flight{worker="1"} 0"#],
        ),
        ("own_lag_p99_seconds", vec![r#"own_lag_p99_seconds{worker="0"} 0.00025"#]),
        ("clock_error_seconds", vec![r#"clock_error_seconds{worker="0"} 0.00002"#]),
    ] {
        let expected: Vec<_> = expected.iter().map(|line| format!("loader_worker_{line}")).collect();
        assert_eq!(series(&metrics, &format!("loader_worker_{name}")), expected);
    }
    assert_eq!(series(&metrics, "loader_workers_lost"), ["loader_workers_lost 1"]);
    metrics.idle();
    assert_eq!(series(&metrics, "loader_worker_up"), Vec::<String>::new());
    assert_eq!(series(&metrics, "loader_workers_lost"), ["loader_workers_lost 0"]);
}
