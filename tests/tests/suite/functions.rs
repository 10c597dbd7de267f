//! The function server and the loader, with each other and with those of others.

#![expect(clippy::expect_used, reason = "tests")]

use std::process::Command;

use loader_tests::{Daemon, Peer, Table, bin, root, run};

const SHORT: [&str; 10] = ["--mode", "rps", "--start", "20", "--end", "20", "--slot", "1s", "--runtime", "5ms"];

fn foreign() -> Command {
    let mut command = Command::new("python3");
    command.arg(root().join("tests/foreign_function.py"));
    command
}

/// The rows of a short run.
fn rows(daemon: &Daemon, flags: &[&str]) -> Table {
    let ended = daemon.succeed(&[&SHORT, flags].concat());
    daemon.table(ended["runId"].as_str().expect("text"), "invocations.csv")
}

/// The record of a single invocation of 2.6 ms.
fn invoked(daemon: &Daemon, address: &str) -> serde_json::Value {
    daemon.ctl(&["--output", "json", "invoke", address, "--runtime", "2600us"]).ok().json()["record"].clone()
}

#[test]
fn a_client_that_knows_three_fields_is_served() {
    let server = Peer::start(Command::new(bin("trace-func")).args(["--host", "127.0.0.1", "--port", "0"]));
    let script = root().join("tests/foreign_function.py");
    let script = script.to_str().expect("UTF-8");
    let reply = run("python3", [script, "call", server.address(), "30", "20"]).ok().json();
    assert_eq!(reply["unknown"], 0, "{reply}");
    let known = &reply["known"];
    // A busy machine may take longer for the memory alone, which a remark then reports.
    assert!(known["message"].as_str().is_some_and(|message| message.starts_with("OK")), "{reply}");
    assert!(known["durationInMicroSec"].as_u64() >= Some(30_000), "{reply}");
    assert!(known["memoryUsageInKb"].as_u64() >= Some(20 * 1024), "{reply}");
    assert_eq!(server.terminate(), 0);
}

#[test]
fn of_a_foreign_function_it_is_not_known_whether_it_started_cold() {
    let server = Peer::start(foreign().arg("serve"));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let rows = rows(&daemon, &["--platform", "attach", "--attach", server.address()]);
    assert_eq!(rows.len(), 20);
    let found = rows.columns(["status", "cold_start", "instance", "actual_runtime_us", "actual_memory_kib"]);
    assert!(found.iter().all(|row| *row == ["ok", "", "", "5000", "42"]), "{found:?}");
}

#[test]
fn a_foreign_function_is_asked_for_whole_milliseconds_and_its_rows_say_so() {
    let server = Peer::start(foreign().arg("serve"));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let load = ["--mode", "rps", "--start", "20", "--end", "20", "--slot", "1s", "--runtime", "2500us", "--seed", "1"];
    let ended = daemon.succeed(&[&load[..], &["--platform", "attach", "--attach", server.address()]].concat());
    let rows = daemon.table(ended["runId"].as_str().expect("text"), "invocations.csv");
    // It reports what it was asked.
    let asked = rows.column("requested_runtime_us");
    assert_eq!(asked, rows.column("actual_runtime_us"));
    let counts = rows.counts("requested_runtime_us");
    assert!(counts.keys().eq(["2000", "3000"].iter()), "{counts:?}");
    // A single invocation is rounded to the nearest.
    let record = &invoked(&daemon, server.address());
    assert_eq!(
        (&record["requestedRuntimeUs"], &record["actualRuntimeUs"]),
        (&"3000".into(), &"3000".into()),
        "{record}"
    );
}

