//! `untilIdle` of studies: what they wait for between two runs, for how long, and what they say where it was not enough.

use std::path::Path;

use loader_tests::{Daemon, cluster::Cluster, eventually};
use serde_json::{Value, json};

use super::daemon;

/// The answer of a kubelet to `/stats/summary` as `kubelet-stats-summary.under-load.json` has it, with this CPU usage.
fn summary(nanocores: u64) -> String {
    json!({"node": {"nodeName": "knative-control-plane", "cpu": {"usageNanoCores": nanocores},
                    "memory": {"workingSetBytes": 4_679_102_464_u64}}, "pods": []})
    .to_string()
}

/// A quiet node, and a busy one.
const QUIET: u64 = 100_000_000;
const BUSY: u64 = 1_600_000_000;

/// Begins a study of two runs.
fn begin(daemon: &Daemon, state: &Path, until_idle: &str) -> String {
    let text = format!(
        "base: {{ platform: knative, rps: {{ start: 2, end: 2, slot: 3s, functions: 1, runtime: 5ms, memoryMib: 5 }}, \
         saturation: {{ lag: 1m }} }}\nrepeats: 2\nbetween: {{ untilIdle: {until_idle} }}\n"
    );
    let file = state.join("study.yaml");
    std::fs::write(&file, text).expect("is written");
    daemon.ctl(&["study", "run", file.to_str().expect("text")]).ok().stdout.trim().to_owned()
}

fn study(daemon: &Daemon, id: &str) -> Value {
    daemon.ctl(&["--output", "json", "study", "get", id]).ok().json()["study"].clone()
}

/// Leaves a pod of the study's first run, which is under way, behind: its name.
fn leave_pod(cluster: &Cluster, daemon: &Daemon, id: &str) -> String {
    let run = eventually("the first run", || {
        let study = study(daemon, id);
        study["progress"]["runId"].as_str().filter(|run| !run.is_empty()).map(str::to_owned)
    });
    let labels = json!({"app.kubernetes.io/managed-by": "loaderd", "loader.dev/run": run});
    let name = format!("left-{run}");
    let metadata = json!({"name": name, "namespace": "loader", "uid": name, "labels": labels});
    cluster
        .put("pods", json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"phase": "Running"}}));
    name
}

/// Awaits that the study waits for this.
fn waits_for(daemon: &Daemon, id: &str, what: &str) {
    eventually(what, || {
        let study = study(daemon, id);
        assert!(study["progress"]["samples"].as_u64().unwrap_or_default() < 2, "it went on: {study}");
        study["progress"]["waitingFor"].as_str().is_some_and(|waiting| waiting.contains(what)).then_some(())
    });
}

fn ended(daemon: &Daemon, id: &str) -> Value {
    eventually("the study's end", || {
        let study = study(daemon, id);
        (study["state"] == "STUDY_STATE_SUCCEEDED").then_some(study)
    })
}

#[test]
fn a_study_waits_until_pods_are_gone_and_the_nodes_are_quiet_again() {
    let cluster = Cluster::start();
    cluster.kubelet_page("/stats/summary", &summary(QUIET));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let id = begin(&daemon, state.path(), "10m");
    let pod = leave_pod(&cluster, &daemon, &id);
    waits_for(&daemon, &id, "an idle platform: instances of earlier runs are left: 1");
    cluster.kubelet_page("/stats/summary", &summary(BUSY));
    cluster.remove("pods", "loader", &pod);
    waits_for(&daemon, &id, "of the CPU is in use");
    cluster.kubelet_page("/stats/summary", &summary(QUIET));
    let ended = ended(&daemon, &id);
    assert_eq!(ended["progress"]["samples"], 2, "{ended}");
    assert_eq!(ended["notes"].as_array().map_or(0, Vec::len), 0, "{ended}");
}

#[test]
fn a_study_gives_up_waiting_at_the_given_time_and_says_so() {
    let cluster = Cluster::start();
    cluster.kubelet_page("/stats/summary", &summary(QUIET));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let id = begin(&daemon, state.path(), "2s");
    let pod = leave_pod(&cluster, &daemon, &id);
    let ended = ended(&daemon, &id);
    assert_eq!(ended["progress"]["samples"], 2, "{ended}");
    let run = ended["runs"][0]["attempts"][0]["runId"].as_str().expect("was made");
    let note =
        format!("the run after {run} began on a platform that was not idle: instances of earlier runs are left: 1");
    assert_eq!(ended["notes"], json!([note]), "{ended}");
    let kept = std::fs::read_to_string(state.path().join("state/studies").join(&id).join("study.json")).expect("reads");
    assert!(kept.contains(&note), "{kept}");
    assert!(cluster.get("pods", "loader", &pod).is_some());
}

/// Without any source of usage, pods are waited for all the same.
#[test]
fn a_study_on_a_cluster_without_metrics_waits_for_pods_and_says_that_it_does_not_know_the_cpu_usage() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let id = begin(&daemon, state.path(), "10m");
    let pod = leave_pod(&cluster, &daemon, &id);
    waits_for(&daemon, &id, "an idle platform: instances of earlier runs are left: 1");
    cluster.remove("pods", "loader", &pod);
    let ended = ended(&daemon, &id);
    let expected = "the CPU usage before the first run is not known: only instances of earlier runs are waited for";
    assert_eq!(ended["notes"], json!([expected]), "{ended}");
}
