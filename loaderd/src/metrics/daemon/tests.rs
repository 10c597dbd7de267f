use super::*;

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
            "loader_connections gauge",
            "loader_dispatch_lag_seconds histogram",
            "loader_invocations_completed counter",
            "loader_invocations_in_flight gauge",
            "loader_invocations_scheduled counter",
            "loader_invocations_sent counter",
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
            "loader_target_rate gauge",
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
fn a_run_is_told_while_it_is_active() {
    let metrics = Metrics::new();
    metrics.saturated(true);
    let run = RunLabels { run_id: "r1".to_owned(), mode: "burst".to_owned(), platform: "local".to_owned() };
    metrics.run_started(&run);
    metrics.phase(Some("running"));
    assert_eq!(
        series(&metrics, "loader_run_info{"),
        [r#"loader_run_info{run_id="r1",mode="burst",platform="local"} 1"#]
    );
    assert_eq!(series(&metrics, "loader_saturated "), ["loader_saturated 0"]);
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

#[test]
fn an_invocation_is_counted_by_outcome_and_temperature() {
    let metrics = Metrics::new();
    metrics.scheduled(3);
    metrics.sent(Duration::from_micros(150));
    let completed = Completed {
        status: "ok",
        cold_start: Some(true),
        response: Some(Duration::from_millis(300)),
        scheduling_latency: Some(Duration::from_millis(50)),
        slowdown: Some(1.5),
    };
    metrics.completed(&completed);
    let failed =
        Completed { status: "http_503", cold_start: None, response: None, scheduling_latency: None, slowdown: None };
    metrics.completed(&failed);
    assert_eq!(series(&metrics, "loader_invocations_scheduled_total"), ["loader_invocations_scheduled_total 3"]);
    assert_eq!(series(&metrics, "loader_invocations_sent_total"), ["loader_invocations_sent_total 1"]);
    let not_zero = |prefix| {
        let lines = series(&metrics, prefix);
        lines.into_iter().filter(|line| !line.ends_with(" 0") && !line.ends_with(" 0.0")).collect::<Vec<_>>()
    };
    assert_eq!(
        not_zero("loader_invocations_completed_total{"),
        [
            r#"loader_invocations_completed_total{status="http_503",cold_start="unknown"} 1"#,
            r#"loader_invocations_completed_total{status="ok",cold_start="true"} 1"#,
        ]
    );
    assert_eq!(
        series(&metrics, "loader_dispatch_lag_seconds_bucket{le=\"0.00016\"}"),
        [r#"loader_dispatch_lag_seconds_bucket{le="0.00016"} 1"#]
    );
    assert_eq!(
        series(&metrics, "loader_dispatch_lag_seconds_bucket{le=\"0.0001\"}"),
        [r#"loader_dispatch_lag_seconds_bucket{le="0.0001"} 0"#]
    );
    assert_eq!(not_zero("loader_response_seconds_sum"), [r#"loader_response_seconds_sum{cold_start="true"} 0.3"#]);
    assert_eq!(
        series(&metrics, "loader_scheduling_latency_seconds_sum"),
        ["loader_scheduling_latency_seconds_sum 0.05"]
    );
    assert_eq!(series(&metrics, "loader_slowdown_ratio_sum"), ["loader_slowdown_ratio_sum 1.5"]);
}
