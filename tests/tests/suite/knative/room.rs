//! The room of a cluster, as `status` says it, and whether a plan fits into it. The node is that of a recorded cluster of Kubernetes 1.36.

#![expect(clippy::panic, reason = "this is a test, which ends by a panic")]

use loader_tests::cluster::Cluster;
use serde_json::{Value, json};

use super::daemon;

/// The cluster's only node.
const NODE: &str = "knative-control-plane";

/// The lines of `status` about the room, without their name's padding.
fn shown(cluster: &Cluster) -> Vec<String> {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(cluster, state.path());
    let status = daemon.ctl(&["status"]).ok().stdout;
    let named = [
        "knative nodes for functions",
        "knative room",
        "knative allocatable",
        "knative requested",
        "knative free",
        "knative functions",
    ];
    let lines = status.lines().filter(|line| named.iter().any(|name| line.starts_with(name)));
    lines.map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")).collect()
}

/// A cluster of which a pod has taken a part; another pod's part is free again.
fn cluster_at_work() -> Cluster {
    let cluster = Cluster::start();
    for (name, phase, cpu) in [("busy", "Running", "1200m"), ("over", "Succeeded", "700m")] {
        let requests = json!({"requests": {"cpu": cpu, "memory": "1Gi"}});
        let spec = json!({"nodeName": NODE, "containers": [{"name": "c", "resources": requests}]});
        let metadata = json!({"name": name, "namespace": "default"});
        let status = json!({"phase": phase});
        cluster.put(
            "pods",
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}),
        );
    }
    cluster
}

#[test]
fn status_says_the_room_for_functions() {
    let cluster = cluster_at_work();
    assert_eq!(
        shown(&cluster),
        [
            "nodes for functions 1",
            "allocatable 2000 millicores, 7933 MiB, 110 pods",
            "requested 1200 millicores, 1024 MiB, 1 pods",
            "free 800 millicores, 6909 MiB, 109 pods",
            "functions that fit 6 of 125 millicores and 256 MiB",
        ]
    );
}

#[test]
fn a_room_that_may_not_be_seen_is_unknown() {
    let cluster = Cluster::start();
    cluster.forbid("list", "nodes");
    let shown = shown(&cluster);
    assert!(shown.len() == 1 && shown[0].starts_with("room unknown: ") && shown[0].contains("nodes"), "{shown:?}");
}

/// A plan of mode rps with its room, as JSON: two functions, invocations of a second each, of 100 MiB.
fn planned(cluster: &Cluster, more: &str) -> (Value, i32) {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(cluster, state.path());
    let flags =
        "--output json plan --room --platform knative --mode rps --slot 1m --functions 2 --runtime 1s --memory 100MiB ";
    let flags = format!("{flags}{more}");
    let ran = daemon.ctl(&flags.split_whitespace().collect::<Vec<_>>());
    (serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}")), ran.code)
}

#[test]
fn a_plan_that_does_not_fit_says_by_what_and_what_would() {
    let cluster = cluster_at_work();
    let (plan, code) = planned(&cluster, "--start 5 --step 5 --end 10");
    assert_eq!(code, 0, "{plan}");
    let room = &plan["room"];
    assert_eq!(room["fits"], false, "{room}");
    let allocatable = json!({"cpuMillicores": "2000", "memoryMib": "7933", "instances": "110"});
    let requested = json!({"cpuMillicores": "1200", "memoryMib": "1024", "instances": "1"});
    assert_eq!(room["nodes"], json!([{"name": NODE, "allocatable": allocatable, "requested": requested}]));
    // Of each function three instances, then five: 100 millicores and queue-proxy's 25; 100 MiB and the server's 32.
    let figures = room["resources"].as_array().expect("resources").iter();
    let figures: Vec<_> =
        figures.map(|it| ["resource", "free", "peak", "slotsOver"].map(|key| it[key].clone())).collect();
    let expected = [
        json!(["CPU requests", 800.0, 1250.0, 1]),
        json!(["memory", 6909.0, 1320.0, null]),
        json!(["instances", 109.0, 10.0, null]),
        json!(["busy processors", 0.8, 10.0, 2]),
    ];
    let figures: Vec<_> = figures.into_iter().map(|it| json!(it)).collect();
    assert_eq!(figures, expected, "{room}");
    assert_eq!(room["resources"][0]["peakAt"], "60s");
    // Eight tenths of a processor are 8 % of the load; in 128th parts 10.
    assert_eq!(room["fittingRate"], json!(10.0 / 128.0));
    assert_eq!((&room["instances"], &room["placedInstances"]), (&json!("10"), &json!("6")));
    let (_, code) = planned(&cluster, "--start 5 --step 5 --end 10 --fail-if-no-room");
    assert_eq!(code, 6);
    // Nothing was deployed.
    assert!(cluster.asked().iter().all(|it| it.verb != "patch"), "{}", cluster.asked_by_kind());
}

#[test]
fn a_plan_that_fits_says_so_and_one_whose_room_is_unknown_does_not() {
    let cluster = cluster_at_work();
    let flags = "--start 0.5 --end 0.5 --fail-if-no-room";
    let (plan, code) = planned(&cluster, flags);
    assert_eq!((&plan["room"]["fits"], code), (&json!(true), 0), "{plan}");
    cluster.forbid("list", "nodes");
    let (plan, code) = planned(&cluster, flags);
    assert!(plan["room"]["fits"].is_null() && code == 6, "{plan}");
    assert!(plan["room"]["unknown"].as_str().is_some_and(|why| why.contains("nodes")), "{plan}");
}
