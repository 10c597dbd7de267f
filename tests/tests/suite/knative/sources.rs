//! Where the usage of nodes and pods comes from: a metrics-server, the kubelets themselves, or the kubelets through the API server.

use loader_tests::cluster::Cluster;
use serde_json::json;

use super::daemon;

const THROUGH: &str = "/api/v1/nodes/knative-control-plane/proxy/stats/summary";

/// `kubelet-stats-summary.under-load.json`, of which only the node is left.
fn summary() -> String {
    json!({"node": {"nodeName": "knative-control-plane", "cpu": {"usageNanoCores": 1_261_805_354},
                    "memory": {"workingSetBytes": 4_679_102_464_u64}}, "pods": []})
    .to_string()
}

/// The line of `loaderctl status` about the metrics of nodes.
fn shown(cluster: &Cluster) -> String {
    let state = tempfile::tempdir().expect("a directory");
    let status = daemon(cluster, state.path()).ctl(&["status"]).ok().stdout;
    assert!(status.contains("missing for samples   none"), "{status}");
    let line = status.lines().find(|line| line.contains("node metrics"));
    line.unwrap_or_default().to_owned()
}

fn asked(cluster: &Cluster, resource: &str) -> bool {
    cluster.asked().iter().any(|it| it.resource == resource)
}

#[test]
fn kubelets_are_asked_directly_by_their_figures_alone() {
    let cluster = Cluster::start();
    cluster.kubelet_page("/stats/summary", &summary());
    let line = shown(&cluster);
    assert!(line.ends_with("the kubelets' /stats/summary, 1 nodes"), "{line}");
    assert!(asked(&cluster, "kubelet/stats") && !asked(&cluster, "kubelet/proxy"), "{}", cluster.asked_by_kind());
}

#[test]
fn a_kubelet_without_a_summary_is_asked_for_its_counters() {
    let cluster = Cluster::start();
    // kubelet-resource.under-load.prom.
    cluster.kubelet_page("/metrics/resource", "node_cpu_usage_seconds_total 9.8 1795417887288\n");
    let line = shown(&cluster);
    assert!(line.ends_with("the kubelets' /metrics/resource, 1 nodes"), "{line}");
}

/// Not recorded: a metrics-server's shapes are those of its published API.
#[test]
fn a_metrics_server_comes_first() {
    let cluster = Cluster::start();
    cluster.kubelet_page("/stats/summary", &summary());
    let node =
        json!({"metadata": {"name": "knative-control-plane"}, "usage": {"cpu": "1261805354n", "memory": "4569436Ki"}});
    cluster.page("/apis/metrics.k8s.io/v1beta1/nodes", &json!({"items": [node]}).to_string());
    cluster.page("/apis/metrics.k8s.io/v1beta1/namespaces/loader/pods", &json!({"items": []}).to_string());
    let line = shown(&cluster);
    assert!(line.ends_with("metrics-server, 1 nodes"), "{line}");
    assert!(!asked(&cluster, "kubelet/stats"), "{}", cluster.asked_by_kind());
}

#[test]
fn the_api_server_is_no_way_to_a_kubelet_unless_an_administrator_opens_it() {
    let cluster = Cluster::start();
    cluster.page(THROUGH, &summary());
    let line = shown(&cluster);
    assert!(line.contains("none: ") && line.contains("cannot get resource \"nodes/proxy\""), "{line}");
    cluster.opt_in_to_nodes_proxy();
    let line = shown(&cluster);
    assert!(line.ends_with("the kubelets' /stats/summary through the API server, 1 nodes"), "{line}");
}

#[test]
fn a_kubelet_that_the_clusters_ca_does_not_vouch_for_is_sent_no_token() {
    let cluster = Cluster::start();
    cluster.kubelet_page("/stats/summary", &summary());
    cluster.distrust_kubelet();
    let line = shown(&cluster);
    assert!(line.contains("none: ") && line.contains("invalid peer certificate"), "{line}");
    assert!(line.contains("serverTLSBootstrap") && line.contains("metrics-server"), "{line}");
    assert!(!asked(&cluster, "kubelet/stats"), "{}", cluster.asked_by_kind());
}
