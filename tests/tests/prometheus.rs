//! A real Prometheus beside the daemon.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use loader_tests::{Daemon, eventually, root, run};

/// A Prometheus that is killed when it is dropped.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn it_scrapes_the_daemon_and_answers_queries_through_it() {
    let state = tempfile::tempdir().expect("a directory");
    // It can't be asked for a port of the system's choice: one that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let config = state.path().join("loaderd.toml");
    fs::write(&config, format!("[prometheus]\nurl = \"http://127.0.0.1:{port}\"\n")).expect("writes");
    let daemon = Daemon::start_with(&state.path().join("state"), &["--config", config.to_str().expect("text")]);
    let query = |expression: &str| daemon.ctl(&["query", expression]);
    let away = query("up");
    assert_eq!(away.code, 5, "{away:?}");
    assert!(away.stderr.contains("does not answer"), "{away:?}");
    let settings = state.path().join("prometheus.yml");
    let job = format!("[{{job_name: loader, static_configs: [{{targets: ['{}']}}]}}]", daemon.metrics_address());
    fs::write(&settings, format!("global: {{scrape_interval: 1s}}\nscrape_configs: {job}\n")).expect("writes");
    let flag = |name: &str, value: &str| format!("--{name}={value}");
    let prometheus = Command::new("prometheus")
        .arg(flag("config.file", settings.to_str().expect("text")))
        .arg(flag("storage.tsdb.path", state.path().join("tsdb").to_str().expect("text")))
        .arg(flag("web.listen-address", &format!("127.0.0.1:{port}")))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _prometheus = Prometheus(prometheus.expect("prometheus is there"));
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

/// What an operator gives to their Prometheus.
#[test]
fn its_settings_are_valid() {
    let directory = root().join("config/prometheus");
    let settings = directory.join("prometheus.yml");
    let checked = run("promtool", ["check", "config", settings.to_str().expect("text")]);
    assert_eq!(checked.code, 0, "{checked:?}");
}
