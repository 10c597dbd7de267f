//! The room of a cluster's nodes for functions: what each can allocate, less what its pods request, as the scheduler counts it.
//! Pure. `scripts/cluster/capacity` counts the same.

use std::{collections::BTreeMap, ops::Add as _};

use k8s_openapi::{
    api::core::v1::{Container, Node, Pod, PodSpec},
    apimachinery::pkg::api::resource::Quantity,
};

use super::quantity::{amount, millicores};
use crate::platform::{Amounts, NodeRoom};

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// Pods that a kubelet allows unless it is configured otherwise.
const PODS: u64 = 110;

/// A pod that requests nothing.
const ONE: Amounts = Amounts { millicores: 0, mib: 0, instances: 1 };

/// The amounts of a list of resources; those that it does not name are zero.
pub(super) fn read(resources: Option<&BTreeMap<String, Quantity>>) -> Amounts {
    let of = |name: &str| resources.and_then(|resources| resources.get(name)).map(|quantity| quantity.0.as_str());
    Amounts {
        millicores: of("cpu").and_then(millicores).unwrap_or(0),
        mib: of("memory").and_then(amount).map_or(0, |bytes| crate::units::rounded((bytes / MIB).floor())),
        instances: of("pods").and_then(amount).map_or(0, crate::units::rounded),
    }
}

/// The room of each node that takes functions: those with the labels of `selector` that are not cordoned, nor tainted.
pub(super) fn rooms(nodes: &[Node], pods: &[Pod], selector: &BTreeMap<String, String>) -> Vec<NodeRoom> {
    let usable = nodes.iter().filter(|node| takes_functions(node, selector));
    let room = |node: &Node| NodeRoom {
        name: node.metadata.name.clone().unwrap_or_default(),
        allocatable: allocatable(node),
        requested: requested(node, pods),
    };
    usable.map(room).collect()
}

fn takes_functions(node: &Node, selector: &BTreeMap<String, String>) -> bool {
    let labels = node.metadata.labels.as_ref();
    let has = |(name, value)| labels.and_then(|labels| labels.get(name)) == Some(value);
    let spec = node.spec.as_ref();
    let mut taints = spec.and_then(|spec| spec.taints.as_ref()).into_iter().flatten();
    let cordoned = spec.and_then(|spec| spec.unschedulable).unwrap_or(false);
    !cordoned && !taints.any(|taint| taint.effect != "PreferNoSchedule") && selector.iter().all(has)
}

fn allocatable(node: &Node) -> Amounts {
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    let amounts = read(allocatable);
    if amounts.instances == 0 { Amounts { instances: PODS, ..amounts } } else { amounts }
}

/// What the pods of a node request; those that have ended request nothing.
fn requested(node: &Node, pods: &[Pod]) -> Amounts {
    let here = pods.iter().filter(|pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let node_name = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref());
        node_name.is_some()
            && node_name == node.metadata.name.as_ref()
            && !matches!(phase, Some("Succeeded" | "Failed"))
    });
    here.map(request).fold(Amounts::default(), Amounts::add)
}

fn request(pod: &Pod) -> Amounts {
    pod.spec.as_ref().map_or(ONE, request_of)
}

/// What the scheduler sets aside for a pod: the sum of its containers and sidecars, or its largest init container with the sidecars
/// before it where that is more, and its overhead.
pub(super) fn request_of(spec: &PodSpec) -> Amounts {
    let of =
        |container: &Container| read(container.resources.as_ref().and_then(|resources| resources.requests.as_ref()));
    let (mut sidecars, mut most) = (Amounts::default(), Amounts::default());
    for container in spec.init_containers.iter().flatten() {
        let needed = of(container) + sidecars;
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = needed;
        }
        most = most.with(needed, u64::max);
    }
    let running = spec.containers.iter().map(of).fold(sidecars, Amounts::add);
    running.with(most, u64::max) + read(spec.overhead.as_ref()) + ONE
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(name: &str, cpu: &str, more: &Value) -> Node {
        let labels = json!({"kind": if name == "w" { "worker" } else { "master" }});
        serde_json::from_value(json!({
            "metadata": {"name": name, "labels": labels}, "spec": more,
            "status": {"allocatable": {"cpu": cpu, "memory": "2Gi", "pods": "10"}},
        }))
        .unwrap()
    }

    fn pod(node: &str, phase: &str, spec: Value) -> Pod {
        let mut pod = json!({"spec": spec, "status": {"phase": phase}});
        pod["spec"]["nodeName"] = json!(node);
        serde_json::from_value(pod).unwrap()
    }

    fn container(cpu: &str) -> Value {
        json!({"name": "c", "resources": {"requests": {"cpu": cpu, "memory": "100Mi"}}})
    }

    #[test]
    fn free_is_what_nodes_can_allocate_less_the_requests_of_pods() {
        let taint = json!({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]});
        let nodes = [
            node("w", "1930m", &json!({})),
            node("m", "4", &json!({"taints": [{"key": "busy", "effect": "PreferNoSchedule"}]})),
            node("tainted", "8", &taint),
            node("cordoned", "8", &json!({"unschedulable": true})),
        ];
        let running = |cpu: &[&str]| json!({"containers": cpu.iter().map(|cpu| container(cpu)).collect::<Vec<_>>()});
        let pods = [
            pod("w", "Running", running(&["100m", "25m"])),
            pod("w", "Succeeded", running(&["1"])),
            pod("m", "Pending", running(&["500m"])),
            pod("elsewhere", "Running", running(&["1"])),
        ];
        let free = |selector: &BTreeMap<String, String>| -> Vec<_> {
            rooms(&nodes, &pods, selector).iter().map(NodeRoom::free).collect()
        };
        let of_w = Amounts { millicores: 1930 - 125, mib: 2048 - 200, instances: 9 };
        assert_eq!(free(&BTreeMap::new()), [of_w, Amounts { millicores: 3500, mib: 1948, instances: 9 }]);
        assert_eq!(free(&BTreeMap::from([("kind".to_owned(), "worker".to_owned())])), [of_w]);
    }

    #[test]
    fn a_pod_requests_what_the_scheduler_sets_aside() {
        let sidecar = json!({"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "30m"}}});
        let init = json!({"name": "i", "resources": {"requests": {"cpu": "500m", "memory": "10Mi"}}});
        for (spec, millicores, mib) in [
            (json!({"containers": [{"name": "none"}]}), 0, 0),
            (json!({"containers": [container("100m")], "initContainers": [sidecar]}), 130, 100),
            (json!({"containers": [container("100m")], "initContainers": [sidecar, init]}), 530, 100),
            (
                json!({"containers": [container("600m")], "initContainers": [init], "overhead": {"cpu": "50m"}}),
                650,
                100,
            ),
        ] {
            let requested = request(&pod("w", "Running", spec.clone()));
            assert_eq!(requested, Amounts { millicores, mib, instances: 1 }, "{spec}");
        }
    }
}
