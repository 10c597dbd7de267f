//! The control API as foreign clients see it: grpcurl through reflection, and Python's grpcio.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::process::{Command, Stdio};

use loader_tests::{ClosedPort, Daemon, eventually, root, run};
use serde_json::{Value, json};

/// A run of a second.
fn short() -> Value {
    json!({"rps": {"start": 10, "end": 10, "slot": "1s", "runtime": "0.001s", "memoryMib": 1}})
}

/// A run of a minute.
fn long() -> Value {
    json!({"rps": {"start": 10, "end": 10, "slot": "60s", "runtime": "0.001s", "memoryMib": 1}})
}

#[test]
fn reflection_tells_what_there_is() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let list = run("grpcurl", ["-plaintext", daemon.address(), "list"]).ok();
    assert!(list.stdout.lines().any(|line| line == "loader.v1.LoaderControl"), "{list:?}");
    assert!(list.stdout.lines().any(|line| line == "grpc.health.v1.Health"), "{list:?}");
    let describe = run("grpcurl", ["-plaintext", daemon.address(), "describe", "loader.v1.LoaderControl"]).ok();
    for method in [
        "SubmitRun",
        "PlanRun",
        "PlanStudy",
        "SubmitStudy",
        "GetStudy",
        "ListStudies",
        "WatchStudy",
        "CancelStudy",
        "DeleteStudy",
        "ProceedStudy",
        "GetRun",
        "ListRuns",
        "WatchRun",
        "CancelRun",
        "DeleteRun",
        "StreamRecords",
        "DownloadResults",
        "UploadTrace",
        "ListTraces",
        "DeleteTrace",
        "Invoke",
        "GetStatus",
    ] {
        assert!(describe.stdout.contains(&format!("rpc {method} (")), "{method}: {describe:?}");
    }
    let health = run("grpcurl", ["-plaintext", daemon.address(), "grpc.health.v1.Health/Check"]).ok();
    assert_eq!(health.json()["status"], "SERVING");
}

