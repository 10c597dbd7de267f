//! What is left when the daemon dies or is stopped in mid-run.

use loader_tests::{Daemon, Table, children, eventually, is_alive};
use nix::sys::signal::Signal;

/// A run of half a minute, ten invocations a second.
const LONG: &str = "--mode rps --start 10 --end 10 --slot 30s --runtime 5ms --memory 1MiB --drain-timeout 30s";

/// Submits the long run and waits until it has written rows; its id and its function processes.
fn under_way(daemon: &Daemon) -> (String, Vec<u32>) {
    let id = daemon.submit(&LONG.split(' ').collect::<Vec<_>>());
    let path = daemon.directory(&id).join("invocations.csv");
    eventually("rows are on disk", || {
        let text = std::fs::read_to_string(&path).ok()?;
        (text.lines().count() > 10).then_some(())
    });
    let functions = children(daemon.pid(), "trace-func");
    assert!(!functions.is_empty());
    (id, functions)
}

#[test]
fn kill_9_leaves_records_and_no_process() {
    let state = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(state.path());
    let (id, functions) = under_way(&daemon);
    let issued = daemon.ctl(&["--output", "json", "get", &id]).ok().json();
    let issued: i64 = issued["run"]["progress"]["completed"].as_str().expect("a count").parse().expect("a number");
    daemon.signal(Signal::SIGKILL);
    daemon.wait();
    eventually("no trace-func survives", || functions.iter().all(|pid| !is_alive(*pid)).then_some(()));
    // Whole rows, of all that were reported: they are on disk before.
    let rows = Table::read(&daemon.directory(&id).join("invocations.csv"));
    assert!(rows.len() as i64 >= issued, "{} rows of {issued}", rows.len());
    assert!(rows.column("status").iter().all(|status| *status == "ok"));

    let daemon = Daemon::start(state.path());
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_INTERRUPTED");
    assert_eq!(run["reason"], "the daemon ended while the run was running");
    let next = "--mode rps --start 5 --end 5 --slot 1s --runtime 1ms --memory 1MiB";
    daemon.succeed(&next.split(' ').collect::<Vec<_>>());
}

#[test]
fn sigterm_drains() {
    let state = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(state.path());
    let (id, functions) = under_way(&daemon);
    let queued = daemon.submit(&LONG.split(' ').collect::<Vec<_>>());
    assert!(daemon.terminate().success(), "{:?}", daemon.log());
    assert!(functions.iter().all(|pid| !is_alive(*pid)));
    let summary = daemon.summary(&id);
    assert_eq!(summary["state"], "RUN_STATE_INTERRUPTED");
    let rows = daemon.table(&id, "invocations.csv");
    assert_eq!(summary["rows"], rows.len() as u64);
    assert!(rows.column("status").iter().all(|status| *status == "ok"), "what was out was awaited");

    let daemon = Daemon::start(state.path());
    let shown = daemon.ctl(&["--output", "json", "get", &queued]).ok().json();
    assert_ne!(shown["run"]["state"], "RUN_STATE_INTERRUPTED", "it still waits, or goes");
    daemon.ctl(&["cancel", &queued]).ok();
    assert_eq!(daemon.ended(&queued)["state"], "RUN_STATE_CANCELLED");
}
