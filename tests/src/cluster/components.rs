//! The components that a cluster's functions depend on, as Deployments with pods: `objects/k8s-services.ready.json` has where they are.
//!
//! What their absence does follows from what they do: without a pod of the gateway connections are refused, without one of the
//! activator requests that have to wait are (Envoy's "no healthy upstream"), without the autoscaler scales stay as they are. Not
//! recorded: an eviction that a disruption budget does not allow, which is as Kubernetes' documentation of the eviction API has it.

use std::{sync::Arc, time::Duration};

use hyper::Response;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    Cluster, PODS, Shared,
    api::{Body, deleted, json_response, path_parts},
    jobs, lock, pod,
    rbac::Permissions,
    refusal,
};

/// Deployments with their group.
const DEPLOYMENTS: &str = "deployments.apps";

/// Namespace and name of each Deployment; its pods have the name as label `app`.
const COMPONENTS: [(&str, &str); 4] = [
    ("knative-serving", "activator"),
    ("knative-serving", "autoscaler"),
    ("knative-serving", "controller"),
    ("kourier-system", "3scale-kourier-gateway"),
];

/// From a component's creation until it is ready.
const START: Duration = Duration::from_secs(2);

/// Which components have no ready pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Away {
    pub(super) activator: bool,
    pub(super) autoscaler: bool,
    pub(super) gateway: bool,
}

impl Cluster {
    /// Gives the cluster its components as Deployments, with a pod each, and lets their controllers work.
    pub fn install_components(&self) {
        for (namespace, name) in COMPONENTS {
            let spec = json!({"replicas": 1, "template": {"metadata": {"labels": {"app": name}}}});
            let metadata = json!({"name": name, "namespace": namespace, "labels": {"app": name}});
            self.put(
                DEPLOYMENTS,
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}),
            );
        }
        if let Some(runtime) = &self.runtime {
            runtime.spawn(control(Arc::clone(&self.shared)));
        }
        while (0..COMPONENTS.len()).any(|place| self.shared.ready(place) == 0) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Grants what `config/kubernetes/disturb.yaml` grants, besides the other roles.
    pub fn allow_disturbances(&self) {
        lock(&self.shared.faults).permissions = Permissions::shipped_with_disturbances();
    }

    /// The replicas that a Deployment is to have.
    ///
    /// # Panics
    /// When there is no such Deployment.
    pub fn replicas(&self, namespace: &str, name: &str) -> u64 {
        let deployment = self.get(DEPLOYMENTS, namespace, name).expect("is there");
        deployment["spec"]["replicas"].as_u64().expect("a number")
    }

    /// The names of a component's pods.
    pub fn pods_of(&self, namespace: &str, app: &str) -> Vec<String> {
        let store = lock(&self.shared.store);
        let pods = store.list(PODS, namespace).filter(|pod| pod["metadata"]["labels"]["app"] == app);
        pods.filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect()
    }
}

impl Shared {
    fn ready(&self, component: usize) -> usize {
        let (namespace, name) = COMPONENTS[component];
        let store = lock(&self.store);
        let pods = store.list(PODS, namespace).filter(|pod| pod["metadata"]["labels"]["app"] == name);
        pods.filter(|pod| pod["status"]["phase"] == "Running").count()
    }

    /// Whether the node takes pods.
    fn is_schedulable(&self) -> bool {
        let store = lock(&self.store);
        store.list("nodes", "").any(|node| node["spec"]["unschedulable"] != true)
    }

