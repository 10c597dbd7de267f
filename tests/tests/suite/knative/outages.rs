//! Clean-ups while the API server is away, is starting, or rejects the credentials: they go on until they are done.

use std::{fs, path::Path};

use loader_tests::{
    Daemon,
    cluster::{Cluster, Early},
    even_trace, eventually,
};
use nix::sys::signal::Signal;
use serde_json::Value;

use super::{SERVICES, daemon, submit};

const RUN: &str = "--mode rps --start 5 --end 5 --slot 60s --functions 3 --runtime 1ms --memory 1MiB";

/// Kills a daemon in the middle of a run; the run.
fn killed(cluster: &Cluster, state: &Path) -> String {
    let mut first = daemon(cluster, state);
    let id = submit(&first, RUN);
    let rows = || first.lines(&id, "invocations.csv");
    eventually("rows", || (rows() > 5).then_some(()));
    first.signal(Signal::SIGKILL);
    first.wait();
    id
}

fn run(daemon: &Daemon, id: &str) -> Value {
    daemon.ctl(&["--output", "json", "get", id]).ok().json()["run"].clone()
}

/// Waits until the run's clean-up says that it waits for something with this text.
pub(super) fn waits(daemon: &Daemon, id: &str, text: &str) {
    eventually(text, || run(daemon, id)["waitingFor"].as_str().is_some_and(|it| it.contains(text)).then_some(()));
}

#[test]
fn a_clean_up_at_start_outlasts_a_restart_of_the_api_server() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let id = killed(&cluster, state.path());
    cluster.set_away(true);
    let second = daemon(&cluster, state.path());
    waits(&second, &id, "refused");
    cluster.set_early(Some(Early::Unserved));
    cluster.set_away(false);
    waits(&second, &id, "does not serve this resource (404)");
    cluster.set_early(Some(Early::Forbidden));
    waits(&second, &id, "cannot list resource");
    let shown = second.ctl(&["list"]).ok().stdout;
    assert!(shown.contains("CLEANING") && shown.contains("waits: cannot clean up: platform knative: "), "{shown}");
    let status = second.ctl(&["status"]).ok().stdout;
    assert!(status.contains("clean-up waits") && status.contains(&format!("run {id}: cannot clean up")), "{status}");
    // The next run waits for it, and the daemon is ready.
    let next = submit(&second, "--mode rps --start 5 --end 5 --slot 1s --runtime 1ms --memory 1MiB --initial-scale 1");
    assert_eq!(run(&second, &next)["state"], "RUN_STATE_QUEUED");
    let ready = format!("http://{}/readyz", second.metrics_address());
    eventually("it is ready", || loader_tests::run("curl", ["-sf", &ready]).code.eq(&0).then_some(()));
    assert_eq!(cluster.names(SERVICES).len(), 3);
    cluster.set_early(None);
    let ended = second.ended(&id);
    assert_eq!((&ended["state"], &ended["waitingFor"]), (&Value::from("RUN_STATE_INTERRUPTED"), &Value::Null));
    assert_eq!(ended["reason"], "the daemon ended while the run was running");
    assert_eq!(second.ended(&next)["state"], "RUN_STATE_SUCCEEDED");
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

#[test]
fn a_run_whose_clean_up_meets_an_expired_token_goes_on_with_a_new_one() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let id = submit(&daemon, RUN);
    let rows = || daemon.lines(&id, "invocations.csv");
    eventually("rows", || (rows() > 5).then_some(()));
    cluster.expire_token(false);
    daemon.ctl(&["cancel", &id]).ok();
    waits(&daemon, &id, "the token may have expired");
    assert_eq!(run(&daemon, &id)["state"], "RUN_STATE_CLEANING");
    cluster.expire_token(true);
    assert_eq!(daemon.ended(&id)["state"], "RUN_STATE_CANCELLED");
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

#[test]
fn a_waiting_clean_up_is_given_up_by_a_cancel_and_taken_up_by_clean() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let id = killed(&cluster, state.path());
    cluster.set_early(Some(Early::Forbidden));
    let second = daemon(&cluster, state.path());
    waits(&second, &id, "cannot list resource");
    second.ctl(&["cancel", &id]).ok();
    let ended = second.ended(&id);
    assert_eq!(ended["state"], "RUN_STATE_INTERRUPTED");
    assert!(ended["reason"].as_str().expect("text").contains("the clean-up was given up"), "{ended:#}");
    assert_eq!(cluster.names(SERVICES).len(), 3);
    cluster.set_early(None);
    second.ctl(&["clean", "--run", &id]).ok();
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

