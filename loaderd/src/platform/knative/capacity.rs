//! The room of a cluster's nodes for functions: what each can allocate, less what its pods request, as the scheduler counts it.
//! Pure. `scripts/cluster/capacity` counts the same.

use std::{collections::BTreeMap, ops::Add};

use k8s_openapi::{
    api::core::v1::{Container, Node, Pod},
    apimachinery::pkg::api::resource::Quantity,
};

use super::quantity::{amount, millicores};

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// Pods that a kubelet allows unless it is configured otherwise.
const PODS: u64 = 110;

/// What a node has, or pods request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Amounts {
    /// CPU, in thousandths of a processor.
    pub(super) millicores: u64,
    /// Memory, in whole MiB.
    pub(super) mib: u64,
    /// Pods.
    pub(super) pods: u64,
}

impl Add for Amounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, |one, other| one.saturating_add(other))
    }
}

impl Amounts {
    fn with(self, other: Self, each: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            millicores: each(self.millicores, other.millicores),
            mib: each(self.mib, other.mib),
            pods: each(self.pods, other.pods),
        }
    }

    /// What is left of it.
    pub(super) fn less(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    /// How often a size fits into it.
    pub(super) fn fits(self, size: Self) -> u64 {
        let times = |all: u64, one: u64| all.checked_div(one).unwrap_or(u64::MAX);
        times(self.millicores, size.millicores).min(times(self.mib, size.mib)).min(times(self.pods, size.pods))
    }

    fn read(resources: Option<&BTreeMap<String, Quantity>>) -> Self {
        let of = |name: &str| resources.and_then(|resources| resources.get(name)).map(|quantity| quantity.0.as_str());
        Self {
            millicores: of("cpu").and_then(millicores).unwrap_or(0),
            mib: of("memory").and_then(amount).map_or(0, |bytes| crate::units::rounded((bytes / MIB).floor())),
            pods: of("pods").and_then(amount).map_or(0, crate::units::rounded),
        }
    }
}

/// The room of a node on which functions can be scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeRoom {
    /// What the node can allocate.
    pub(super) allocatable: Amounts,
    /// What its pods request, and their number.
    pub(super) requested: Amounts,
}

impl NodeRoom {
    /// The room of each node that takes functions: those with the labels of `selector` that are not cordoned, nor tainted.
    pub(super) fn of(nodes: &[Node], pods: &[Pod], selector: &BTreeMap<String, String>) -> Vec<Self> {
        let usable = nodes.iter().filter(|node| takes_functions(node, selector));
        usable.map(|node| Self { allocatable: allocatable(node), requested: requested(node, pods) }).collect()
    }

    /// What is free.
    pub(super) fn free(&self) -> Amounts {
        self.allocatable.less(self.requested)
    }
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
    let amounts = Amounts::read(allocatable);
    if amounts.pods == 0 { Amounts { pods: PODS, ..amounts } } else { amounts }
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

/// What the scheduler sets aside for a pod: the sum of its containers and sidecars, or its largest init container with the sidecars
/// before it where that is more, and its overhead.
fn request(pod: &Pod) -> Amounts {
    let one = Amounts { pods: 1, ..Amounts::default() };
    let Some(spec) = &pod.spec else { return one };
    let of = |container: &Container| {
        Amounts::read(container.resources.as_ref().and_then(|resources| resources.requests.as_ref()))
    };
    let (mut sidecars, mut most) = (Amounts::default(), Amounts::default());
    for container in spec.init_containers.iter().flatten() {
        let needed = of(container) + sidecars;
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = needed;
        }
        most = most.with(needed, u64::max);
    }
    let running = spec.containers.iter().map(of).fold(sidecars, Amounts::add);
    running.with(most, u64::max) + Amounts::read(spec.overhead.as_ref()) + one
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
            NodeRoom::of(&nodes, &pods, selector).iter().map(NodeRoom::free).collect()
        };
        let of_w = Amounts { millicores: 1930 - 125, mib: 2048 - 200, pods: 9 };
        assert_eq!(free(&BTreeMap::new()), [of_w, Amounts { millicores: 3500, mib: 1948, pods: 9 }]);
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
            assert_eq!(requested, Amounts { millicores, mib, pods: 1 }, "{spec}");
        }
    }

    #[test]
    fn a_size_fits_as_often_as_the_scarcest_of_it() {
        let free = Amounts { millicores: 1000, mib: 1000, pods: 7 };
        for (millicores, mib, times) in [(125, 100, 7), (200, 100, 5), (125, 500, 2), (2000, 1, 0), (0, 0, 7)] {
            assert_eq!(free.fits(Amounts { millicores, mib, pods: 1 }), times, "{millicores} {mib}");
        }
    }
}
