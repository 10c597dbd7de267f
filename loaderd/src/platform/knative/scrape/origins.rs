//! Which sources of samples can be used now, and the permissions that they need.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    super::{
        cluster::Cluster,
        preflight::{Need, Scope},
    },
    autoscaler::AutoscalerSource,
    kubelets::Kubelet,
    nodes,
    usage::{Answer, Usage},
};
use crate::scrape::Prometheus;

/// Permissions for sampling, in addition to those that every run needs.
pub(in super::super) const NEEDS: [Need; 8] = [
    need("nodes", "", "list", Scope::Cluster),
    need("nodes", "metrics", "get", Scope::Cluster),
    need("nodes", "stats", "get", Scope::Cluster),
    need("pods", "", "list", Scope::Cluster),
    need("pods", "", "watch", Scope::Cluster),
    need("pods", "", "list", Scope::Serving),
    need("pods", "proxy", "get", Scope::Serving),
    Need { name: "config-observability", ..need("configmaps", "", "get", Scope::Serving) },
];

const fn need(resource: &'static str, subresource: &'static str, verb: &'static str, scope: Scope) -> Need {
    Need { group: "", resource, subresource, verb, name: "", scope }
}

/// Which sources answer now, as text.
pub(in super::super) async fn origins(
    cluster: &Arc<Cluster>,
    namespace: &str,
    prometheus: Option<Prometheus>,
    limit: Duration,
) -> [(&'static str, String); 2] {
    let nodes = async {
        let nodes = nodes::list(cluster).await?;
        let kubelets: Vec<_> = nodes.iter().filter_map(Kubelet::of).collect();
        let Answer { origin, used, missing } = Usage::new(limit).ask(cluster, namespace, &kubelets).await?;
        let missing = missing.map_or(String::new(), |missing| format!(" ({missing})"));
        Ok(format!("{}, {} nodes{missing}", origin.as_str(), used.nodes.len()))
    };
    let of_prometheus = prometheus.as_ref().map(|it| format!("the Prometheus at {}", it.url()));
    let source = AutoscalerSource {
        cluster: Arc::clone(cluster),
        prometheus,
        namespace: namespace.to_owned(),
        suffix: String::new(),
        services: HashSet::new(),
    };
    let autoscaler = async {
        let own = || "autoscaler's and activator's own endpoints".to_owned();
        source.sample().await.map(|_| of_prometheus.unwrap_or_else(own)).map_err(|error| error.to_string())
    };
    let late = |_| Err(format!("no answer within {}", humantime::format_duration(limit)));
    let (nodes, autoscaler) = tokio::join!(timeout(limit, nodes), timeout(limit, autoscaler));
    let status = |answer: Result<String, String>| answer.unwrap_or_else(|error| format!("none: {error}"));
    [
        ("node metrics", status(nodes.unwrap_or_else(late))),
        ("autoscaler metrics", status(autoscaler.unwrap_or_else(late))),
    ]
}