#[test]
fn exact_run_times_are_asked_for_and_consumed() {
    let server = Peer::start(Command::new(bin("trace-func")).args(["--host", "127.0.0.1", "--port", "0"]));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = state.path().join("plan.csv");
    let planned: Vec<_> = (0..40_u64).map(|number| 1000 + 137 * number).collect();
    let line = |(number, micros): (usize, &u64)| format!("{},f,{micros},1\n", number * 10_000_000);
    let lines: String = planned.iter().enumerate().map(line).collect();
    std::fs::write(&file, format!("due_ns,function,runtime_us,memory_mib\n{lines}")).expect("writes");
    let replay = ["--mode", "trace", "--trace", file.to_str().expect("text"), "--granularity", "second"];
    let attach = ["--platform", "attach", "--attach", server.address()];
    for protocol in ["grpc", "http1", "http2"] {
        let ended = daemon.succeed(&[&replay[..], &attach, &["--protocol", protocol]].concat());
        let rows = daemon.table(ended["runId"].as_str().expect("text"), "invocations.csv");
        let mut requested: Vec<u64> = rows.numbers("requested_runtime_us");
        let actual: Vec<u64> = rows.numbers("actual_runtime_us");
        assert!(requested.iter().zip(&actual).all(|(requested, actual)| actual >= requested), "{protocol}: {rows:?}");
        requested.sort_unstable();
        assert_eq!(requested, planned, "{protocol}");
    }
    let record = &invoked(&daemon, server.address());
    assert_eq!(record["requestedRuntimeUs"], "2600", "{record}");
    assert_eq!(server.terminate(), 0);
}

#[test]
fn each_kind_of_function_can_be_chosen() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    for (kind, more, least_us) in [
        ("trace", &["--memory", "8MiB"][..], Some(5000)),
        ("trace", &["--memory", "8MiB", "--clock", "cpu"], Some(5000)),
        ("timed", &["--memory", "8MiB"], Some(5000)),
        ("wimpy", &["--memory", "1GiB"], Some(5000)),
        ("empty", &[], Some(0)),
        ("hello", &[], None),
    ] {
        let rows = rows(&daemon, &[&["--kind", kind], more].concat());
        assert_eq!(rows.len(), 20, "{kind}");
        assert!(rows.column("status").iter().all(|status| *status == "ok"), "{kind}");
        // One at least: it may have scaled up.
        let cold = rows.counts("cold_start");
        assert!(cold.get("true") >= Some(&1) && !cold.contains_key(""), "{kind}: {cold:?}");
        match least_us {
            Some(least) => {
                let actual: Vec<u64> = rows.numbers("actual_runtime_us");
                assert!(actual.iter().all(|actual| *actual >= least), "{kind}: {actual:?}");
                let held: Vec<u64> = rows.numbers("actual_memory_kib");
                assert!(held.iter().all(|held| (512..100 << 10).contains(held)), "{kind}: {held:?}");
            }
            // It measures nothing.
            None => assert!(rows.column("actual_runtime_us").iter().all(|actual| actual.is_empty())),
        }
    }
}

#[test]
fn the_python_function_works_as_it_is_asked() {
    let stubs = tempfile::tempdir().expect("a directory");
    let folder = stubs.path().to_str().expect("UTF-8");
    let proto = format!("--proto_path={}", root().join("proto").display());
    let [messages, services] = ["python_out", "grpc_python_out"].map(|kind| format!("--{kind}={folder}"));
    run("python3", ["-m", "grpc_tools.protoc", &proto, &messages, &services, "faas.proto"]).ok();
    let mut command = Command::new("python3");
    command.arg(root().join("docker/python/function.py"));
    command.envs([("PYTHONPATH", folder), ("PYTHONDONTWRITEBYTECODE", "1"), ("HOST", "127.0.0.1"), ("PORT", "0")]);
    let server = Peer::start(&mut command);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let rows = rows(&daemon, &["--platform", "attach", "--attach", server.address(), "--memory", "20MiB"]);
    let found = rows.columns(["status", "cold_start", "requested_runtime_us"]);
    assert!(found.len() == 20 && found.iter().all(|row| *row == ["ok", "", "5000"]), "{found:?}");
    let numbers =
        |column| rows.column(column).iter().map(|it| it.parse::<u64>().expect("a number")).collect::<Vec<_>>();
    assert!(numbers("actual_runtime_us").iter().all(|&us| us >= 5_000));
    assert!(numbers("actual_memory_kib").iter().all(|&kib| kib >= 20 * 1024));
    // One that asks for too much is refused.
    let refused = daemon.ctl(&["--output", "json", "invoke", server.address(), "--runtime", "61s"]);
    assert!(refused.stdout.contains("grpc_INVALID_ARGUMENT"), "{refused:?}");
    assert_eq!(server.terminate(), 0);
}
