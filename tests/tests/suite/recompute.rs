//! The figures of runs, computed anew from their rows by a script that shares no code with the daemon.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{thread::sleep, time::Duration};

use loader_tests::{Daemon, eventually, even_trace, heavy, root, run};
use nix::sys::signal::Signal;

/// The script finds the same figures in the rows of the run as its summary has.
#[track_caller]
fn agrees(daemon: &Daemon, run_id: &str) {
    let (script, directory) = (root().join("tests/recompute.py"), daemon.directory(run_id));
    let compared = run("python3", [script, directory]);
    assert_eq!(compared.code, 0, "{}{}", compared.stdout, compared.stderr);
    assert!(compared.stdout.contains(" 0 differences"), "{compared:?}");
}

/// Submits a run with these flags, and compares it once it has ended in `state`.
#[track_caller]
fn ends_and_agrees(flags: &str, state: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(directory.path());
    let ended = daemon.ended(&daemon.submit(&flags.split_whitespace().collect::<Vec<_>>()));
    assert_eq!(ended["state"], state, "{ended:#}");
    agrees(&daemon, ended["runId"].as_str().expect("an id"));
}

#[test]
fn a_trace_with_a_warm_up() {
    let traces = tempfile::tempdir().expect("a directory");
    let trace = even_trace(traces.path(), 3, 40, 15, 5);
    let flags = "--mode trace --duration 12s --granularity second --max-runtime 5ms --max-memory 2MiB --stable-window 1s \
                 --warmup-hold 3s --warmup-settle 3s --trace";
    ends_and_agrees(&format!("{flags} {trace}"), "RUN_STATE_SUCCEEDED");
}

#[test]
fn a_sweep() {
    let flags = "--mode rps --start 200 --end 600 --step 200 --slot 2s --functions 2 --runtime 2ms --memory 1MiB";
    ends_and_agrees(&format!("{flags} --compress gzip"), "RUN_STATE_SUCCEEDED");
}

#[test]
fn a_burst_of_which_a_part_fails() {
    let flags = "--mode burst --target-rps 8 --burst 12 --hold 4s --step-duration 500ms --runtime 200ms --memory 1MiB \
                 --max-scale 1 --container-concurrency 1 --function-timeout 600ms";
    ends_and_agrees(flags, "RUN_STATE_SUCCEEDED");
}

#[test]
fn cold_starts() {
    let flags = "--mode coldstart --start 4 --step 0 --cold-starts 3,1,2 --functions 5 --slot 3s --runtime 10ms \
                 --memory 1MiB --stable-window 500ms --container-concurrency 10";
    ends_and_agrees(flags, "RUN_STATE_SUCCEEDED");
}

#[test]
fn a_run_that_is_cancelled() {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(directory.path());
    let flags = "--mode rps --start 50 --end 50 --slot 10m --runtime 5ms --memory 1MiB";
    let run = daemon.submit(&flags.split(' ').collect::<Vec<_>>());
    eventually("a hundred rows", || (daemon.lines(&run, "invocations.csv") > 100).then_some(()));
    daemon.ctl(&["cancel", "--wait", &run]).ok();
    assert_eq!(daemon.ended(&run)["state"], "RUN_STATE_CANCELLED");
    agrees(&daemon, &run);
}

#[test]
fn a_run_whose_loader_was_stopped_for_a_moment() {
    let _turn = heavy();
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(directory.path());
    let flags = "--mode rps --start 200 --end 200 --slot 5s --runtime 5ms --memory 1MiB";
    let run = daemon.submit(&flags.split(' ').collect::<Vec<_>>());
    eventually("two hundred rows", || (daemon.lines(&run, "invocations.csv") > 200).then_some(()));
    daemon.signal(Signal::SIGSTOP);
    sleep(Duration::from_millis(300));
    daemon.signal(Signal::SIGCONT);
    assert_eq!(daemon.ended(&run)["state"], "RUN_STATE_SUCCEEDED");
    let stalls = &daemon.summary(&run)["stalls"];
    assert!(stalls["longestUs"].as_u64().is_some_and(|us| us >= 200_000), "{stalls:#}");
    agrees(&daemon, &run);
}
