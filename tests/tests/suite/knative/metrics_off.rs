//! A cluster whose metrics are off: their ports are closed, which is said at once.

use loader_tests::cluster::Cluster;
use serde_json::json;

use super::daemon;

const OFF: &str =
    "Knative's metrics are off: metrics-protocol in config-observability; `scripts/cluster/prepare --metrics`";

/// Autoscaler and activator with closed ports, and how metrics are exposed.
fn cluster(protocol: Option<&str>) -> Cluster {
    let cluster = Cluster::start();
    for name in ["autoscaler", "activator"] {
        let metadata = json!({"name": name, "namespace": "knative-serving", "labels": {"app": name}});
        cluster.put("pods", json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}));
    }
    let metadata = json!({"name": "config-observability", "namespace": "knative-serving"});
    let data = protocol.map_or_else(|| json!({}), |protocol| json!({"metrics-protocol": protocol}));
    cluster.put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}));
    cluster
}

fn status(cluster: &Cluster) -> String {
    let state = tempfile::tempdir().expect("a directory");
    daemon(cluster, state.path()).ctl(&["status"]).ok().stdout
}

#[test]
fn a_closed_port_is_an_answer() {
    let cluster = cluster(None);
    let shown = status(&cluster);
    assert!(shown.contains(OFF), "{shown}");
    let asked = cluster.asked().into_iter().filter(|it| it.resource == "pods" && it.name.ends_with(":9090"));
    // Each pod once at most: the first refusal is enough.
    assert!((1..=2).contains(&asked.count()), "{}", cluster.asked_by_kind());
}

#[test]
fn it_is_one_without_the_permission_to_read_the_setting_too() {
    let cluster = cluster(None);
    cluster.forbid("get", "configmaps");
    let shown = status(&cluster);
    assert!(shown.contains(OFF), "{shown}");
}

#[test]
fn a_setting_that_is_not_in_force_yet_is_told_from_one_that_is_missing() {
    let shown = status(&cluster(Some("prometheus")));
    assert!(!shown.contains(OFF) && shown.contains("were not restarted since"), "{shown}");
}
