//! The daemon under a service manager: what it reports, and when.

use std::{fs, os::unix::fs::symlink, process::Command};

use loader_tests::{Daemon, Manager, bin, cluster::Cluster, eventually, root};
use nix::sys::signal::Signal;

/// Has the daemon read its configuration again, and waits until it has.
fn reload(daemon: &Daemon) {
    let reloaded = || daemon.log().iter().filter(|line| line.contains("reloaded")).count();
    let before = reloaded();
    daemon.signal(Signal::SIGHUP);
    eventually("it has reloaded", || (reloaded() > before).then_some(()));
}

fn has(messages: &[String], beginning: &str) -> bool {
    messages.iter().any(|line| line.starts_with(beginning))
}

#[test]
fn it_reports_readiness_status_watchdog_and_stopping() {
    let manager = Manager::new();
    let (name, notify) = manager.variable();
    let variables = [(name, &*notify), ("WATCHDOG_USEC", "3000000")];
    let mut daemon = Daemon::start_in(&manager.directory().join("state"), &[], &variables);
    manager.received("READY=1");
    manager.received("STATUS=idle");
    manager.received("WATCHDOG=1");
    let run = daemon.submit(&["--mode", "rps", "--start", "5", "--end", "5", "--slot", "60s", "--runtime", "1ms"]);
    manager.received(&format!("STATUS=run {run} running, slot 1 of 1, "));
    // Fed while a run goes, too: the pacer wakes up when it should.
    manager.received("WATCHDOG=1");
    daemon.signal(Signal::SIGHUP);
    manager.received("RELOADING=1");
    manager.received("READY=1");
    daemon.signal(Signal::SIGTERM);
    manager.received("STOPPING=1");
    assert!(daemon.wait().success());
}

#[test]
fn a_manager_that_takes_no_messages_delays_nothing() {
    let manager = Manager::new();
    manager.fill();
    let (name, notify) = manager.variable();
    let variables = [(name, &*notify), ("WATCHDOG_USEC", "300000")];
    let mut daemon = Daemon::start_in(&manager.directory().join("state"), &[], &variables);
    // Long enough for more messages than the queue holds.
    daemon.succeed(&["--mode", "rps", "--start", "5", "--end", "5", "--slot", "6s", "--runtime", "1ms"]);
    // Messages that are sent only once are not lost.
    manager.received("READY=1");
    manager.received("STATUS=idle");
    manager.fill();
    assert!(daemon.terminate().success());
}

#[test]
fn a_reload_does_not_make_it_ready_before_all_is_cleaned() {
    let cluster = Cluster::start();
    let config = cluster.loaderd_config("");
    let flags = ["--config", config.to_str().expect("text")];
    let state = tempfile::tempdir().expect("a directory");
    let mut first = Daemon::start_with(state.path(), &flags);
    let run =
        ["--platform", "knative", "--mode", "rps", "--start", "5", "--end", "5", "--slot", "60s", "--runtime", "1ms"];
    let run = first.submit(&run);
    eventually("a Service", || (!cluster.names("services.serving.knative.dev").is_empty()).then_some(()));
    first.signal(Signal::SIGKILL);
    first.wait();
    cluster.set_away(true);
    let manager = Manager::new();
    let (name, notify) = manager.variable();
    let daemon = Daemon::start_in(state.path(), &flags, &[(name, &notify)]);
    reload(&daemon);
    cluster.set_away(false);
    let messages = manager.received("READY=1");
    assert!(!has(&messages, "RELOADING"), "{messages:?}");
    assert_eq!(daemon.ended(&run)["state"], "RUN_STATE_INTERRUPTED");
    assert_eq!(cluster.names("services.serving.knative.dev"), [""; 0]);
}

#[test]
fn a_second_signal_awaits_no_answers() {
    let state = tempfile::tempdir().expect("a directory");
    let config = state.path().join("loaderd.toml");
    std::fs::write(&config, "shutdown_drain = \"1h\"\n").expect("writes");
    let flags = ["--config", config.to_str().expect("text")];
    let manager = Manager::new();
    let (name, notify) = manager.variable();
    let mut daemon = Daemon::start_in(&state.path().join("state"), &flags, &[(name, &notify)]);
    // Invocations that take as long as the test may, and no processor.
    let spec = "--mode rps --start 2 --end 2 --slot 60s --kind wimpy --runtime 10m --memory 1MiB";
    let spec: Vec<_> = spec.split(' ').collect();
    let run = daemon.submit(&spec);
    eventually("invocations are out", || {
        let shown = daemon.ctl(&["--output", "json", "get", &run]).ok().json();
        shown["run"]["progress"]["inFlight"].as_str().is_some_and(|out| out != "0").then_some(())
    });
    daemon.signal(Signal::SIGTERM);
    manager.received("STOPPING=1");
    // Which makes it no readier.
    reload(&daemon);
    let messages = manager.received("STATUS=run");
    assert!(!has(&messages, "RELOADING") && !has(&messages, "READY"), "{messages:?}");
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait().success(), "{:?}", daemon.log());
    let rows = daemon.table(&run, "invocations.csv");
    assert!(rows.counts("status").contains_key("unfinished"), "{:?}", rows.counts("status"));
    let daemon = Daemon::start(&state.path().join("state"));
    assert_eq!(daemon.ended(&run)["state"], "RUN_STATE_INTERRUPTED");
}

#[test]
fn within_the_units_system_calls_traces_are_read_below_their_root_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let (traces, outside) = (directory.path().join("traces"), directory.path().join("outside"));
    for folder in [traces.join("day"), outside.clone()] {
        fs::create_dir_all(&folder).expect("makes");
        for file in fs::read_dir(root().join("workloads/traces/small")).expect("lists") {
            let file = file.expect("can be read");
            fs::copy(file.path(), folder.join(file.file_name())).expect("copies");
        }
    }
    symlink("day", traces.join("within")).expect("links");
    symlink(&outside, traces.join("out")).expect("links");
    let config = directory.path().join("loaderd.toml");
    fs::write(&config, format!("[traces]\nroots = [{traces:?}]\n")).expect("writes");
    let mut command = Command::new("python3");
    let unit = root().join("systemd/loaderd.service");
    command.arg(root().join("tests/within_unit.py")).arg(unit).arg(bin("loaderd"));
    let flags = ["--config", config.to_str().expect("text")];
    let daemon = Daemon::start_by(command, &directory.path().join("state"), &flags, &[]);
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("is there");
    assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
    let plan = |name: &str| {
        let path = traces.join(name);
        daemon.grpcurl("PlanRun", &serde_json::json!({ "spec": { "trace": { "path": path } } }))
    };
    for name in ["day", "within"] {
        let planned = plan(name).expect("is planned");
        assert!(planned[0]["plan"]["functions"].as_u64().is_some_and(|functions| functions > 0), "{planned:?}");
    }
    let [out, missing] = ["out", "missing"].map(|name| plan(name).expect_err("is refused").replace(name, "NAME"));
    assert_eq!(out, missing, "one tells nothing of what is there");
    // The rest of it works, too.
    let short = ["--mode=rps", "--start=5", "--end=5", "--slot=1s", "--runtime=1ms", "--saturation-lag=1m"];
    daemon.succeed(&short);
}
