//! Evictions from a node that is drained.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt as _,
    api::{EvictParams, ListParams},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::{cluster::Cluster, cluster_error::ClusterError};
use crate::disturbance::listed;

/// Pods that are evicted at the same time.
const MAX_CONCURRENT: usize = 16;
/// Maximum time for which an eviction is tried that a disruption budget does not allow (429).
const EVICTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Evicts the pods of a node that others take the place of.
///
/// # Errors
/// Pods that cannot be listed. What stays is told.
pub(super) async fn evict(cluster: &Cluster, deadline: Instant, node: &str) -> Result<String, ClusterError> {
    let (on_node, never) = (&ListParams::default().fields(&format!("spec.nodeName={node}")), CancellationToken::new());
    let pods = cluster.ask(deadline, &never, |client| async move { Api::<Pod>::all(client).list(on_node).await });
    let pods: Vec<_> = pods.await?.items.into_iter().filter(|pod| is_evicted(pod, node)).collect();
    let (never, within) = (&never, deadline.min(cluster.now() + EVICTION_TIMEOUT));
    let evicted = pods.iter().map(|pod| async move {
        let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
        let (namespace, name) = (namespace.as_str(), name.as_str());
        let evicted = cluster.ask(within, never, |client| async move {
            Api::<Pod>::namespaced(client, namespace).evict(name, &EvictParams::default()).await
        });
        match evicted.await {
            Ok(_) => Ok(name.to_owned()),
            Err(error) if error.is_not_found() => Ok(name.to_owned()),
            Err(error) => Err(format!("{namespace}/{name} stays: {error}")),
        }
    });
    let evicted: Vec<_> = evicted.collect();
    let evicted: Vec<Result<String, String>> = stream::iter(evicted).buffered(MAX_CONCURRENT).collect().await;
    let (gone, stay): (Vec<_>, Vec<_>) = evicted.into_iter().partition(Result::is_ok);
    let [gone, stay] = [gone.into_iter().flatten().collect(), stay.into_iter().filter_map(Result::err).collect()]
        .map(|names: Vec<String>| listed(&names));
    let gone = if gone.is_empty() { "no pods to evict".to_owned() } else { format!("evicted {gone}") };
    Ok(if stay.is_empty() { gone } else { format!("{gone}; {stay}") })
}

/// Whether a drain evicts a pod: not those that would stay away (without a controller), come back to the node at once (of a DaemonSet,
/// or the kubelet's own), have ended or are ending, nor this daemon.
fn is_evicted(pod: &Pod, node: &str) -> bool {
    let here = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(node);
    let controller = pod.owner_references().iter().find(|owner| owner.controller == Some(true));
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let ended = matches!(phase, Some("Succeeded" | "Failed")) || pod.metadata.deletion_timestamp.is_some();
    let mirror = pod.annotations().contains_key("kubernetes.io/config.mirror");
    let own = pod.labels().get("app.kubernetes.io/name").is_some_and(|name| name == "loaderd");
    here && controller.is_some_and(|owner| owner.kind != "DaemonSet") && !ended && !mirror && !own
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(metadata: Value, phase: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": metadata, "spec": {"nodeName": "w", "containers": []}, "status": {"phase": phase},
        }))
        .unwrap()
    }

    #[test]
    fn a_drain_leaves_the_pods_that_nobody_would_make_elsewhere() {
        let owned =
            |kind: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": "x", "uid": "u", "controller": true}]);
        let of = |more: Value| {
            let mut metadata = json!({"name": "p", "ownerReferences": owned("ReplicaSet")});
            for (name, value) in more.as_object().unwrap() {
                metadata[name] = value.clone();
            }
            metadata
        };
        for (metadata, phase, evicted) in [
            (of(json!({})), "Running", true),
            (of(json!({"ownerReferences": owned("Job")})), "Pending", true),
            (of(json!({"ownerReferences": owned("DaemonSet")})), "Running", false),
            (json!({"name": "p"}), "Running", false),
            (of(json!({"annotations": {"kubernetes.io/config.mirror": "x"}})), "Running", false),
            (of(json!({"labels": {"app.kubernetes.io/name": "loaderd"}})), "Running", false),
            (of(json!({"deletionTimestamp": "2026-11-23T07:09:41Z"})), "Running", false),
            (of(json!({})), "Succeeded", false),
        ] {
            assert_eq!(is_evicted(&pod(metadata.clone(), phase), "w"), evicted, "{metadata} {phase}");
        }
        assert!(!is_evicted(&pod(of(json!({})), "Running"), "v"));
    }
}
