//! Spans, as a collector of OpenTelemetry gets them.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use loader_tests::{ClosedPort, Daemon, root};
use serde_json::Value;

/// A collector that is killed when it is dropped.
struct Collector(Child);

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn a_run_its_stages_and_some_of_its_invocations() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut python = Command::new("python3");
    python.arg(root().join("tests/collector.py")).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut collector = Collector(python.spawn().expect("starts"));
    let mut lines = BufReader::new(collector.0.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let port = lines.next().expect("it listens");
    let config = directory.path().join("loaderd.toml");
    fs::write(&config, format!("[otlp]\nendpoint = \"http://127.0.0.1:{port}\"\nsampled = 0.2\n")).expect("writes");
    let state = directory.path().join("state");
    let mut daemon = Daemon::start_with(&state, &["--config", config.to_str().expect("text")]);
    let spec = ["--mode", "rps", "--start", "100", "--end", "100", "--slot", "3s", "--runtime", "1ms", "--memory=1MiB"];
    let run = daemon.succeed(&spec);
    let id = run["runId"].as_str().expect("text");
    // What it still has it sends before it ends.
    assert!(daemon.terminate().success());
    drop(collector.0.kill());
    let spans: Vec<Value> = lines.map(|line| serde_json::from_str(&line).expect("JSON")).collect();

    let root: Vec<_> = spans.iter().filter(|span| span["name"] == "run").collect();
    assert_eq!(root.len(), 1, "{spans:?}");
    let root = root[0];
    assert_eq!((&root["service"], &root["parent"]), (&"loaderd".into(), &"".into()));
    assert_eq!(root["attributes"]["loader.run.id"], id);
    assert_eq!(root["attributes"]["loader.run.state"], "succeeded");
    for span in spans.iter().filter(|span| span["name"] != "run") {
        assert_eq!((&span["trace"], &span["parent"]), (&root["trace"], &root["id"]), "{span}");
        assert!(span["start"].as_u64() <= span["end"].as_u64() && span["start"].as_u64() >= root["start"].as_u64());
    }
    let names: BTreeSet<_> = spans.iter().map(|span| span["name"].as_str().expect("text")).collect();
    assert_eq!(names, ["cleaning", "deploying", "draining", "invoke", "queued", "run", "running"].into());

    // Those of invocations correspond to rows.
    let rows = daemon.table(id, "invocations.csv");
    let ids: BTreeSet<_> = rows.column("invocation_id").into_iter().collect();
    let invoked: Vec<_> = spans.iter().filter(|span| span["name"] == "invoke").collect();
    assert!((20..=120).contains(&invoked.len()), "a fifth of 300, give or take: {}", invoked.len());
    for span in invoked {
        assert!(ids.contains(span["attributes"]["loader.invocation.id"].as_str().expect("text")), "{span}");
        assert_eq!((&span["kind"], &span["status"]), (&3.into(), &1.into()), "a client's, and well: {span}");
    }
}

#[test]
fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("loaderd.toml");
    let port = ClosedPort::hold();
    let text = format!("[otlp]\nendpoint = \"http://{}\"\nsampled = 1\n", port.address());
    fs::write(&config, text).expect("writes");
    let state = directory.path().join("state");
    let mut daemon = Daemon::start_with(&state, &["--config", config.to_str().expect("text")]);
    daemon.succeed(&[
        "--mode",
        "rps",
        "--start",
        "50",
        "--end",
        "50",
        "--slot",
        "2s",
        "--runtime",
        "1ms",
        "--memory=1MiB",
    ]);
    assert!(daemon.terminate().success());
    let logged = daemon.log().iter().filter(|line| line.contains("spans are lost")).count();
    assert_eq!(logged, 1, "{:?}", daemon.log());
}
