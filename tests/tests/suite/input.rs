//! Bad input: every fault by its field or line, all at once, and nothing half done.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{fs, path::Path};

use loader_tests::{ClosedPort, Daemon, Ran, bin, run};

/// The reported faults: the lines of standard error.
#[track_caller]
fn refused(ran: &Ran) -> &str {
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(ran.stdout, "", "{ran:?}");
    &ran.stderr
}

#[track_caller]
fn names(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, text).expect("writes");
    path.to_str().expect("text").to_owned()
}

#[test]
fn a_spec_file_with_faults() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let spec = write(
        state.path(),
        "bad.yaml",
        "name: Bad Name\nplatfrom: local\nmaxInFlight: 0\nburst: { targetRps: 0, hold: -4m, runtime: soon }\n",
    );
    let ran = daemon.ctl(&["submit", &spec]);
    let faults = refused(&ran);
    names(faults, &["name: is \"Bad Name\"", "platfrom", "platform", "maxInFlight: is 0", "burst.targetRps: is 0"]);
    names(faults, &["burst.hold", "burst.runtime"]);
    let listed = daemon.ctl(&["--output", "json", "list"]).ok().json();
    assert_eq!(listed.get("runs"), None, "nothing was taken");
}

#[test]
fn flags_with_faults() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let ran =
        daemon.ctl(&["submit", "--mode", "burst", "--cold-starts", "1,2", "--target-rps", "0", "--max-in-flight", "0"]);
    names(refused(&ran), &["--cold-starts", "burst.targetRps: is 0", "maxInFlight: is 0"]);
    let ran = daemon.ctl(&["submit", "--mode", "trace", "--trace", "/nowhere/at/all", "--max-in-flight", "0"]);
    names(refused(&ran), &["trace.path", "/nowhere/at/all", "maxInFlight: is 0"]);
}

const INVOCATIONS: &str = "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f1,http,1,2\no,a,f2,http,3,4\n";
const DURATIONS: &str = "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,\
                         percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,\
                         percentile_Average_99,percentile_Average_100\no,a,f1,5,9,1,9,1,2,3,4,5,6,7\no,a,f2,5,9,1,9,1,2,3,4,5,6,7\n";
const MEMORY: &str = "HashOwner,HashApp,HashFunction,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,\
                      AverageAllocatedMb_pct5,AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,AverageAllocatedMb_pct75,\
                      AverageAllocatedMb_pct95,AverageAllocatedMb_pct99,AverageAllocatedMb_pct100\n\
                      o,a,f1,9,5,1,2,3,4,5,6,7,8\no,a,f2,9,5,1,2,3,4,5,6,7,8\n";

/// A trace directory with these files.
fn trace(directory: &Path, name: &str, files: [&str; 3]) -> String {
    let path = directory.join(name);
    fs::create_dir(&path).expect("makes");
    for (file, text) in ["invocations.csv", "durations.csv", "memory.csv"].into_iter().zip(files) {
        write(&path, file, text);
    }
    path.to_str().expect("text").to_owned()
}

#[test]
fn trace_files_with_faults() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let submit = |trace: &str, more: &[&str]| {
        let flags = ["submit", "--mode", "trace", "--granularity", "second", "--trace", trace];
        daemon.ctl(&[&flags, more].concat())
    };
    let short = INVOCATIONS.replace("o,a,f1,http,1,2", "o,a,f1,http,1").replace("3,4", "3,x");
    let ran = submit(&trace(state.path(), "short", [&short, DURATIONS, MEMORY]), &[]);
    names(refused(&ran), &["invocations.csv:2: ", "invocations.csv:3: ", "\"x\""]);

    let lacking = DURATIONS.replace("percentile_Average_50,", "").replace(",4,5,6,7", ",5,6,7");
    let ran = submit(&trace(state.path(), "lacking", [INVOCATIONS, &lacking, MEMORY]), &[]);
    names(refused(&ran), &["durations.csv", "percentile_Average_50"]);

    let absent = DURATIONS.replace("o,a,f2,5,9,1,9,1,2,3,4,5,6,7\n", "");
    let path = trace(state.path(), "absent", [INVOCATIONS, &absent, MEMORY]);
    let ran = submit(&path, &[]);
    names(refused(&ran), &["durations.csv", "f2"]);
    let ran = submit(&path, &["--skip-incomplete", "--saturation-lag=1m", "--wait"]).ok();
    names(&ran.stdout, &["no_durations"]);
    let shown = daemon.ctl(&["--output", "json", "get", "latest"]).ok().json();
    assert_eq!(shown["run"]["summary"]["droppedFunctions"]["no_durations"], "1", "{shown:#}");
    assert_eq!(shown["run"]["summary"]["rows"], "3");

    let ran = submit(&trace(state.path(), "empty", ["", DURATIONS, MEMORY]), &[]);
    names(refused(&ran), &["invocations.csv"]);
}

#[test]
fn a_daemon_that_is_not_there() {
    let port = ClosedPort::hold();
    let address = format!("http://{}", port.address());
    let ran = run(bin("loaderctl"), ["--address", &address, "list"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    names(&ran.stderr, &[&address, "loaderd"]);
    let ran = run(bin("loaderctl"), ["--address", "ftp://x", "list"]);
    names(refused(&ran), &["ftp://x"]);
}

#[test]
fn a_run_that_is_not_there_or_has_not_ended() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let ran = daemon.ctl(&["get", "20260101t000000000-0000"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    names(&ran.stderr, &["there is no run 20260101t000000000-0000"]);
    let id = daemon.submit(&["--mode", "rps", "--start", "2", "--end", "2", "--slot", "60s", "--runtime", "1ms"]);
    let ran = daemon.ctl(&["delete", &id]);
    assert_eq!(ran.code, 5, "{ran:?}");
    names(&ran.stderr, &["cancel it first"]);
    let to = state.path().join("results");
    let ran = daemon.ctl(&["results", &id, "--to", to.to_str().expect("text")]);
    assert_eq!(ran.code, 5, "{ran:?}");
    daemon.ctl(&["cancel", &id]).ok();
    assert_eq!(daemon.ended(&id)["state"], "RUN_STATE_CANCELLED");
    daemon.ctl(&["cancel", &id]).ok();
    daemon.ctl(&["delete", &id]).ok();
    assert!(!daemon.directory(&id).exists());
}

#[test]
fn a_run_in_which_everything_failed_says_so_first() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    // Nothing listens there.
    let submit = ["submit", "--mode", "rps", "--platform", "attach", "--attach", "127.0.0.1:1", "--start", "10"];
    let run = |flags: &[&str]| daemon.ctl(&[&submit[..], &["--end", "10", "--slot", "1s", "--wait"], flags].concat());
    let failed = run(&[]);
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    let first = failed.stdout.lines().next().unwrap_or_default();
    assert_eq!(first, "ALL 10 INVOCATIONS FAILED (connect_error 10)");
    let allowed = run(&["--allow-failed-invocations"]);
    // On a busy machine the loader may have been saturated.
    assert!([0, 3].contains(&allowed.code), "{}: {}", allowed.code, allowed.stderr);
}

#[test]
fn a_plan_without_invocations_is_refused_with_the_slot_that_is_needed() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let refused = daemon.ctl(&["plan", "--mode", "rps", "--start", "0.01", "--end", "0.01", "--slot", "10s"]);
    let reason =
        "spec: rps.slot: is 10s, in which no invocation is due at 0.01 per second; must be at least 1m 40s (--slot)";
    assert_eq!((refused.code, refused.stderr.trim()), (2, reason));
}
