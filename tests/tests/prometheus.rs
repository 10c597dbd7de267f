//! A real Prometheus beside the daemon.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use loader_tests::{Daemon, eventually, root, run};
use serde_json::Value;

/// A Prometheus that is killed when it is dropped.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A daemon that may ask a Prometheus which is not there yet, and that one's port.
fn daemon(directory: &Path) -> (Daemon, u16) {
    // It can't be asked for a port of the system's choice: one that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let config = directory.join("loaderd.toml");
    fs::write(&config, format!("[prometheus]\nurl = \"http://127.0.0.1:{port}\"\n")).expect("writes");
    (Daemon::start_with(&directory.join("state"), &["--config", config.to_str().expect("text")]), port)
}

impl Prometheus {
    /// Starts one that scrapes the daemon each second and knows the rules of this repository.
    fn start(directory: &Path, daemon: &Daemon, port: u16) -> Self {
        let settings = directory.join("prometheus.yml");
        let job = format!("[{{job_name: loader, static_configs: [{{targets: ['{}']}}]}}]", daemon.metrics_address());
        let rules = root().join("config/prometheus/rules.yml");
        let global = "global: {scrape_interval: 1s, evaluation_interval: 1s}";
        let text = format!("{global}\nrule_files: [{rules:?}]\nscrape_configs: {job}\n");
        fs::write(&settings, text).expect("writes");
        let flag = |name: &str, value: &str| format!("--{name}={value}");
        let prometheus = Command::new("prometheus")
            .arg(flag("config.file", settings.to_str().expect("text")))
            .arg(flag("storage.tsdb.path", directory.join("tsdb").to_str().expect("text")))
            .arg(flag("web.listen-address", &format!("127.0.0.1:{port}")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(prometheus.expect("prometheus is there"))
    }
}

/// Every expression of the dashboard, as Grafana would send it for a scrape each second.
fn dashboard() -> Vec<String> {
    let text = fs::read_to_string(root().join("config/grafana/loader.json")).expect("is there");
    let dashboard: Value = serde_json::from_str(&text).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets").clone());
    let expression = |target: Value| target["expr"].as_str().expect("text").replace("$__rate_interval", "5s");
    targets.map(expression).collect()
}

/// What records of the rules are called.
fn recorded() -> Vec<String> {
    let text = fs::read_to_string(root().join("config/prometheus/rules.yml")).expect("is there");
    text.lines().filter_map(|line| Some(line.trim().strip_prefix("- record: ")?.to_owned())).collect()
}

#[test]
fn every_expression_of_dashboard_and_rules_has_a_value_while_a_run_goes() {
    let directory = tempfile::tempdir().expect("a directory");
    let (daemon, port) = daemon(directory.path());
    let _prometheus = Prometheus::start(directory.path(), &daemon, port);
    let run = daemon.submit(&["--mode", "rps", "--start", "20", "--end", "20", "--slot", "10m", "--runtime", "5ms"]);
    let expressions = [dashboard(), recorded()].concat();
    assert!(expressions.len() > 25, "{expressions:?}");
    for expression in expressions {
        // There are no nodes without a cluster; what is asked must be right all the same.
        let on_cluster = expression.contains("loader_cluster_node_");
        eventually(&expression, || {
            let ran = daemon.ctl(&["query", &expression]);
            (ran.code == 0 && (on_cluster || ran.stdout.trim() != "no value")).then_some(())
        });
    }
    daemon.ctl(&["cancel", "--wait", &run]).ok();
}

#[test]
fn it_scrapes_the_daemon_and_answers_queries_through_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let (daemon, port) = daemon(directory.path());
    let query = |expression: &str| daemon.ctl(&["query", expression]);
    let away = query("up");
    assert_eq!(away.code, 5, "{away:?}");
    assert!(away.stderr.contains("does not answer"), "{away:?}");
    let _prometheus = Prometheus::start(directory.path(), &daemon, port);
    eventually("it has scraped the daemon", || {
        let ran = query("loader_runs_queued");
        (ran.code == 0 && ran.stdout.contains("job=\"loader\"")).then_some(())
    });
    let sum = query("sum(loader_runs_queued) + 2").ok();
    assert_eq!(sum.stdout.trim(), "2");
    let values = daemon.ctl(&["--output", "json", "query", "vector(3)"]).ok().json();
    assert_eq!(values["values"][0]["value"], "3");
    assert_eq!(query("no_such_metric").ok().stdout.trim(), "no value");
    let refused = query("sum(");
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("parse error"), "{refused:?}");
}

#[test]
fn without_one_a_query_says_what_is_missing() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let ran = daemon.ctl(&["query", "up"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stderr.contains("prometheus.url"), "{ran:?}");
}

#[test]
fn its_metrics_are_as_prometheus_wants_them() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    daemon.succeed(&[
        "--mode",
        "rps",
        "--start",
        "5",
        "--end",
        "5",
        "--slot",
        "1s",
        "--runtime",
        "1ms",
        "--memory=1MiB",
    ]);
    let told = run("curl", ["--silent", "--fail", &format!("http://{}/metrics", daemon.metrics_address())]).ok().stdout;
    let file = state.path().join("metrics");
    fs::write(&file, told).expect("writes");
    let metrics = fs::File::open(&file).expect("opens");
    let checked =
        Command::new("promtool").args(["check", "metrics"]).stdin(metrics).output().expect("promtool is there");
    assert!(checked.status.success(), "{checked:?}");
    assert_eq!((checked.stdout.len(), checked.stderr.len()), (0, 0), "{checked:?}");
}

/// What an operator gives to their Prometheus.
#[test]
fn its_settings_and_rules_are_valid_and_fire_when_they_should() {
    let directory = root().join("config/prometheus");
    for (check, file) in [
        (&["check", "config"][..], "prometheus.yml"),
        (&["check", "rules"], "rules.yml"),
        (&["test", "rules"], "rules_test.yml"),
    ] {
        let file = directory.join(file);
        run("promtool", [check, &[file.to_str().expect("text")]].concat()).ok();
    }
}
