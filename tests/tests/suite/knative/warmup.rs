//! The warm-up, which holds the autoscaler and restores its settings in any case.

use std::{fs, path::Path};

use loader_tests::{cluster::Cluster, even_trace, eventually};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{FURNITURE, SERVICES, daemon, furnish, number, submit};

/// The data of the ConfigMap `config-autoscaler`.
fn autoscaler(cluster: &Cluster) -> Value {
    cluster.get("configmaps", "knative-serving", "config-autoscaler").expect("is there")["data"].clone()
}

/// A trace of short functions that are called evenly, each column a second; the flags that replay it.
fn warm_trace(directory: &Path, duration: &str) -> String {
    let to = even_trace(directory, 2, 60, 10, 5);
    format!(
        "--mode trace --granularity second --max-runtime 5ms --max-memory 2MiB --stable-window 6s --duration {duration} \
         --warmup-hold 3s --warmup-settle 4s --trace {to}"
    )
}

const HELD: [(&str, &str); 4] = [
    ("enable-scale-to-zero", "false"),
    ("max-scale-up-rate", "1000000.0"),
    ("max-scale-down-rate", "1.1"),
    ("scale-down-delay", "15m"),
];

fn is_held(settings: &Value) -> bool {
    HELD.iter().all(|(key, value)| settings[key] == *value)
}

#[test]
fn a_warm_up_holds_the_autoscaler_and_puts_it_back() {
    let cluster = Cluster::start();
    let before = json!({"allow-zero-initial-scale": "true", "scale-down-delay": "2s", "stable-window": "60s"});
    let metadata = json!({"name": "config-autoscaler", "namespace": "knative-serving"});
    cluster.put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": before}));
    let state = tempfile::tempdir().expect("a directory");
    let flags = warm_trace(state.path(), "12s");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let id = submit(&daemon, &flags);
    eventually("the autoscaler is held", || is_held(&autoscaler(&cluster)).then_some(()));
    let backup = fs::read_to_string(daemon.directory(&id).join("cluster_settings.json")).expect("it was noted first");
    let backup: Value = serde_json::from_str(&backup).expect("it is JSON");
    assert_eq!(backup["before"]["scale-down-delay"], "2s");
    assert_eq!(backup["before"]["enable-scale-to-zero"], Value::Null);
    eventually("it is restored", || (autoscaler(&cluster) == before).then_some(()));
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let warmup = &run["summary"]["warmup"];
    assert!((3_000_000..=7_000_000).contains(&number(&warmup["measuredFromUs"])), "{warmup:#}");
    assert!(number(&warmup["instancesStarted"]) >= 2, "{warmup:#}");
    assert_eq!(autoscaler(&cluster), before);
    let backup = fs::read_to_string(daemon.directory(&id).join("cluster_settings.json")).expect("is there");
    assert!(backup.contains("\"restored\": true"), "{backup}");
    daemon.ctl(&["check", daemon.directory(&id).to_str().expect("text")]).ok();
}

#[test]
fn a_warm_up_that_is_cancelled_puts_the_autoscaler_back() {
    let cluster = Cluster::start();
    let before = autoscaler(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let flags = warm_trace(state.path(), "60s");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let id = submit(&daemon, &flags.replace("--warmup-hold 3s", "--warmup-hold 50s"));
    let shown = || daemon.ctl(&["--output", "json", "get", &id]).ok().json()["run"]["state"].clone();
    eventually("it warms up", || (shown() == "RUN_STATE_WARMING_UP").then_some(()));
    assert!(is_held(&autoscaler(&cluster)));
    daemon.ctl(&["cancel", &id]).ok();
    assert_eq!(daemon.ended(&id)["state"], "RUN_STATE_CANCELLED");
    assert_eq!(autoscaler(&cluster), before);
}

/// "Killing the daemon in the warm-up and starting it again restores the autoscaler's configuration and cleans the run's
/// Services; nothing else was touched."
#[test]
fn a_daemon_that_is_killed_in_a_warm_up_puts_everything_back_at_its_next_start() {
    let cluster = Cluster::start();
    furnish(&cluster);
    let before = autoscaler(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let flags = warm_trace(state.path(), "60s").replace("--warmup-hold 3s", "--warmup-hold 50s");
    let mut first = daemon(&cluster, &state.path().join("state"));
    let id = submit(&first, &flags);
    let shown = || first.ctl(&["--output", "json", "get", &id]).ok().json()["run"]["state"].clone();
    eventually("it warms up", || (shown() == "RUN_STATE_WARMING_UP").then_some(()));
    first.signal(Signal::SIGKILL);
    first.wait();
    assert!(is_held(&autoscaler(&cluster)));
    // Another client sets one of the keys meanwhile: that value is kept.
    let mut theirs = autoscaler(&cluster);
    theirs["max-scale-down-rate"] = json!("2.0");
    let metadata = json!({"name": "config-autoscaler", "namespace": "knative-serving"});
    cluster.put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": theirs}));
    let second = daemon(&cluster, &state.path().join("state"));
    eventually("the run's Services are gone", || (cluster.names(SERVICES) == FURNITURE).then_some(()));
    let mut expected = before;
    expected["max-scale-down-rate"] = json!("2.0");
    assert_eq!(autoscaler(&cluster), expected);
    assert_eq!(second.ended(&id)["state"], "RUN_STATE_INTERRUPTED");
    let patched: Vec<_> =
        cluster.asked().into_iter().filter(|it| it.verb == "patch" && it.resource == "configmaps").collect();
    assert_eq!(patched.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["config-autoscaler"; 2]);
}

#[test]
fn a_warm_up_that_may_not_hold_makes_nothing() {
    let cluster = Cluster::start();
    cluster.forbid("patch", "configmaps");
    let state = tempfile::tempdir().expect("a directory");
    let flags = warm_trace(state.path(), "12s");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let run = daemon.ended(&submit(&daemon, &flags));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    let reason = run["reason"].as_str().expect("text");
    assert!(reason.contains("patch configmaps config-autoscaler in namespace knative-serving"), "{reason}");
    assert!(cluster.asked().iter().all(|it| it.verb != "patch"), "{}", cluster.asked_by_kind());
}
