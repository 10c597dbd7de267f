//! The room of a cluster, as `status` says it. The node is that of a recorded cluster of Kubernetes 1.36.

use loader_tests::cluster::Cluster;
use serde_json::json;

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

#[test]
fn status_says_the_room_for_functions() {
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
