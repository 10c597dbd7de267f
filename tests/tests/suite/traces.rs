//! Uploaded traces: what is shown of them, who may remove them, and clients that send the same one at once.

use std::fs;

use loader_tests::{Daemon, bin, even_trace, eventually, run};
use serde_json::Value;

/// A run that replays a trace for long.
fn replay(trace: &str) -> Vec<&str> {
    vec!["--mode=trace", "--granularity=second", "--duration=120s", "--saturation-lag=1m", "--trace", trace]
}

fn traces(daemon: &Daemon) -> Vec<Value> {
    let listed = daemon.ctl(&["--output", "json", "trace", "list"]).ok().json();
    listed["traces"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_trace_is_listed_with_what_uses_it_and_removed_when_nothing_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path().join("state");
    let trace = even_trace(directory.path(), 1, 120, 1, 1);
    let daemon = Daemon::start(&state);
    assert_eq!(daemon.ctl(&["trace", "list"]).ok().stdout, "no uploaded traces\n");
    let id = daemon.submit(&replay(&trace));
    let queued = daemon.submit(&replay(&trace));
    let listed = traces(&daemon);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["activeRunIds"], serde_json::json!([id, queued]));
    assert_eq!((&listed[0]["stage"], &listed[0]["client"]), (&"TRACE_STAGE_COMPLETE".into(), &"loopback".into()));
    let name = listed[0]["traceId"].as_str().expect("text");
    let shown = daemon.ctl(&["trace", "list"]).ok().stdout;
    assert!(shown.contains(name) && shown.contains(&format!("{id} and 1 more")) && shown.contains("never"), "{shown}");
    // The beginning of the id will do, but not while a run needs it.
    let refused = daemon.ctl(&["trace", "delete", &name[..12]]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.stderr.contains(&format!("run {id} names the trace: cancel it first")), "{refused:?}");
    for run in [&id, &queued] {
        daemon.ctl(&["cancel", "--wait", run]).ok();
    }
    assert_eq!(traces(&daemon)[0]["endedRuns"], 2);
    assert_eq!(daemon.ctl(&["trace", "delete", &name[..12]]).ok().stdout, format!("{name} removed\n"));
    assert!(traces(&daemon).is_empty());
    let again = daemon.ctl(&["trace", "delete", name]);
    assert!(again.code == 5 && again.stderr.contains(&format!("there is no trace {name}")), "{again:?}");
    let resubmitted = daemon.ctl(&["resubmit", &id]);
    assert!(resubmitted.stderr.contains("(or it was removed): upload it again"), "{resubmitted:?}");
}

#[test]
fn a_caller_with_the_role_submit_removes_its_own_traces_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut config = String::from("[access]\nloopback = \"submit\"\n[access.tokens]\n");
    let tokens: Vec<_> = [("ann", "submit"), ("root", "admin")]
        .map(|(name, role)| {
            let file = directory.path().join(name).to_str().expect("text").to_owned();
            config += &run(bin("loaderctl"), ["token", name, "--role", role, "--to", &file]).ok().stdout;
            file
        })
        .into();
    let path = directory.path().join("loaderd.toml");
    fs::write(&path, config.replace("[access.tokens]\n[access.tokens]", "[access.tokens]")).expect("writes");
    let daemon = Daemon::start_with(&directory.path().join("state"), &["--config", path.to_str().expect("text")]);
    let trace = even_trace(directory.path(), 1, 1, 1, 1);
    let plan = ["plan", "--mode=trace", "--granularity=second", "--duration=1s", "--trace", &trace];
    daemon.ctl(&[&["--token-file", &tokens[0]][..], &plan].concat()).ok();
    let name = traces(&daemon)[0]["traceId"].as_str().expect("text").to_owned();
    let refused = daemon.ctl(&["trace", "delete", &name]);
    assert!(refused.stderr.contains("loopback may remove its own traces only; ann began to upload"), "{refused:?}");
    daemon.ctl(&["--token-file", &tokens[0], "trace", "delete", &name]).ok();
    daemon.ctl(&plan).ok();
    daemon.ctl(&["--token-file", &tokens[1], "trace", "delete", &name]).ok();
    let is_audit = |line: &String| line.contains("audit: root by 127.0.0.1: DeleteTrace: Ok");
    eventually("it is audited", || daemon.log().iter().any(is_audit).then_some(()));
}

#[test]
fn clients_send_the_same_trace_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    // Some megabytes, so that they overlap.
    let trace = even_trace(directory.path(), 2000, 1000, 1, 1);
    let daemon = Daemon::start(&directory.path().join("state"));
    let plan = ["plan", "--mode=trace", "--granularity=second", "--duration=1s", "--trace", &trace];
    std::thread::scope(|scope| {
        let plans: Vec<_> = (0..4).map(|_| scope.spawn(|| daemon.ctl(&plan))).collect();
        for ended in plans {
            ended.join().expect("it ends").ok();
        }
    });
    eventually("one is left", || (traces(&daemon).len() == 1).then_some(()));
    assert_eq!(traces(&daemon)[0]["stage"], "TRACE_STAGE_COMPLETE");
}