#[test]
fn five_faults_are_five_violations_in_one_answer() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let spec = json!({
        "name": "Bad Name",
        "platform": "locl",
        "maxInFlight": 0,
        "burst": {"targetRps": 0, "hold": "-1s"},
    });
    let error = daemon.grpcurl("SubmitRun", &json!({"spec": spec})).expect_err("is refused");
    assert!(error.contains("Code: InvalidArgument"), "{error}");
    for field in ["name", "platform", "maxInFlight", "burst.targetRps", "burst.hold"] {
        assert!(error.contains(&format!(r#""field":"{field}""#)), "{field}: {error}");
    }
    assert_eq!(error.matches(r#""field":"#).count(), 5, "{error}");
    assert!(error.contains("did you mean local?"), "{error}");
    assert_eq!(daemon.grpcurl("ListRuns", &json!({})), Ok(vec![json!({})]), "nothing was taken");
}

#[test]
fn a_run_by_grpcurl() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let request = json!({"spec": short(), "idempotencyKey": "once"});
    let first = daemon.grpcurl("SubmitRun", &request).expect("is taken").remove(0);
    let again = daemon.grpcurl("SubmitRun", &request).expect("is taken").remove(0);
    assert_eq!(again["run"]["runId"], first["run"]["runId"]);
    assert_eq!((&first["existing"], &again["existing"]), (&Value::Null, &json!(true)));
    let other = json!({"spec": long(), "idempotencyKey": "once"});
    let error = daemon.grpcurl("SubmitRun", &other).expect_err("is refused");
    assert!(error.contains("Code: AlreadyExists"), "{error}");

    let id = &first["run"]["runId"];
    let watched = daemon.grpcurl("WatchRun", &json!({"runId": id})).expect("is followed");
    let last = &watched.last().expect("at least one")["run"];
    assert_eq!(last["state"], "RUN_STATE_SUCCEEDED", "{last:#}");
    assert_eq!(last["summary"]["rows"], "10");
    let got = daemon.grpcurl("GetRun", &json!({"runId": "latest"})).expect("is shown").remove(0);
    assert_eq!(&got["run"], last);
    let records = daemon.grpcurl("StreamRecords", &json!({"runId": id})).expect("are streamed");
    let records: Vec<_> = records.iter().flat_map(|batch| batch["records"].as_array().expect("records")).collect();
    assert_eq!(records.len(), 10);
    let listed = daemon.grpcurl("ListRuns", &json!({"states": ["RUN_STATE_SUCCEEDED"]})).expect("lists").remove(0);
    assert_eq!(listed["runs"].as_array().map(Vec::len), Some(1));
    daemon.grpcurl("DeleteRun", &json!({"runId": id})).expect("is deleted");
    let error = daemon.grpcurl("GetRun", &json!({"runId": id})).expect_err("is gone");
    assert!(error.contains("Code: NotFound"), "{error}");
    let error = daemon.grpcurl("GetRun", &json!({"runId": "../x"})).expect_err("is no id");
    assert!(error.contains("Code: InvalidArgument"), "{error}");
}

#[test]
fn a_client_that_goes_away_disturbs_nothing() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let spec = json!({"rps": {"start": 20, "end": 20, "slot": "3s", "runtime": "0.001s", "memoryMib": 1}});
    let id = daemon.grpcurl("SubmitRun", &json!({"spec": spec})).expect("is taken").remove(0)["run"]["runId"].clone();
    let clients = ["WatchRun", "StreamRecords"].map(|method| {
        let method = format!("loader.v1.LoaderControl/{method}");
        let request = json!({"runId": id}).to_string();
        let mut client = Command::new("grpcurl");
        client.args(["-plaintext", "-d", &request, daemon.address(), &method]).stdout(Stdio::null());
        client.spawn().expect("starts")
    });
    eventually("the run sends", || {
        let run = daemon.grpcurl("GetRun", &json!({"runId": id})).ok()?.remove(0);
        run["run"]["progress"]["issued"].as_str().map(drop)
    });
    for mut client in clients {
        client.kill().expect("is there");
        client.wait().expect("has ended");
    }
    let watched = daemon.grpcurl("WatchRun", &json!({"runId": id})).expect("is followed");
    let last = &watched.last().expect("at least one")["run"];
    assert_eq!((&last["state"], &last["summary"]["rows"]), (&json!("RUN_STATE_SUCCEEDED"), &json!("60")), "{last:#}");
}

#[test]
fn a_foreign_client_drives_all_modes_through_reflection() {
    let state = tempfile::tempdir().expect("a directory");
    let socket = state.path().join("loaderd.sock");
    let _daemon = Daemon::start_with(&state.path().join("state"), &["--socket", socket.to_str().expect("text")]);
    let (script, trace) = (root().join("tests/foreign_client.py"), root().join("workloads/traces/small"));
    let address = format!("unix:{}", socket.display());
    let arguments = [script.to_str().expect("text"), &address, trace.to_str().expect("text")];
    let ran = run("python3", arguments).ok();
    let lines: Vec<Vec<_>> = ran.stdout.lines().map(|line| line.split(' ').collect()).collect();
    let modes: Vec<_> = lines.iter().map(|line| line[0]).collect();
    assert_eq!(modes, ["rps", "burst", "coldstart", "trace"], "{ran:?}");
    for line in lines {
        assert_eq!(line[1], "RUN_STATE_SUCCEEDED", "{line:?}");
        assert!(line[2] != "0" && line[2] == line[3], "planned and recorded: {line:?}");
    }
}

#[test]
fn malformed_messages_are_refused_and_change_nothing() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let script = root().join("tests/malformed_client.py");
    let ran = run("python3", [script.to_str().expect("text"), daemon.address()]).ok();
    let methods = loader_methods();
    assert_eq!(ran.stdout.lines().count(), methods.len() * 13, "{ran:?}");
    for method in methods {
        let noise = format!("{method}: noise: ");
        let code =
            ran.stdout.lines().find_map(|line| line.strip_prefix(&noise)).unwrap_or_else(|| panic!("no {method}"));
        assert_eq!(code, "INVALID_ARGUMENT", "{method}");
    }
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{:?}", daemon.log());
    assert_eq!(daemon.grpcurl("ListRuns", &json!({})), Ok(vec![json!({})]), "nothing was taken");
}

/// The methods that the API's file declares.
fn loader_methods() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("proto/loader/v1/control.proto")).expect("is there");
    let methods = text.lines().filter_map(|line| line.trim().strip_prefix("rpc ")?.split_once('('));
    methods.map(|(method, _)| method.to_owned()).collect()
}

#[test]
fn a_single_invocation_reaches_a_function() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let port = ClosedPort::hold();
    let request = json!({"address": port.address(), "timeout": "5s"});
    let record = daemon.grpcurl("Invoke", &request).expect("is made").remove(0)["record"].clone();
    assert_eq!(record["status"], "connect_error", "{record:#}");
    let error = daemon.grpcurl("Invoke", &json!({"address": "nowhere", "timeout": "-1s"})).expect_err("is refused");
    assert!(error.contains(r#""field":"address""#) && error.contains(r#""field":"timeout""#), "{error}");
}
