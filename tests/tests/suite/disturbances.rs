//! Disturbances on the local platform: each action, its figures, and that nothing is left whatever way the run ends.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{fs, path::Path};

use loader_tests::{Daemon, Ran, children, eventually};
use nix::sys::signal::Signal;
use serde_json::Value;

/// A spec of a load of so many seconds at 50/s on four instances, with these entries of `disturb`.
fn spec(directory: &Path, seconds: u32, disturb: &str) -> String {
    let path = directory.join("disturbed.yaml");
    let text = format!(
        "rps: {{ start: 50, end: 50, slot: {seconds}s, functions: 2, runtime: 5ms, memoryMib: 1 }}\n\
         scaling: {{ initialScale: 2, minScale: 2, stableWindow: 60s }}\nfunctionTimeout: 5s\noverload: {{ failureRatio: 1 }}\n\
         disturb:\n{disturb}"
    );
    fs::write(&path, text).expect("writes");
    path.to_str().expect("text").to_owned()
}

const EACH: &str = "- { at: 2s, do: killInstances, count: all }\n- { at: 4s, do: pauseInstances, count: 1, for: 1s }\n\
                    - { at: 6s, do: refuseStarts, for: 1500ms }\n- { at: 6500ms, do: killInstances, count: 2 }\n";

/// The rows of events.csv: number, stage, action, outcome.
fn events(daemon: &Daemon, id: &str) -> Vec<[String; 4]> {
    let table = daemon.table(id, "events.csv");
    let rows = table.columns(["disturbance", "stage", "action", "outcome"]);
    rows.into_iter().map(|row| row.map(str::to_owned)).collect()
}

/// Instances of a daemon, and those of them that stand still.
fn instances(daemon: &Daemon) -> (usize, usize) {
    let states: Vec<_> = children(daemon.pid(), "trace-func")
        .into_iter()
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).ok())
        .collect();
    (states.len(), states.iter().filter(|stat| stat.contains(") T ")).count())
}

#[test]
fn each_action_is_carried_out_recorded_and_undone() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let spec = spec(state.path(), 9, EACH);
    let planned = daemon.ctl(&["plan", &spec]).ok().stdout;
    assert!(planned.contains("Disturbances\n") && planned.contains("resuming them"), "{planned}");
    let watched = daemon.ctl(&["submit", &spec, "--watch"]);
    // On a busy machine the loader may be saturated, which is code 3.
    assert!([0, 3].contains(&watched.code), "{watched:?}");
    for line in
        ["disturbance 0, killInstances of all of functions: begin ok: rps-", "disturbance 1, pauseInstances of 1 of"]
    {
        assert!(watched.stderr.contains(line), "{}", watched.stderr);
    }
    assert!(watched.stdout.contains("Disturbances\nno  do              of"), "{}", watched.stdout);
    let shown = daemon.ctl(&["--output", "json", "get", "latest"]).ok().json();
    let run = &shown["run"];
    let id = run["runId"].as_str().expect("an id");
    let expected = [
        ["0", "begin", "killInstances", "ok"],
        ["1", "begin", "pauseInstances", "ok"],
        ["1", "end", "pauseInstances", "ok"],
        ["2", "begin", "refuseStarts", "ok"],
        ["3", "begin", "killInstances", "ok"],
        ["2", "end", "refuseStarts", "ok"],
    ];
    assert_eq!(events(&daemon, id), expected);
    // Each was carried out when it was due, and what lasts was undone as long after.
    let table = daemon.table(id, "events.csv");
    let (due, done) = (table.numbers::<i64>("due_unix_us"), table.numbers::<i64>("done_unix_us"));
    let t0 = run["summary"]["t0UnixUs"].as_str().and_then(|it| it.parse::<i64>().ok()).expect("a number");
    let offsets: Vec<_> = due.iter().map(|due| (due - t0) / 1000).collect();
    assert_eq!([offsets[0], offsets[1], offsets[3], offsets[4]], [2000, 4000, 6000, 6500]);
    assert!(offsets[2] >= 5000 && offsets[5] >= 7500, "{offsets:?}");
    assert!(due.iter().zip(&done).all(|(due, done)| done >= due), "{due:?} {done:?}");
    let found = run["summary"]["disturbances"].as_array().expect("a list");
    let lost: Vec<_> =
        found.iter().map(|it| it["failed"].as_str().expect("is known").parse::<u64>().expect("a number")).collect();
    assert_eq!(found.len(), 4);
    // While nothing starts, what two of four instances did not take waits for the others, and nothing is lost with it.
    assert!(lost.iter().all(|lost| *lost < 200), "{found:#?}");
    daemon.ctl(&["check", id]).ok();
    assert_eq!(instances(&daemon).0, 0);
}

