//! One sample of all nodes and of the run's pods.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::Node;
use kube::{Api, api::ListParams};
use tokio_util::sync::CancellationToken;

use super::{
    super::{cluster::Cluster, quantity::amount},
    figures::InUse,
    kubelets::Kubelet,
    pods::Pods,
    usage::Usage,
};
use crate::scrape::{NodeSample, PodSample, Role, Sample, SourceError};

const MIB: f64 = 1_048_576.0;

pub(super) struct Nodes<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    functions: &'a HashMap<String, String>,
    usage: Usage,
}

impl<'a> Nodes<'a> {
    pub(super) fn new(
        cluster: &'a Cluster,
        namespace: &'a str,
        functions: &'a HashMap<String, String>,
        usage: Usage,
    ) -> Self {
        Self { cluster, namespace, functions, usage }
    }

    /// A sample. Figures of usage that are unavailable are absent.
    ///
    /// # Errors
    /// Nodes that can't be listed.
    pub(super) async fn sample(&mut self, pods: &Pods) -> Result<Sample, SourceError> {
        let nodes = list(self.cluster).await.map_err(SourceError::Failed)?;
        let kubelets: Vec<_> = nodes.iter().filter_map(Kubelet::of).collect();
        let answer = self.usage.ask(self.cluster, self.namespace, &kubelets).await;
        let in_use = answer.map_err(SourceError::Failed)?.used;
        let nodes = nodes.iter().map(|node| of_node(node, &in_use, pods)).collect();
        let ours = pods.iter().filter(|pod| pod.namespace == self.namespace);
        let ours = ours.filter_map(|pod| {
            let used = in_use.pods.get(&(pod.namespace.clone(), pod.name.clone())).copied().unwrap_or_default();
            Some(PodSample {
                pod: pod.name.clone(),
                function: self.functions.get(&pod.service)?.clone(),
                node: pod.node.clone(),
                phase: pod.phase.clone(),
                cpu_millicores: used.cpu_millicores,
                memory_mib: used.memory_mib,
            })
        });
        let mut ours: Vec<_> = ours.collect();
        ours.sort_by(|a, b| a.pod.cmp(&b.pod));
        Ok(Sample::Nodes { nodes, pods: ours })
    }
}

pub(super) async fn list(cluster: &Cluster) -> Result<Vec<Node>, String> {
    let never = CancellationToken::new();
    let nodes = cluster.ask(cluster.now(), &never, |client| async move {
        Api::<Node>::all(client).list(&ListParams::default()).await
    });
    nodes.await.map(|list| list.items).map_err(|error| error.to_string())
}

fn of_node(node: &Node, in_use: &InUse, pods: &Pods) -> NodeSample {
    let name = node.metadata.name.clone().unwrap_or_default();
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    let allocatable = |what: &str| allocatable.and_then(|all| amount(&all.get(what)?.0));
    let used = in_use.nodes.get(&name).copied().unwrap_or_default();
    let labels = node.metadata.labels.as_ref();
    let rules = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
    let is_master = labels.is_some_and(|labels| rules.iter().any(|label| labels.contains_key(*label)));
    NodeSample {
        role: if is_master { Role::ControlPlane } else { Role::Worker },
        cpu_millicores: used.cpu_millicores,
        cpu_allocatable_millicores: allocatable("cpu").map(|cores| cores * 1000.0),
        memory_mib: used.memory_mib,
        memory_allocatable_mib: allocatable("memory").map(|bytes| bytes / MIB),
        pods: pods.commitments(&name),
        node: name,
    }
}
