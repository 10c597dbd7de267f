//! The figures of runs, computed anew from their rows by a script that shares no code with the daemon.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{fs, path::Path, thread::sleep, time::Duration};

use loader_tests::{Daemon, Ran, even_trace, eventually, heavy, root, run};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Compares the figures of a run directory.
fn compare(directory: &Path) -> Ran {
    let script = root().join("tests/recompute.py");
    run("python3", [script.as_path(), directory])
}

/// The script finds the same figures in the rows of the run as its summary has.
#[track_caller]
fn agrees(daemon: &Daemon, run_id: &str) {
    let compared = compare(&daemon.directory(run_id));
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

/// The rate is that of a level, and of windows, that can be told.
#[test]
fn disturbances() {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(directory.path());
    let spec = directory.path().join("disturbed.yaml");
    let text = "{ rps: { start: 20, end: 20, slot: 70s, functions: 2, runtime: 5ms, memoryMib: 1 },\n  overload: { failureRatio: 1 },\n\
                disturb: [{ at: 25s, do: killInstances, count: all }, { at: 41s, do: pauseInstances, count: all, for: 12s },\n\
                { at: 30s, do: refuseStarts, for: 1s }, { at: 26s, do: killInstances, count: all }] }\n";
    fs::write(&spec, text).expect("writes");
    let ended = daemon.ended(&daemon.submit(&[spec.to_str().expect("text"), "--function-timeout", "2s"]));
    assert_eq!(ended["state"], "RUN_STATE_SUCCEEDED", "{ended:#}");
    let found = &ended["summary"]["disturbances"];
    // What all instances were at when they were paused fails, and its window is above the level.
    assert!(found[1]["failed"].as_str().is_some_and(|failed| failed != "0"), "{found:#}");
    assert!(found.as_array().is_some_and(|found| found.iter().all(|it| it["requested"] != Value::Null)), "{found:#}");
    agrees(&daemon, ended["runId"].as_str().expect("an id"));
}

#[test]
fn cold_starts() {
    let flags = "--mode coldstart --start 4 --step 0 --cold-starts 3,1,2 --functions 5 --slot 3s --runtime 10ms \
                 --memory 1MiB --stable-window 500ms --container-concurrency 10";
    ends_and_agrees(flags, "RUN_STATE_SUCCEEDED");
}

#[test]
fn a_load_that_its_bound_of_memory_holds_back() {
    let flags = "--mode rps --start 20 --end 20 --slot 3s --runtime 200ms --memory 3MiB --max-memory-in-flight 8MiB \
                 --container-concurrency 10";
    ends_and_agrees(flags, "RUN_STATE_SUCCEEDED");
}

#[test]
fn instances_that_are_others_are_found() {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(directory.path());
    let flags = "--mode rps --start 10 --end 10 --slot 2s --runtime 2ms --memory 1MiB";
    let ended = daemon.succeed(&flags.split(' ').collect::<Vec<_>>());
    let run_directory = daemon.directory(ended["runId"].as_str().expect("an id"));
    let path = run_directory.join("scales.csv");
    let scales = fs::read_to_string(&path).expect("is there");
    let others: Vec<_> = scales.lines().map(|line| line.replace(",1,", ",5,")).collect();
    fs::write(&path, others.join("\n")).expect("writes");
    let compared = compare(&run_directory);
    assert!(compared.code == 1 && compared.stdout.contains("instances (1, 1), expected one of"), "{compared:?}");
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

/// They are judged by what they were asked for until then: arrivals that were uniform are, in the part of the slot that there was. Workers
/// stop by themselves, each at an instant of its own.
#[test]
fn runs_that_are_cancelled_in_the_middle_of_a_slot() {
    let traces = tempfile::tempdir().expect("a directory");
    let trace = even_trace(traces.path(), 3, 40, 600, 5);
    let trace =
        format!("--mode trace --duration 30m --max-runtime 5ms --max-memory 2MiB --arrivals poisson --trace {trace}");
    let rate = "--mode rps --start 50 --end 50 --slot 5m --arrivals poisson --functions 3 --runtime 5ms --memory 1MiB";
    for flags in [rate, &format!("{rate} --workers 3"), &format!("{trace} --workers 2")] {
        let directory = tempfile::tempdir().expect("a directory");
        let daemon = Daemon::start(directory.path());
        let run = daemon.submit(&flags.split_whitespace().collect::<Vec<_>>());
        eventually("rows", || (daemon.lines(&run, "invocations.csv") > 100).then_some(()));
        daemon.ctl(&["cancel", "--wait", &run]).ok();
        assert_eq!(daemon.ended(&run)["state"], "RUN_STATE_CANCELLED", "{flags}");
        agrees(&daemon, &run);
        let arrivals = &daemon.summary(&run)["arrivals"];
        assert_eq!(arrivals["against"], "uniform", "{arrivals:#}");
        // In a slot of the planned length they would all be at its begin.
        assert!(arrivals["statistic"].as_f64().is_some_and(|statistic| statistic < 0.5), "{arrivals:#}");
    }
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

#[test]
fn a_figure_that_is_wrong_is_found() {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(directory.path());
    let flags = "--mode rps --start 50 --end 50 --slot 3s --runtime 2ms --memory 1MiB";
    let ended = daemon.succeed(&flags.split(' ').collect::<Vec<_>>());
    let run_directory = daemon.directory(ended["runId"].as_str().expect("an id"));
    let path = run_directory.join("summary.json");
    let right: Value = serde_json::from_str(&fs::read_to_string(&path).expect("is there")).expect("it is JSON");
    let wrong = |pointer: &str, value: Value| {
        let mut summary = right.clone();
        let (message, field) = pointer.rsplit_once('/').expect("a path");
        let message = summary.pointer_mut(message).unwrap_or_else(|| panic!("{pointer}"));
        assert_ne!(message[field], value, "{pointer}");
        message[field] = value;
        fs::write(&path, summary.to_string()).expect("writes");
        compare(&run_directory)
    };
    for (pointer, value) in [
        ("/issued", json!(1)),
        ("/byStatus/ok", json!(1)),
        ("/all/returned", json!(1)),
        ("/responseUs/p50", json!(1)),
        ("/responseUs/p50", Value::Null),
        ("/responseUs/mean", json!(1.5)),
        ("/responseUs/p999", json!(9_000)),
        ("/responseUs/intervals/p90/low", json!(1)),
        ("/responseHistogram/0/count", json!(0)),
        ("/responseHistogram/0/to", json!(1)),
        ("/ownLagUs/max", json!(900_000)),
        ("/slowdown/geometricMean", json!(1.0)),
        ("/goodput", json!(1.0)),
        ("/stalls/touched", json!(77)),
        ("/openLoop/violated", json!("maybe")),
        ("/memoryInFlight/meanMib", json!(77.0)),
        ("/slots/0/memoryPeakMib", json!(77)),
        ("/slots/0/memoryMeanMib", json!(77.0)),
        ("/saturated/saturated", json!("maybe")),
        ("/arrivals/gaps/count", json!(3)),
        ("/slots/0/returned", json!(3)),
        ("/functions/0/failed", json!(3)),
    ] {
        let compared = wrong(pointer, value);
        let field = pointer.rsplit('/').next().expect("a name");
        // A list that is wrong as a whole is named as one.
        let field = if pointer.starts_with("/responseHistogram") { "responseHistogram" } else { field };
        assert!(compared.code == 1 && compared.stdout.contains(field), "{pointer}: {compared:?}");
    }
}
