//! The state directory over time: whose it is, what is kept, what else may lie in it.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::fs;

use loader_tests::{Daemon, bin, eventually, run};

/// A run of a second.
const SHORT: [&str; 7] =
    ["--mode=rps", "--start=5", "--end=5", "--slot=1s", "--runtime=1ms", "--memory=1MiB", "--saturation-lag=1m"];

fn runs(daemon: &Daemon) -> Vec<String> {
    let listed = daemon.ctl(&["--output", "json", "list"]).ok().json();
    let runs = listed["runs"].as_array().map_or(&[][..], Vec::as_slice);
    runs.iter().map(|run| run["runId"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn a_second_daemon_is_refused() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let path = state.path().to_str().expect("text");
    let second =
        || run(bin("loaderd"), ["--state-dir", path, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
    let ran = second();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains(&format!("another loaderd (pid {}) uses {path}", daemon.pid())), "{ran:?}");
    // Without the file, nobody knows which.
    fs::remove_file(state.path().join("lock")).expect("removes");
    let ran = second();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains(&format!("another loaderd uses {path}")), "{ran:?}");
    daemon.ctl(&["status"]).ok();
}

#[test]
fn only_so_many_runs_are_kept_and_pinned_ones_for_ever() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("loaderd.toml");
    fs::write(&config, "[retention]\nmax_runs = 2\n").expect("writes");
    let state = directory.path().join("state");
    let daemon = Daemon::start_with(&state, &["--config", config.to_str().expect("text")]);
    let first = daemon.submit(&SHORT);
    assert_eq!(daemon.ended(&first)["state"], "RUN_STATE_SUCCEEDED");
    daemon.ctl(&["pin", &first]).ok();
    let refused = daemon.ctl(&["delete", &first]);
    assert_eq!(refused.stderr, format!("error: run {first} is pinned: unpin it first\n"));
    let rest: Vec<_> = (0..3).map(|_| daemon.submit(&SHORT)).collect();
    daemon.ended(&rest[2]);
    // The pinned one counts for nothing.
    let kept = vec![rest[2].clone(), rest[1].clone(), first.clone()];
    eventually("the oldest is removed", || (runs(&daemon) == kept).then_some(()));
    assert!(!daemon.directory(&rest[0]).exists());
    daemon.ctl(&["unpin", &first]).ok();
    daemon.ended(&daemon.submit(&SHORT));
    eventually("the unpinned one is removed", || (!runs(&daemon).contains(&first)).then_some(()));
}

#[test]
fn a_run_is_resubmitted_with_one_command() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let first = daemon.submit(&[&SHORT[..], &["--name", "again", "--seed", "9"]].concat());
    daemon.ended(&first);
    let ran = daemon.ctl(&["resubmit", &first, "--wait"]).ok();
    assert!(ran.stdout.contains("again"), "{ran:?}");
    let ids = runs(&daemon);
    assert_eq!(ids.len(), 2);
    let spec = |run: &str| fs::read_to_string(daemon.directory(run).join("spec.yaml")).expect("is there");
    assert_eq!(spec(&ids[0]), spec(&ids[1]));
}

#[test]
fn foreign_and_broken_things_are_skipped_and_left_and_a_cut_off_removal_is_ended() {
    let state = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(state.path());
    let run = daemon.submit(&SHORT);
    daemon.ended(&run);
    daemon.terminate();
    drop(daemon);
    let runs_directory = state.path().join("runs");
    let foreign = [("notes.txt", "mine"), ("20260101t000000000-0000/run.json", "{"), ("lost+found/x", "y")];
    for (name, content) in foreign {
        let path = runs_directory.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
        fs::write(path, content).expect("writes");
    }
    let removed = runs_directory.join(".deleted-20260101t000000001-0000");
    fs::create_dir(&removed).expect("makes");
    // Half a trace, and a file among the traces.
    fs::write(state.path().join("traces/README"), "mine").expect("writes");

    let daemon = Daemon::start(state.path());
    assert_eq!(runs(&daemon), [run]);
    for (name, content) in foreign {
        assert_eq!(fs::read_to_string(runs_directory.join(name)).expect("is left"), content);
    }
    let log = daemon.log();
    let skipped: Vec<_> = log.iter().filter(|line| line.contains("skipped ")).collect();
    // One line, with the count and each name.
    let named = |line: &str| foreign.iter().all(|(name, _)| line.contains(name.split('/').next().unwrap_or_default()));
    assert!(matches!(&skipped[..], [line] if line.contains("skipped 3 entries ") && named(line)), "{log:?}");
    assert!(!removed.exists());
    daemon.succeed(&SHORT);
}

#[test]
fn a_run_may_be_finished_before_the_daemon_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("loaderd.toml");
    fs::write(&config, "on_stop = \"finish\"\n").expect("writes");
    let state = directory.path().join("state");
    let mut daemon = Daemon::start_with(&state, &["--config", config.to_str().expect("text")]);
    let spec = ["--mode", "rps", "--start", "5", "--end", "5", "--slot", "12s", "--runtime", "1ms", "--memory=1MiB"];
    let (first, second) = (daemon.submit(&spec), daemon.submit(&SHORT));
    eventually("it runs", || {
        let shown = daemon.ctl(&["--output", "json", "get", &first]).ok().json();
        (shown["run"]["state"] == "RUN_STATE_RUNNING").then_some(())
    });
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    // It still answers, and takes nothing new.
    let refused = eventually("it takes no runs", || {
        let ran = daemon.ctl(&[&["submit"], &SHORT[..]].concat());
        (ran.code != 0).then_some(ran)
    });
    assert!(refused.stderr.contains("shutting down"), "{refused:?}");
    daemon.ctl(&["get", &first]).ok();
    assert!(daemon.wait().success());
    assert_eq!(daemon.table(&first, "invocations.csv").counts("status").get("ok"), Some(&60));
    // The one that waited waits on.
    let daemon = Daemon::start(&state);
    assert_eq!(daemon.ended(&first)["state"], "RUN_STATE_SUCCEEDED");
    assert_eq!(daemon.ended(&second)["state"], "RUN_STATE_SUCCEEDED");
}