#[test]
fn a_daemon_that_ends_leaves_the_clean_up_to_the_next_one() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let mut first = daemon(&cluster, state.path());
    let id = submit(&first, "--mode rps --start 5 --end 5 --slot 2s --runtime 1ms --memory 1MiB --initial-scale 1");
    let rows = || first.lines(&id, "invocations.csv");
    eventually("rows", || (rows() > 5).then_some(()));
    cluster.set_early(Some(Early::Forbidden));
    waits(&first, &id, "cannot list resource");
    // The second does not wait for the first one's grace.
    first.signal(Signal::SIGTERM);
    eventually("it ends", || first.log().iter().any(|line| line.contains("shutting down")).then_some(()));
    first.signal(Signal::SIGTERM);
    first.wait();
    assert_eq!(cluster.names(SERVICES).len(), 1);
    cluster.set_early(None);
    let second = daemon(&cluster, state.path());
    let ended = second.ended(&id);
    assert_eq!((&ended["state"], &ended["reason"]), (&Value::from("RUN_STATE_SUCCEEDED"), &Value::Null));
    assert_eq!(ended["summary"]["state"], "RUN_STATE_SUCCEEDED");
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

#[test]
fn settings_are_restored_once_the_api_server_lets_them_be() {
    let cluster = Cluster::start();
    let settings =
        || cluster.get("configmaps", "knative-serving", "config-autoscaler").expect("is there")["data"].clone();
    let before = settings();
    let state = tempfile::tempdir().expect("a directory");
    let trace = even_trace(state.path(), 2, 60, 10, 5);
    let flags = format!(
        "--mode trace --granularity second --max-runtime 5ms --max-memory 2MiB --duration 60s --warmup-hold 50s --warmup-settle 4s \
         --trace {trace}"
    );
    let mut first = daemon(&cluster, &state.path().join("state"));
    let id = submit(&first, &flags);
    eventually("it warms up", || (run(&first, &id)["state"] == "RUN_STATE_WARMING_UP").then_some(()));
    assert_ne!(settings(), before);
    first.signal(Signal::SIGKILL);
    first.wait();
    cluster.set_early(Some(Early::Forbidden));
    let second = daemon(&cluster, &state.path().join("state"));
    waits(&second, &id, "cannot restore the autoscaler's settings: platform knative: ");
    cluster.set_early(None);
    assert_eq!(second.ended(&id)["state"], "RUN_STATE_INTERRUPTED");
    assert_eq!(settings(), before);
}

/// A run for which nothing was deployed has nothing to clean, whatever the cluster says.
#[test]
fn a_run_that_deployed_nothing_ends_though_the_cluster_is_away() {
    let cluster = Cluster::start();
    cluster.forbid("list", SERVICES);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let ended = daemon.ended(&submit(&daemon, RUN));
    assert_eq!(ended["state"], "RUN_STATE_FAILED");
    assert!(ended["reason"].as_str().expect("text").contains("missing permissions: list services"), "{ended:#}");
    fs::remove_file(cluster.kubeconfig()).expect("is there");
    drop(daemon);
    let daemon = super::daemon(&cluster, state.path());
    let ended = daemon.ended(&submit(&daemon, RUN));
    assert!(ended["reason"].as_str().expect("text").contains("kubeconfig"), "{ended:#}");
}

#[test]
fn clean_does_nothing_where_no_cluster_is_configured() {
    let state = tempfile::tempdir().expect("a directory");
    let home = state.path().to_str().expect("text");
    let nowhere = [("HOME", home), ("KUBECONFIG", ""), ("KUBERNETES_SERVICE_HOST", "")];
    let daemon = Daemon::start_in(&state.path().join("state"), &[], &nowhere);
    let shown = daemon.ctl(&["clean", "--all-runs"]).ok().stdout;
    assert!(shown.starts_with("nothing to remove\nplatform knative is not configured: no kubeconfig found"), "{shown}");
    let answer = daemon.ctl(&["--output", "json", "clean", "--all-runs"]).ok().json();
    assert_eq!(answer["skipped"][0]["platform"], "knative");
    // A cluster that is configured and can't be used is an error.
    let config = state.path().join("loaderd.toml");
    fs::write(&config, "[knative]\nkubeconfig = \"/nowhere\"\n").expect("writes");
    let flags = ["--config", config.to_str().expect("text")];
    let daemon = Daemon::start_in(&state.path().join("other"), &flags, &nowhere);
    let refused = daemon.ctl(&["clean", "--all-runs"]);
    assert!(refused.code != 0 && refused.stderr.contains("/nowhere"), "{refused:?}");
}
