//! How much CPU the cluster has free: what its nodes can allocate, less what pods request. Pure but for the requests.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{Node, Pod, ResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::{Api, api::ListParams};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    cluster::{Cluster, ClusterError},
    quantity::millicores,
};
use crate::platform::Room;

/// The CPU request of Knative's queue-proxy in each pod, unless `config-deployment` sets another one.
const QUEUE_PROXY_MILLICORES: u64 = 25;

/// The free CPU, from nodes and pods.
///
/// # Errors
/// A server that can't be reached, or refuses.
pub(super) async fn room(
    cluster: &Cluster,
    selector: &BTreeMap<String, String>,
    deadline: Instant,
) -> Result<Room, ClusterError> {
    let never = CancellationToken::new();
    let nodes = cluster
        .ask(deadline, &never, |client| async move { Api::<Node>::all(client).list(&ListParams::default()).await });
    let nodes = nodes.await?.items;
    let running = &ListParams::default().fields("status.phase!=Succeeded,status.phase!=Failed");
    let pods = cluster.ask(deadline, &never, |client| async move { Api::<Pod>::all(client).list(running).await });
    let pods = pods.await?.items;
    Ok(Room::Millicores { free: free(&nodes, &pods, selector), overhead: QUEUE_PROXY_MILLICORES })
}

/// The free CPU of the nodes on which functions can be scheduled, in millicores.
fn free(nodes: &[Node], pods: &[Pod], selector: &BTreeMap<String, String>) -> u64 {
    let usable = nodes.iter().filter(|node| {
        let none = BTreeMap::new();
        let labels = node.metadata.labels.as_ref().unwrap_or(&none);
        let spec = node.spec.as_ref();
        let tainted = spec
            .and_then(|spec| spec.taints.as_ref())
            .into_iter()
            .flatten()
            .any(|taint| taint.effect != "PreferNoSchedule");
        let closed = spec.and_then(|spec| spec.unschedulable).unwrap_or(false);
        !closed && !tainted && selector.iter().all(|(name, value)| labels.get(name) == Some(value))
    });
    let free = usable.map(|node| {
        let name = node.metadata.name.as_deref();
        let allocatable = node.status.as_ref().and_then(|status| cpu(status.allocatable.as_ref()?)).unwrap_or(0);
        let here = pods.iter().filter(|pod| pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == name);
        allocatable.saturating_sub(here.map(requested).sum())
    });
    free.sum()
}

fn cpu(resources: &BTreeMap<String, Quantity>) -> Option<u64> {
    millicores(&resources.get("cpu")?.0)
}

/// The CPU requests of a pod's containers, in millicores. A pod that has ended has none.
pub(super) fn requested(pod: &Pod) -> u64 {
    of_containers(pod, |resources| resources.requests.as_ref())
}

fn of_containers<'a>(
    pod: &'a Pod,
    which: impl Fn(&'a ResourceRequirements) -> Option<&'a BTreeMap<String, Quantity>>,
) -> u64 {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Succeeded" | "Failed")) {
        return 0;
    }
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.filter_map(|container| cpu(which(container.resources.as_ref()?)?)).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(name: &str, cpu: &str, more: Value) -> Node {
        let labels = json!({"kind": if name == "w" { "worker" } else { "master" }});
        serde_json::from_value(json!({
            "metadata": {"name": name, "labels": labels}, "spec": more, "status": {"allocatable": {"cpu": cpu}},
        }))
        .unwrap()
    }

    fn pod(node: &str, phase: &str, requests: &[&str]) -> Pod {
        let containers: Vec<_> =
            requests.iter().map(|cpu| json!({"name": "c", "resources": {"requests": {"cpu": cpu}}})).collect();
        let spec = json!({"nodeName": node, "containers": containers});
        serde_json::from_value(json!({"spec": spec, "status": {"phase": phase}})).unwrap()
    }

    #[test]
    fn free_cpu_is_what_nodes_can_allocate_less_the_requests_of_pods() {
        let taint = json!({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]});
        let nodes = [
            node("w", "1930m", json!({})),
            node("m", "4", json!({})),
            node("tainted", "8", taint),
            node("closed", "8", json!({"unschedulable": true})),
        ];
        let pods = [
            pod("w", "Running", &["100m", "25m"]),
            pod("w", "Succeeded", &["1"]),
            pod("m", "Pending", &["500m"]),
            pod("elsewhere", "Running", &["1"]),
        ];
        assert_eq!(free(&nodes, &pods, &BTreeMap::new()), 1930 - 125 + 4000 - 500);
        let workers = BTreeMap::from([("kind".to_owned(), "worker".to_owned())]);
        assert_eq!(free(&nodes, &pods, &workers), 1930 - 125);
    }
}