    /// Waits until the node takes pods.
    pub(super) async fn schedulable(&self) {
        let mut versions = self.version.subscribe();
        while !self.is_schedulable() {
            if versions.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Waits until a component that `which` names has no pod.
pub(super) async fn goes_away(shared: &Shared, which: impl Fn(&Away) -> bool) {
    let mut away = shared.components_away.subscribe();
    if away.wait_for(which).await.is_err() {
        std::future::pending().await
    }
}

/// The controllers of Deployments: as many pods as replicas, of the present template.
async fn control(shared: Arc<Shared>) {
    let mut versions = shared.version.subscribe();
    let mut made = 0_u64;
    loop {
        versions.borrow_and_update();
        for (namespace, name) in COMPONENTS {
            reconcile(&shared, namespace, name, &mut made);
        }
        let gone = |place| shared.ready(place) == 0;
        shared.components_away.send_replace(Away { activator: gone(0), autoscaler: gone(1), gateway: gone(3) });
        if versions.changed().await.is_err() {
            return;
        }
    }
}

fn reconcile(shared: &Arc<Shared>, namespace: &str, name: &str, made: &mut u64) {
    let Some(deployment) = lock(&shared.store).get(DEPLOYMENTS, namespace, name).cloned() else { return };
    let template = deployment["spec"]["template"].to_string();
    let wanted = deployment["spec"]["replicas"].as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or_default();
    let pods: Vec<(String, bool)> = {
        let store = lock(&shared.store);
        let pods = store.list(PODS, namespace).filter(|pod| pod["metadata"]["labels"]["app"] == name);
        let pods = pods.map(|pod| {
            let metadata = &pod["metadata"];
            (
                metadata["name"].as_str().unwrap_or_default().to_owned(),
                metadata["annotations"]["template"] == template.as_str(),
            )
        });
        pods.collect()
    };
    let (present, outdated): (Vec<_>, Vec<_>) = pods.into_iter().partition(|(_, is_present)| *is_present);
    let surplus = present.iter().skip(wanted).chain(&outdated);
    for (pod, _) in surplus {
        shared.remove(PODS, namespace, pod);
    }
    for _ in present.len()..wanted {
        *made += 1;
        let pod_name = format!("{name}-5d8bcfc6b4-{made:05}");
        let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-5d8bcfc6b4"), "uid": "u",
                            "controller": true}]);
        let metadata = json!({"name": pod_name, "namespace": namespace, "labels": {"app": name},
                              "annotations": {"template": template}, "ownerReferences": owner});
        let containers = json!([{"name": name, "image": "dev.local/component:v1"}]);
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers},
                            "status": {"phase": "Pending"}});
        shared.put(PODS, object);
        let (shared, namespace) = (Arc::clone(shared), namespace.to_owned());
        tokio::spawn(async move {
            shared.schedulable().await;
            shared.edit(PODS, &namespace, &pod_name, |pod| pod["spec"]["nodeName"] = json!(pod::NODE));
            shared.pause(START).await;
            shared.edit(PODS, &namespace, &pod_name, |pod| pod["status"]["phase"] = json!("Running"));
        });
    }
}

/// Deletes a pod: one of a function ends as kubelet has it end, one of a component at once. Whether there was one.
pub(super) fn delete_pod(shared: &Shared, namespace: &str, name: &str) -> Option<Value> {
    let object = lock(&shared.store).get(PODS, namespace, name).cloned()?;
    if jobs::delete_pod(shared, namespace, name) {
        return Some(object);
    }
    let stop: Option<watch::Sender<bool>> =
        lock(&shared.pods).values().flatten().find(|(pod, _)| pod == name).map(|(_, stop)| stop.clone());
    match stop {
        Some(stop) => drop(stop.send_replace(true)),
        None => drop(shared.remove(PODS, namespace, name)),
    }
    Some(object)
}

/// What is answered to requests about scales of Deployments and evictions; nothing to any other.
pub(super) fn answer(shared: &Shared, verb: &str, path: [&str; 4], body: &Value) -> Option<Response<Body>> {
    let [resource, namespace, name, subresource] = path;
    match (verb, resource, subresource) {
        ("get", DEPLOYMENTS, "scale") => Some(scale(shared, namespace, name)),
        ("patch", DEPLOYMENTS, "scale") => {
            let replicas = body["spec"]["replicas"].clone();
            shared.edit(DEPLOYMENTS, namespace, name, |deployment| deployment["spec"]["replicas"] = replicas);
            Some(scale(shared, namespace, name))
        }
        ("create", PODS, "eviction") => Some(evict(shared, namespace, name)),
        _ => None,
    }
}

/// A Scale, as of `autoscaling/v1`: replicas of zero are left out.
fn scale(shared: &Shared, namespace: &str, name: &str) -> Response<Body> {
    let deployment = lock(&shared.store).get(DEPLOYMENTS, namespace, name).cloned();
    let Some(deployment) = deployment else {
        let (code, body) = refusal::not_found(DEPLOYMENTS, name);
        return json_response(code, &body);
    };
    let replicas = &deployment["spec"]["replicas"];
    let spec = if *replicas == 0 { json!({}) } else { json!({ "replicas": replicas }) };
    let metadata = json!({"name": name, "namespace": namespace});
    let status = json!({"replicas": replicas});
    let body =
        json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata, "spec": spec, "status": status});
    json_response(200, &body)
}

/// The activator has a disruption budget (`activator-pdb`: 80 %), so that its only pod is never evicted.
fn evict(shared: &Shared, namespace: &str, name: &str) -> Response<Body> {
    if namespace == "knative-serving" && name.starts_with("activator-") {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                          "reason": "TooManyRequests", "code": 429});
        return json_response(429, &body);
    }
    match delete_pod(shared, namespace, name) {
        Some(removed) => deleted(&path_parts(PODS, namespace, name), &removed),
        None => {
            let (code, body) = refusal::not_found(PODS, name);
            json_response(code, &body)
        }
    }
}
