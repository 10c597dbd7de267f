//! What can go wrong: functions that do not come up, an API server that goes away, a daemon that is killed.

use std::{collections::BTreeMap, time::Duration};

use loader_tests::{
    Daemon,
    cluster::{Cluster, Failure},
    eventually,
};
use nix::sys::signal::Signal;
use serde_json::json;

use super::{BURST, FURNITURE, SERVICES, daemon, furnish, submit, succeed};

#[test]
fn failures_have_their_true_cause() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    for (failure, timeout, expected) in [
        (Failure::Webhook, "5m", "denied the request"),
        (Failure::Crash, "5m", "ExitCode0: Container failed with: container exited with no error"),
        (Failure::BadImage, "5m", "ImagePullBackOff"),
        (Failure::Quota, "5m", "exceeded quota"),
        (Failure::Unschedulable, "5m", "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu."),
    ] {
        let function = format!("rps-{}", failure as u8);
        cluster.heal();
        cluster.fail(&function, failure);
        let flags = format!(
            "--mode rps --start 5 --end 5 --slot 1s --functions 5 --runtime 1ms --memory 1MiB --initial-scale 1 \
             --deploy-timeout {timeout}"
        );
        let run = daemon.ended(&submit(&daemon, &flags));
        assert_eq!(run["state"], "RUN_STATE_FAILED", "{failure:?}");
        let reason = run["reason"].as_str().expect("text");
        assert!(
            reason.starts_with(&format!("function {function}: ")) || reason.contains(&format!("{function}: ")),
            "{reason}"
        );
        assert_eq!(reason.matches(expected).count(), 1, "{failure:?}: {reason}");
        assert_eq!(cluster.names(SERVICES), [""; 0], "what came up is removed");
    }
}

#[test]
fn one_of_five_may_fail() {
    let cluster = Cluster::start();
    cluster.fail("rps-3", Failure::Webhook);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 5 --end 5 --slot 2s --functions 5 --runtime 1ms --memory 1MiB --allow-failures 1";
    let run = succeed(&daemon, flags);
    let rows = daemon.table(run["runId"].as_str().expect("an id"), "invocations.csv");
    let statuses: Vec<_> = rows.columns(["function", "status"]).into_iter().filter(|row| row[1] != "ok").collect();
    assert_eq!(statuses, [["rps-3", "not_sent"]; 2]);
    assert_eq!(rows.len(), 10);
}

#[test]
fn a_namespace_that_is_not_there_is_named() {
    let cluster = Cluster::start();
    // The shipped roles allow nothing there.
    cluster.grant_everything();
    let config = cluster.loaderd_config("namespace = \"nons\"");
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    let run = daemon.ended(&submit(&daemon, BURST));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    assert!(run["reason"].as_str().expect("text").contains("namespaces \"nons\" not found"), "{run:#}");
}

/// Longer than what a watch or a request waits before it is tried again.
const OUTAGE: Duration = Duration::from_secs(10);

#[test]
fn the_api_server_may_go_away() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 10 --end 10 --slot 20s --functions 4 --runtime 5ms --memory 1MiB --initial-scale 1";
    let id = submit(&daemon, flags);
    // In the middle of the deployment.
    eventually("the first Service", || (!cluster.names(SERVICES).is_empty()).then_some(()));
    cluster.set_away(true);
    std::thread::sleep(OUTAGE);
    cluster.set_away(false);
    // In the middle of the load, which goes on.
    let rows = || daemon.lines(&id, "invocations.csv");
    eventually("rows", || (rows() > 20).then_some(()));
    cluster.set_away(true);
    std::thread::sleep(OUTAGE);
    cluster.set_away(false);
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let table = daemon.table(&id, "invocations.csv");
    assert_eq!(table.counts("status"), BTreeMap::from([("ok", 200)]));
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

