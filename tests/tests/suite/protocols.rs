//! What functions are called by: gRPC, plain HTTP/1.1, plain HTTP/2.

#![expect(clippy::expect_used, reason = "tests")]

use std::process::Command;

use loader_tests::{Daemon, Peer, Table, bin, cluster::Cluster, root};

const SHORT: [&str; 10] = ["--mode", "rps", "--start", "20", "--end", "20", "--slot", "1s", "--runtime", "5ms"];

/// The rows of a short run.
fn rows(daemon: &Daemon, flags: &[&str]) -> Table {
    let ended = daemon.succeed(&[&SHORT, flags].concat());
    daemon.table(ended["runId"].as_str().expect("text"), "invocations.csv")
}

/// Rows of invocations that all did their work, and say what it took and where.
fn all_served(rows: &Table, what: &str) {
    assert_eq!(rows.len(), 20, "{what}");
    assert!(rows.column("status").iter().all(|status| *status == "ok"), "{what}: {:?}", rows.counts("status"));
    let actual: Vec<u64> = rows.numbers("actual_runtime_us");
    assert!(actual.iter().all(|actual| *actual >= 5000), "{what}: {actual:?}");
    let held: Vec<u64> = rows.numbers("actual_memory_kib");
    assert!(held.iter().all(|held| (8 << 10..100 << 10).contains(held)), "{what}: {held:?}");
    let cold = rows.counts("cold_start");
    assert!(cold.get("true") >= Some(&1) && !cold.contains_key(""), "{what}: {cold:?}");
    assert!(rows.column("instance").iter().all(|instance| !instance.is_empty()), "{what}");
}

#[test]
fn functions_of_this_machine_are_called_by_each_protocol() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    for protocol in ["grpc", "http1", "http2"] {
        all_served(&rows(&daemon, &["--memory", "8MiB", "--protocol", protocol]), protocol);
    }
    // A server that is not of InVitro's form is asked in its own.
    let form = ["--protocol", "http1", "--http-method", "PUT", "--http-path", "/{function}?ms={runtime_ms}"];
    let headers = ["--http-header", "workload: trace", "--http-header", "requested_cpu: {runtime_ms}"];
    let body = ["--http-header", "requested_memory: 8", "--http-body", r#"{"mib": {memory_mib}}"#];
    all_served(&rows(&daemon, &[&form[..], &headers, &body].concat()), "a form of its own");
}

#[test]
fn functions_that_someone_else_deployed_are_called_by_plain_http() {
    let server = Peer::start(Command::new(bin("trace-func")).args(["--host", "127.0.0.1", "--port", "0"]));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let attach = ["--platform", "attach", "--attach", server.address(), "--memory", "8MiB"];
    for protocol in ["http1", "http2"] {
        let rows = rows(&daemon, &[&attach[..], &["--protocol", protocol]].concat());
        assert!(rows.column("status").iter().all(|status| *status == "ok"), "{protocol}: {:?}", rows.counts("status"));
        let actual: Vec<u64> = rows.numbers("actual_runtime_us");
        assert!(actual.iter().all(|actual| *actual >= 5000), "{protocol}: {actual:?}");
    }
    let refused = rows(&daemon, &[&attach[..], &["--protocol", "http1", "--http-header", "workload:x"]].concat());
    assert_eq!(refused.counts("status").get("http_400"), Some(&20));
    assert_eq!(refused.column("error")[0], "header workload is \"x\"; must be trace or empty");
    assert_eq!(server.terminate(), 0);
}

#[test]
fn functions_of_a_cluster_are_called_by_plain_http() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let config = cluster.loaderd_config("");
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    for protocol in ["http1", "http2"] {
        let flags = ["--platform", "knative", "--memory", "8MiB", "--protocol", protocol];
        all_served(&rows(&daemon, &flags), protocol);
    }
}

#[test]
fn a_server_of_another_make_is_called_over_connections_that_it_winds_up() {
    let server = Peer::start(Command::new("python3").arg(root().join("tests/grpc_function.py")));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let load = "--mode rps --start 150 --end 150 --slot 5s --runtime 1500us --memory 8MiB --saturation-lag 1m";
    for policy in ["pooled", "per-function", "per-invocation"] {
        let attach = ["--platform", "attach", "--attach", server.address(), "--connection-policy", policy];
        let ended = daemon.succeed(&[&load.split(' ').collect::<Vec<_>>()[..], &attach].concat());
        let rows = daemon.table(ended["runId"].as_str().expect("text"), "invocations.csv");
        assert_eq!(rows.len(), 750, "{policy}");
        assert_eq!(rows.counts("status"), [("ok", 750)].into(), "{policy}: {:?}", rows.counts("error"));
        let said: Vec<(u64, u64)> =
            rows.numbers("actual_runtime_us").into_iter().zip(rows.numbers("actual_memory_kib")).collect();
        assert!(said.iter().all(|&said| said == (7, 9)), "{policy}: {said:?}");
        assert_eq!(rows.counts("instance").len(), 3, "{policy}");
    }
}
