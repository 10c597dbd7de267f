//! A real Prometheus next to the daemon.

#![expect(clippy::expect_used, clippy::panic, reason = "this is a test, which ends by a panic")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
};

use loader_tests::{Daemon, Ran, TIMEOUT, eventually_ok, heavy, root, run};
use serde_json::Value;

/// A Prometheus of the test's own; it is killed when this is dropped.
struct Prometheus {
    child: Child,
    address: String,
    targets: PathBuf,
    log: Arc<Mutex<Vec<String>>>,
}

impl Drop for Prometheus {
    #[expect(clippy::print_stderr, reason = "this is for who reads why a test failed")]
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking()
            && let Ok(log) = self.log.lock()
        {
            eprintln!("prometheus's log:\n{}", log.join("\n"));
        }
    }
}

impl Prometheus {
    /// Starts one, on a port of the system's choice, that knows the rules of this repository.
    fn start(directory: &Path) -> Self {
        let settings = directory.join("prometheus.yml");
        let targets = directory.join("targets.json");
        let rules = root().join("config/prometheus/rules.yml");
        let global = "global: {scrape_interval: 1s, evaluation_interval: 1s}";
        let found = format!("file_sd_configs: [{{files: [{targets:?}], refresh_interval: 1s}}]");
        let text = format!("{global}\nrule_files: [{rules:?}]\nscrape_configs: [{{job_name: loader, {found}}}]\n");
        fs::write(&settings, text).expect("writes");
        let flag = |name: &str, value: &Path| format!("--{name}={}", value.display());
        let mut child = Command::new("prometheus")
            .arg(flag("config.file", &settings))
            .arg(flag("storage.tsdb.path", &directory.join("tsdb")))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("prometheus is installed");
        let stderr = child.stderr.take().expect("it is piped");
        let log = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&log);
        let (sender, announced) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                    // Only the first address is waited for.
                    let _late = sender.send(address.to_owned());
                }
                keep.lock().expect("whole").push(line);
            }
        });
        let address = announced.recv_timeout(TIMEOUT);
        let address = address.unwrap_or_else(|error| panic!("{error}: {:?}", log.lock().expect("whole")));
        Self { child, address, targets, log }
    }

    /// A daemon that may ask it.
    fn daemon(&self, directory: &Path) -> Daemon {
        let config = directory.join("loaderd.toml");
        fs::write(&config, format!("[prometheus]\nurl = \"http://{}\"\n[scrape]\nperiod = \"30s\"\n", self.address))
            .expect("writes");
        Daemon::start_with(&directory.join("state"), &["--config", config.to_str().expect("text")])
    }

    /// Lets it scrape the daemon each second.
    fn scrape(&self, daemon: &Daemon) {
        let targets = serde_json::json!([{"targets": [daemon.metrics_address()]}]);
        // Renamed, so that it never reads half of it.
        let whole = self.targets.with_extension("whole");
        fs::write(&whole, targets.to_string()).expect("writes");
        fs::rename(&whole, &self.targets).expect("renames");
    }
}

/// Asks through the daemon until the answer is as it must be.
fn answers(daemon: &Daemon, expression: &str, fine: impl Fn(&Ran) -> bool) {
    eventually_ok(expression, || {
        let ran = daemon.ctl(&["query", expression]);
        if fine(&ran) { Ok(()) } else { Err(ran) }
    });
}

/// Every expression of the dashboard, as Grafana would send it for a scrape each second.
fn dashboard() -> Vec<String> {
    let text = fs::read_to_string(root().join("config/grafana/loader.json")).expect("is there");
    let dashboard: Value = serde_json::from_str(&text).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets").clone());
    let marks = dashboard["annotations"]["list"].as_array().expect("annotations").clone();
    let expression = |target: Value| target["expr"].as_str().expect("text").replace("$__rate_interval", "5s");
    targets.chain(marks).map(expression).collect()
}

/// What records of the rules are called.
fn recorded() -> Vec<String> {
    let text = fs::read_to_string(root().join("config/prometheus/rules.yml")).expect("is there");
    text.lines().filter_map(|line| Some(line.trim().strip_prefix("- record: ")?.to_owned())).collect()
}

#[test]
fn every_expression_of_dashboard_and_rules_has_a_value_while_a_run_goes() {
    let _turn = heavy();
    let directory = tempfile::tempdir().expect("a directory");
    let prometheus = Prometheus::start(directory.path());
    let daemon = prometheus.daemon(directory.path());
    prometheus.scrape(&daemon);
    let run = daemon.submit(&["--mode", "rps", "--start", "20", "--end", "20", "--slot", "10m", "--runtime", "5ms"]);
    let expressions = [dashboard(), recorded()].concat();
    assert!(expressions.len() > 25, "{expressions:?}");
    for expression in expressions {
        // There are no nodes without a cluster; what is asked must be right all the same.
        let on_cluster = expression.contains("loader_cluster_node_");
        // Nothing is disturbed.
        let is_mark = expression.contains("loader_disturbances_total");
        answers(&daemon, &expression, |ran| {
            ran.code == 0 && (on_cluster || is_mark || ran.stdout.trim() != "no value")
        });
    }
    daemon.ctl(&["cancel", "--wait", &run]).ok();
}

#[test]
fn it_scrapes_the_daemon_and_answers_queries_through_it() {
    let _turn = heavy();
    let directory = tempfile::tempdir().expect("a directory");
    let prometheus = Prometheus::start(directory.path());
    let daemon = prometheus.daemon(directory.path());
    prometheus.scrape(&daemon);
    let query = |expression: &str| daemon.ctl(&["query", expression]);
    answers(&daemon, "loader_runs_queued", |ran| ran.code == 0 && ran.stdout.contains("job=\"loader\""));
    answers(&daemon, "sum(loader_runs_queued) + 2", |ran| ran.stdout.trim() == "2");
    let values = daemon.ctl(&["--output", "json", "query", "vector(3)"]).ok().json();
    assert_eq!(values["values"][0]["value"], "3");
    assert_eq!(query("no_such_metric").ok().stdout.trim(), "no value");
    let refused = query("sum(");
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("parse error"), "{refused:?}");
    drop(prometheus);
    let away = query("up");
    assert_eq!(away.code, 5, "{away:?}");
    assert!(away.stderr.contains("does not answer"), "{away:?}");
}

#[test]
fn without_one_a_query_is_refused_with_the_missing_setting() {
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
    let metrics =
        run("curl", ["--silent", "--fail", &format!("http://{}/metrics", daemon.metrics_address())]).ok().stdout;
    let file = state.path().join("metrics");
    fs::write(&file, metrics).expect("writes");
    let metrics = fs::File::open(&file).expect("opens");
    let checked =
        Command::new("promtool").args(["check", "metrics"]).stdin(metrics).output().expect("promtool is installed");
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
