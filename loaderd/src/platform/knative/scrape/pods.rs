//! The cluster's pods as far as nodes and the run are concerned, from a watch. Pure.

use std::collections::HashMap;

use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::api::resource::Quantity};
use kube::runtime::watcher::Event;

use super::super::{names, quantity::amount};
use crate::scrape::Commitments;

const MIB: f64 = 1_048_576.0;

/// The fields of a pod that are needed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Empty before it is scheduled.
    pub(super) node: String,
    /// The Service that it belongs to; empty when there is none.
    pub(super) service: String,
    pub(super) phase: String,
    commitments: Commitments,
}

/// The pods of all namespaces.
#[derive(Debug, Default)]
pub(super) struct Pods {
    by_uid: HashMap<String, Known>,
    /// The list in progress.
    listed: Option<HashMap<String, Known>>,
    complete: bool,
}

impl Pods {
    pub(super) fn take(&mut self, event: Event<Pod>) {
        match event {
            Event::Init => self.listed = Some(HashMap::new()),
            Event::InitApply(pod) => {
                let uid = pod.metadata.uid.clone().unwrap_or_default();
                self.listed.get_or_insert_default().insert(uid, known(&pod));
            }
            Event::InitDone => {
                self.by_uid = self.listed.take().unwrap_or_default();
                self.complete = true;
            }
            Event::Apply(pod) => {
                self.by_uid.insert(pod.metadata.uid.clone().unwrap_or_default(), known(&pod));
            }
            Event::Delete(pod) => {
                self.by_uid.remove(&pod.metadata.uid.unwrap_or_default());
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.by_uid.values()
    }

    /// The resource requests and limits of a node's pods; absent before all pods were listed once. Ended pods have none.
    pub(super) fn commitments(&self, node: &str) -> Option<Commitments> {
        let here = self.iter().filter(|pod| pod.node == node && !matches!(pod.phase.as_str(), "Succeeded" | "Failed"));
        let sum = here.fold(Commitments::default(), |sum, pod| Commitments {
            pods: sum.pods + 1,
            cpu_requests_millicores: sum.cpu_requests_millicores + pod.commitments.cpu_requests_millicores,
            cpu_limits_millicores: sum.cpu_limits_millicores + pod.commitments.cpu_limits_millicores,
            memory_requests_mib: sum.memory_requests_mib + pod.commitments.memory_requests_mib,
            memory_limits_mib: sum.memory_limits_mib + pod.commitments.memory_limits_mib,
        });
        self.complete.then_some(sum)
    }
}

fn known(pod: &Pod) -> Known {
    let labels = pod.metadata.labels.as_ref();
    let phase = pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
    let mut commitments = Commitments { pods: 1, ..Commitments::default() };
    for container in pod.spec.iter().flat_map(|spec| &spec.containers) {
        let Some(resources) = &container.resources else { continue };
        let of = |list: Option<&std::collections::BTreeMap<String, Quantity>>, name: &str| {
            list.and_then(|list| amount(&list.get(name)?.0)).unwrap_or(0.0)
        };
        let (requests, limits) = (resources.requests.as_ref(), resources.limits.as_ref());
        commitments.cpu_requests_millicores += of(requests, "cpu") * 1000.0;
        commitments.cpu_limits_millicores += of(limits, "cpu") * 1000.0;
        commitments.memory_requests_mib += of(requests, "memory") / MIB;
        commitments.memory_limits_mib += of(limits, "memory") / MIB;
    }
    let is_leaving = pod.metadata.deletion_timestamp.is_some() && phase == "Running";
    Known {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        name: pod.metadata.name.clone().unwrap_or_default(),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
        service: labels.and_then(|labels| labels.get(names::SERVICE).cloned()).unwrap_or_default(),
        phase: if is_leaving { "Terminating".to_owned() } else { phase },
        commitments,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(uid: &str, node: &str, phase: &str) -> Pod {
        // The containers of pod.ready.json.
        serde_json::from_value(json!({
            "metadata": {"name": uid, "namespace": "default", "uid": uid, "labels": {"serving.knative.dev/service": "hello-grpc"}},
            "spec": {"nodeName": node, "containers": [
                {"name": "user-container", "resources": {"limits": {"cpu": "500m", "memory": "128Mi"}, "requests": {"cpu": "20m", "memory": "32Mi"}}},
                {"name": "queue-proxy", "resources": {"requests": {"cpu": "25m"}}}]},
            "status": {"phase": phase},
        }))
        .unwrap()
    }

    #[test]
    fn requests_and_limits_are_summed_by_node() {
        let mut pods = Pods::default();
        pods.take(Event::Apply(pod("early", "n1", "Running")));
        assert_eq!(pods.commitments("n1"), None, "before all were listed");
        pods.take(Event::Init);
        for (uid, node, phase) in
            [("a", "n1", "Running"), ("b", "n1", "Pending"), ("c", "n1", "Succeeded"), ("d", "n2", "Running")]
        {
            pods.take(Event::InitApply(pod(uid, node, phase)));
        }
        pods.take(Event::InitDone);
        let expected = Commitments {
            pods: 2,
            cpu_requests_millicores: 90.0,
            cpu_limits_millicores: 1000.0,
            memory_requests_mib: 64.0,
            memory_limits_mib: 256.0,
        };
        assert_eq!(pods.commitments("n1"), Some(expected));
        pods.take(Event::Delete(pod("a", "n1", "Running")));
        assert_eq!(pods.commitments("n1").unwrap().pods, 1);
        assert_eq!(pods.commitments("n3"), Some(Commitments::default()));
    }
}
