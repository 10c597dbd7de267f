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