#[test]
fn a_run_that_is_cancelled_resumes_what_it_paused() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let id = daemon.submit(&[&spec(state.path(), 60, "- { at: 1s, do: pauseInstances, count: all }\n")]);
    eventually("instances stand still", || (instances(&daemon).1 >= 2).then_some(()));
    let running = daemon.ctl(&["get", &id]).ok().stdout;
    assert!(running.contains("Disturbances so far") && running.contains("pauseInstances"), "{running}");
    daemon.ctl(&["cancel", &id]).ok();
    assert_eq!(daemon.ended(&id)["state"], "RUN_STATE_CANCELLED");
    assert_eq!(events(&daemon, &id).last().map(|row| row[1..].join(" ")).as_deref(), Some("end pauseInstances ok"));
    assert_eq!(instances(&daemon).0, 0);
}

#[test]
fn a_killed_daemon_leaves_no_instance_that_stands_still() {
    let state = tempfile::tempdir().expect("a directory");
    let mut first = Daemon::start(state.path());
    let id = first.submit(&[&spec(state.path(), 60, "- { at: 1s, do: pauseInstances, count: all }\n")]);
    eventually("instances stand still", || (instances(&first).1 >= 2).then_some(()));
    let paused = children(first.pid(), "trace-func");
    first.signal(Signal::SIGKILL);
    first.wait();
    for pid in paused {
        eventually("they have ended", || (!loader_tests::is_alive(pid)).then_some(()));
    }
    let second = Daemon::start(state.path());
    assert_eq!(second.ended(&id)["state"], "RUN_STATE_INTERRUPTED");
    assert_eq!(events(&second, &id).len(), 1, "the row of its begin is on disk");
}

#[test]
fn what_cannot_be_is_refused_with_its_field() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let refused = |disturb: &str, flags: &[&str]| -> Ran {
        let spec = spec(state.path(), 5, disturb);
        let refused = daemon.ctl(&[&["submit", &spec], flags].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        refused
    };
    let both = refused("- { at: 9s, do: killInstances, for: 1s }\n- { do: cordon, node: n }\n", &[]).stderr;
    for fault in ["disturb[0].for: is not for killInstances", "disturb[1].at: is missing", "disturb[1].do: is cordon"] {
        assert!(both.contains(fault), "{both}");
    }
    let late = refused("- { at: 9s, do: killInstances }\n", &[]).stderr;
    assert!(late.contains("disturb[0].at: is 9s; must be before the end of the load, 5s"), "{late}");
    let knative = refused("- { at: 1s, do: restart, of: activator }\n", &["--platform", "knative"]).stderr;
    assert!(knative.contains("set disturb = true in its section [knative] (knative.disturb)"), "{knative}");
    let listed: Value = daemon.ctl(&["--output", "json", "list"]).ok().json();
    assert!(listed["runs"].as_array().is_none_or(Vec::is_empty), "{listed:#}");
}

/// What waited for a paused instance was cancelled by its caller meanwhile, dozens of times.
#[test]
fn a_paused_instance_goes_on_once_it_is_resumed() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let text = fs::read_to_string(spec(state.path(), 12, "- { at: 1s, do: pauseInstances, count: all, for: 8s }\n"));
    let text = text.expect("was written").replace("functionTimeout: 5s", "functionTimeout: 100ms");
    let path = state.path().join("impatient.yaml");
    fs::write(&path, text).expect("writes");
    let id = daemon.submit(&[path.to_str().expect("text")]);
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let log = daemon.log();
    let exited: Vec<_> = log.iter().filter(|line| line.contains(" exited: ")).collect();
    assert!(exited.is_empty(), "{exited:#?}");
}