#[test]
fn watches_may_be_slow_cut_and_forgotten() {
    let cluster = Cluster::start();
    cluster.slow_watches(Duration::from_millis(30));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode coldstart --start 4 --step 0 --cold-starts 1 --functions 6 --slot 3s --duration 12s --runtime 5ms \
                 --memory 1MiB --stable-window 6s";
    let id = submit(&daemon, flags);
    let rows = || daemon.lines(&id, "invocations.csv");
    for count in [5, 12, 20] {
        eventually("rows", || (rows() > count).then_some(()));
        if count == 12 { cluster.forget_history() } else { cluster.cut_watches() }
    }
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let findings = json!({"requested": "4", "achieved": "4", "shortfallBySlot": ["0", "0", "0", "0"]});
    assert_eq!(run["summary"]["coldstart"], findings);
}

#[test]
fn a_renewed_token_is_used_and_an_expired_one_is_reported() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 10 --end 10 --slot 5s --runtime 5ms --memory 1MiB";
    let id = submit(&daemon, flags);
    eventually("the Service", || (!cluster.names(SERVICES).is_empty()).then_some(()));
    cluster.expire_token(true);
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    cluster.expire_token(false);
    let run = daemon.ended(&submit(&daemon, flags));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    assert!(run["reason"].as_str().expect("text").contains("the token may have expired"), "{run:#}");
}

#[test]
fn a_service_that_someone_else_deletes_is_in_the_rows() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags =
        "--mode rps --start 10 --end 10 --slot 20s --functions 2 --runtime 5ms --memory 1MiB --failure-ratio 0.9";
    let id = submit(&daemon, flags);
    let rows = || daemon.lines(&id, "invocations.csv");
    eventually("rows", || (rows() > 20).then_some(()));
    let name = cluster.names(SERVICES).into_iter().find(|name| name.starts_with("rps-1-")).expect("is there");
    assert!(cluster.delete(SERVICES, &name));
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let table = daemon.table(&id, "invocations.csv");
    let of = |wanted: &str| {
        let rows = table.columns(["function", "status"]).into_iter().filter(|row| row[0] == wanted);
        rows.fold(BTreeMap::new(), |mut counts, row| {
            *counts.entry(row[1].to_owned()).or_insert(0) += 1;
            counts
        })
    };
    assert_eq!(of("rps-0"), BTreeMap::from([("ok".to_owned(), 100)]));
    let gone = of("rps-1");
    assert_eq!(gone.values().sum::<i32>(), 100);
    assert!(gone.get("grpc_UNIMPLEMENTED").is_some_and(|count| *count > 0), "{gone:?}");
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

#[test]
fn what_was_left_is_cleaned_by_run() {
    let cluster = Cluster::start();
    furnish(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 5 --end 5 --slot 1s --runtime 1ms --memory 1MiB --keep";
    let [kept, other] = [(); 2].map(|()| succeed(&daemon, flags)["runId"].as_str().expect("an id").to_owned());
    assert_eq!(cluster.names(SERVICES).len(), FURNITURE.len() + 2);
    daemon.ctl(&["clean", "--run", &kept]).ok();
    let of_run = |run: &str| {
        let suffix = run.split_once('t').expect("an id").1.to_owned();
        cluster.names(SERVICES).into_iter().filter(|name| name.ends_with(&suffix)).count()
    };
    assert_eq!((of_run(&kept), of_run(&other)), (0, 1));
    daemon.ctl(&["clean", "--all-runs"]).ok();
    // What no loaderd made is still there.
    assert_eq!(cluster.names(SERVICES), ["anothers", "somebodys"]);
    assert_eq!(cluster.names("pods"), ["database"]);
}

#[test]
fn a_killed_daemon_cleans_at_its_next_start() {
    let cluster = Cluster::start();
    furnish(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let mut first = daemon(&cluster, state.path());
    let id = submit(&first, "--mode rps --start 5 --end 5 --slot 60s --functions 3 --runtime 1ms --memory 1MiB");
    let rows = || first.lines(&id, "invocations.csv");
    eventually("rows", || (rows() > 5).then_some(()));
    first.signal(Signal::SIGKILL);
    first.wait();
    assert_eq!(cluster.names(SERVICES).len(), FURNITURE.len() + 3);
    let second = daemon(&cluster, state.path());
    eventually("the run's Services are gone", || (cluster.names(SERVICES) == FURNITURE).then_some(()));
    eventually("the run's pods are gone", || (cluster.names("pods") == ["database"]).then_some(()));
    let run = second.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_INTERRUPTED");
}
