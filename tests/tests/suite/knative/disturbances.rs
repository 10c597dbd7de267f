//! Disturbances of a cluster: each action, the permissions that they need, and that nothing is left whatever way the run ends.

use std::{fs, path::Path, time::Duration};

use loader_tests::{
    Daemon,
    cluster::{Cluster, Early},
    eventually,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{SERVICES, outages::waits};

const NODE: &str = "knative-control-plane";

/// A cluster with components, whose daemon may disturb it by configuration and by roles.
fn cluster() -> Cluster {
    let cluster = Cluster::start();
    cluster.install_components();
    cluster.allow_disturbances();
    cluster
}

fn daemon(cluster: &Cluster, state: &Path) -> Daemon {
    let config = cluster.loaderd_config("disturb = true");
    Daemon::start_with(state, &["--config", config.to_str().expect("text")])
}

/// A spec of a load of so many seconds, with these entries of `disturb`.
fn spec(directory: &Path, seconds: u32, disturb: &str) -> String {
    let path = directory.join("disturbed.yaml");
    let text = format!(
        "platform: knative\nrps: {{ start: 20, end: 20, slot: {seconds}s, runtime: 5ms, memoryMib: 1 }}\n\
         scaling: {{ initialScale: 2, minScale: 2 }}\nconnectTimeout: 2s\nfunctionTimeout: 5s\noverload: {{ failureRatio: 1 }}\n\
         disturb:\n{disturb}"
    );
    fs::write(&path, text).expect("writes");
    path.to_str().expect("text").to_owned()
}

fn is_cordoned(cluster: &Cluster) -> bool {
    cluster.get("nodes", "", NODE).expect("is there")["spec"]["unschedulable"] == true
}

/// Everything is as it was: replicas, nodes, and nothing of the run.
#[track_caller]
fn assert_restored(cluster: &Cluster) {
    for (namespace, name) in [
        ("knative-serving", "activator"),
        ("knative-serving", "autoscaler"),
        ("knative-serving", "controller"),
        ("kourier-system", "3scale-kourier-gateway"),
    ] {
        assert_eq!(cluster.replicas(namespace, name), 1, "{name}");
        eventually("its pod", || (cluster.pods_of(namespace, name).len() == 1).then_some(()));
    }
    assert!(!is_cordoned(cluster));
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

/// What was written down of a run's changes, each with whether it was undone.
fn changes(daemon: &Daemon, id: &str) -> Vec<(Value, bool)> {
    let text = fs::read_to_string(daemon.directory(id).join("disturbances.json")).expect("is there");
    let saved: Value = serde_json::from_str(&text).expect("it is JSON");
    let changes = saved["changes"].as_array().expect("a list").iter();
    changes.map(|it| (it["change"].clone(), it["undone"] == true)).collect()
}

// What is looked at while it lasts does so for longer than a busy machine stands still.
const EACH: &str = "\
- { at: 1s, do: deletePods, of: functions }
- { at: 2s, do: deletePods, of: gateway, count: all }
- { at: 4s, do: scaleToZero, of: activator, for: 5s }
- { at: 6s, do: restart, of: autoscaler }
- { at: 7s, do: deletePods, of: { namespace: knative-serving, selector: app=controller } }
- { at: 10s, do: cordon, node: knative-control-plane, for: 5s }
- { at: 17s, do: drain, node: knative-control-plane, for: 2s }
";

#[test]
fn each_action_is_carried_out_and_undone() {
    let cluster = cluster();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let status = daemon.ctl(&["status"]).ok().stdout;
    assert!(status.contains("missing for disturbances  none"), "{status}");
    let pods = |namespace: &str, app: &str| cluster.pods_of(namespace, app);
    let components = [
        ("kourier-system", "3scale-kourier-gateway"),
        ("knative-serving", "autoscaler"),
        ("knative-serving", "controller"),
    ];
    let before = components.map(|(namespace, app)| pods(namespace, app));
    let id = daemon.submit(&[&spec(state.path(), 30, EACH)]);
    eventually("the activator has no replicas", || {
        (cluster.replicas("knative-serving", "activator") == 0).then_some(())
    });
    assert!(pods("knative-serving", "activator").is_empty());
    eventually("it has one again", || (cluster.replicas("knative-serving", "activator") == 1).then_some(()));
    eventually("the node is cordoned", || is_cordoned(&cluster).then_some(()));
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    assert_restored(&cluster);
    for ((namespace, app), before) in components.into_iter().zip(before) {
        assert_ne!(pods(namespace, app), before, "other pods of {app}");
    }
    let table = daemon.table(&id, "events.csv");
    let failed: Vec<_> = table.columns(["outcome", "detail"]).into_iter().filter(|row| row[0] != "ok").collect();
    assert_eq!((table.len(), failed.len()), (10, 0), "{table:?}");
    let details = table.column("detail").join("\n");
    for detail in [
        "knative-serving/activator from 1 to 0 replicas",
        "knative-serving/activator has 1 replicas again",
        "cordoned knative-control-plane; evicted ",
        " stays: Cannot evict pod as it would violate the pod's disruption budget.",
        "uncordoned knative-control-plane",
    ] {
        assert!(details.contains(detail), "{detail}: {details}");
    }
    let replicas = json!({"replicas": {"namespace": "knative-serving", "deployment": "activator", "before": 1}});
    let node = json!({"unschedulable": {"node": NODE}});
    assert_eq!(changes(&daemon, &id), [(replicas, true), (node.clone(), true), (node, true)]);
    // The gateway was away, and what was in flight or due then failed.
    let found = run["summary"]["disturbances"].as_array().expect("a list");
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok()).expect("is known");
    assert_eq!(found.len(), 7);
    assert!(number(&found[1]["failed"]) > 0, "{found:#?}");
    daemon.ctl(&["check", &id]).ok();
}

#[test]
fn without_the_roles_nothing_is_done() {
    let cluster = Cluster::start();
    cluster.install_components();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let run = daemon.ended(&daemon.submit(&[&spec(state.path(), 30, EACH)]));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    let reason = run["reason"].as_str().expect("text");
    for missing in [
        "missing permissions for disturbances: ",
        "create pods/eviction",
        "delete pods in namespace kourier-system",
        "delete pods in namespace loader",
        "get deployments/scale.apps activator in namespace knative-serving",
        "patch deployments.apps autoscaler in namespace knative-serving",
        "patch nodes",
    ] {
        assert!(reason.contains(missing), "{missing}: {reason}");
    }
    let changing: Vec<_> = cluster.asked().into_iter().filter(|it| ["patch", "delete"].contains(&it.verb)).collect();
    assert_eq!(changing, [], "nothing was deployed either");
    let status = daemon.ctl(&["status"]).ok().stdout;
    assert!(status.contains("missing for disturbances") && status.contains("patch nodes"), "{status}");
}

#[test]
fn a_node_or_a_deployment_that_is_not_there_is_named() {
    let cluster = cluster();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let run = daemon.ended(&daemon.submit(&[&spec(state.path(), 5, "- { at: 1s, do: cordon, node: nowhere }\n")]));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    assert!(run["reason"].as_str().expect("text").contains("nodes \"nowhere\" not found"), "{run:#}");
    let none = "- { at: 1s, do: deletePods, of: { namespace: loader, selector: app=none } }\n";
    let run = daemon.ended(&daemon.submit(&[&spec(state.path(), 5, none)]));
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let found = &run["summary"]["disturbances"][0];
    assert_eq!((&found["outcome"], &found["requested"]), (&json!("failed"), &Value::Null));
    assert!(found["detail"].as_str().expect("text").contains("no pods app=none in loader"), "{found:#}");
}

/// Both last until the end of the load.
const LASTING: &str = "\
- { at: 1s, do: scaleToZero, of: gateway }
- { at: 1s, do: scaleToZero, of: activator }
- { at: 2s, do: cordon, node: knative-control-plane }
";

/// Waits until everything of [`LASTING`] is done.
fn is_disturbed(cluster: &Cluster) {
    eventually("the cluster is disturbed", || {
        let gone = cluster.replicas("kourier-system", "3scale-kourier-gateway") == 0
            && cluster.replicas("knative-serving", "activator") == 0;
        (gone && is_cordoned(cluster)).then_some(())
    });
}

#[test]
fn the_end_of_the_load_a_cancellation_and_a_stop_of_the_daemon_undo_everything() {
    let cluster = cluster();
    let state = tempfile::tempdir().expect("a directory");
    let mut daemon = daemon(&cluster, &state.path().join("state"));
    let run = daemon.ended(&daemon.submit(&[&spec(state.path(), 5, LASTING)]));
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    assert_restored(&cluster);
    let id = daemon.submit(&[&spec(state.path(), 60, LASTING)]);
    is_disturbed(&cluster);
    daemon.ctl(&["cancel", &id]).ok();
    assert_eq!(daemon.ended(&id)["state"], "RUN_STATE_CANCELLED");
    assert_restored(&cluster);
    let stages = daemon.table(&id, "events.csv");
    assert_eq!(stages.counts("stage"), [("begin", 3), ("end", 3)].into());
    daemon.submit(&[&spec(state.path(), 60, LASTING)]);
    is_disturbed(&cluster);
    assert!(daemon.terminate().success());
    assert_restored(&cluster);
}

#[test]
fn a_killed_daemon_undoes_everything_at_its_next_start() {
    let cluster = cluster();
    let state = tempfile::tempdir().expect("a directory");
    let mut first = daemon(&cluster, &state.path().join("state"));
    let id = first.submit(&[&spec(state.path(), 60, LASTING)]);
    is_disturbed(&cluster);
    first.signal(Signal::SIGKILL);
    first.wait();
    std::thread::sleep(Duration::from_millis(200));
    assert!(is_cordoned(&cluster));
    // Another client gives one of them replicas meanwhile, which stay.
    let mut activator = cluster.get("deployments.apps", "knative-serving", "activator").expect("is there");
    activator["spec"]["replicas"] = json!(3);
    cluster.put("deployments.apps", activator);
    let second = daemon(&cluster, &state.path().join("state"));
    assert_eq!(second.ended(&id)["state"], "RUN_STATE_INTERRUPTED");
    assert_eq!(cluster.replicas("knative-serving", "activator"), 3);
    let mut activator = cluster.get("deployments.apps", "knative-serving", "activator").expect("is there");
    activator["spec"]["replicas"] = json!(1);
    cluster.put("deployments.apps", activator);
    assert_restored(&cluster);
    assert!(changes(&second, &id).iter().all(|(_, undone)| *undone));
    // What was undone is not undone again.
    let patches = |cluster: &Cluster| cluster.asked().iter().filter(|it| it.verb == "patch").count();
    let before = patches(&cluster);
    drop(second);
    let third = daemon(&cluster, &state.path().join("state"));
    assert_eq!(third.ended(&id)["state"], "RUN_STATE_INTERRUPTED");
    assert_eq!(patches(&cluster), before);
}

#[test]
fn an_undo_that_the_cluster_refuses_goes_on_until_it_is_done() {
    let cluster = cluster();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let id = daemon.submit(&[&spec(state.path(), 60, LASTING)]);
    is_disturbed(&cluster);
    cluster.set_early(Some(Early::Forbidden));
    daemon.ctl(&["cancel", &id]).ok();
    waits(&daemon, &id, "cannot undo the disturbances: platform knative: ");
    waits(&daemon, &id, "cannot get resource");
    cluster.set_early(Some(Early::Unavailable));
    waits(&daemon, &id, "unable to handle the request");
    let shown = daemon.ctl(&["list"]).ok().stdout;
    assert!(shown.contains("CLEANING") && shown.contains("waits: cannot undo the disturbances"), "{shown}");
    assert!(is_cordoned(&cluster));
    cluster.set_early(None);
    let ended = daemon.ended(&id);
    assert_eq!((&ended["state"], &ended["waitingFor"]), (&json!("RUN_STATE_CANCELLED"), &Value::Null));
    assert_restored(&cluster);
    assert!(changes(&daemon, &id).iter().all(|(_, undone)| *undone));
}

#[test]
fn a_killed_daemon_undoes_everything_though_the_cluster_is_away_at_its_next_start() {
    let cluster = cluster();
    let state = tempfile::tempdir().expect("a directory");
    let mut first = daemon(&cluster, &state.path().join("state"));
    let id = first.submit(&[&spec(state.path(), 60, LASTING)]);
    is_disturbed(&cluster);
    first.signal(Signal::SIGKILL);
    first.wait();
    cluster.set_away(true);
    let second = daemon(&cluster, &state.path().join("state"));
    waits(&second, &id, "cannot undo the disturbances: platform knative: ");
    cluster.set_early(Some(Early::Forbidden));
    cluster.set_away(false);
    waits(&second, &id, "cannot get resource");
    assert_eq!(changes(&second, &id).iter().filter(|(_, undone)| *undone).count(), 0);
    cluster.set_early(None);
    assert_eq!(second.ended(&id)["state"], "RUN_STATE_INTERRUPTED");
    assert_restored(&cluster);
    assert!(changes(&second, &id).iter().all(|(_, undone)| *undone));
}
