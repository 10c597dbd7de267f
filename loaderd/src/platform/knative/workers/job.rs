//! The Job of a run's workers, and the Secret that its pods read. Pure.

use serde_json::{Value, json};

use super::super::names;
use crate::{
    id::RunId,
    platform::{NodeSharing, StartWorkers, WorkerPlacement},
};

/// How long a Job that has ended is kept where nobody deletes it: the daemon died, and was not started again.
const KEPT_SECONDS: u32 = 600;
/// The name of the container.
pub(super) const CONTAINER: &str = "worker";
/// Where a pod finds its Secret.
const SECRET: &str = "/etc/loader/worker";
/// Where a worker keeps what the coordinator has not taken yet.
const SPOOL: &str = "/var/lib/loader/spool";
/// The user of the daemon's image, who is nobody on the node.
const USER: u32 = 65532;
/// Octal 0440: for root, and for the pod's group.
const SECRET_MODE: u32 = 0o440;

/// What a Job is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filling<'a> {
    pub(super) namespace: &'a str,
    pub(super) image: &'a str,
    pub(super) request: &'a StartWorkers,
}

fn labels(run: &RunId) -> Value {
    let ((managed_by, loaderd), (component, worker)) = (names::MANAGED_BY, names::WORKER);
    json!({managed_by: loaderd, names::RUN: run.as_str(), component: worker})
}

/// The Secret of a run, which goes with the Job.
pub(super) fn secret(filling: &Filling<'_>, job_uid: &str) -> Value {
    let Filling { namespace, image: _, request } = filling;
    let name = names::workers(&request.run);
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels(&request.run),
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job_uid}],
        },
        "type": "Opaque",
        "immutable": true,
        "stringData": {"token": *request.token, "ca.pem": request.ca_pem.as_deref().unwrap_or_default()},
    })
}

/// The Job of a run.
pub(super) fn job(filling: &Filling<'_>) -> Value {
    let Filling { namespace, image: _, request } = filling;
    let StartWorkers { run, count, .. } = request;
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": names::workers(run), "namespace": namespace, "labels": labels(run)},
        "spec": {
            // A pod for each share of the plan, all at once. The index is the share.
            "completionMode": "Indexed",
            "completions": count,
            "parallelism": count,
            // What a worker has sent is not sent again: no second pod for an index, whatever ended the first one, and no
            // failure that ends the others. (With a limit for each index, that of the whole Job has no bound, and neither
            // has the number of failed indexes.)
            "backoffLimitPerIndex": 0,
            // Not `Ignore` for disruptions, as is usual: that would start a drained or preempted worker again.
            "podFailurePolicy": {"rules": [
                {"action": "FailIndex", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]},
            // By default a pod is replaced while it still terminates.
            "podReplacementPolicy": "Failed",
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": pod_metadata(run), "spec": pod(filling)},
        },
    })
}

fn pod_metadata(run: &RunId) -> Value {
    let mut labels = labels(run);
    // A proxy in the pod would be part of what is measured, and would keep the pod from ending. Istio has a label for it, Linkerd an
    // annotation.
    labels["sidecar.istio.io/inject"] = json!("false");
    // Nodes are not emptied to save some while a run goes.
    let annotations = json!({
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        "karpenter.sh/do-not-disrupt": "true",
        "linkerd.io/inject": "disabled",
    });
    json!({"labels": labels, "annotations": annotations})
}

fn pod(filling: &Filling<'_>) -> Value {
    let StartWorkers { run, placement, .. } = filling.request;
    let mut spec = json!({
        "restartPolicy": "Never",
        // Its identity has no rights in the cluster, and it has no token to show.
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(filling)],
        "volumes": [
            {"name": "secret", "secret": {"secretName": names::workers(run), "defaultMode": SECRET_MODE}},
            {"name": "spool", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {}},
        ],
    });
    if !placement.node_selector.is_empty() {
        spec["nodeSelector"] = json!(placement.node_selector);
    }
    place(&mut spec, run, placement);
    spec
}

fn container(filling: &Filling<'_>) -> Value {
    let Filling { namespace: _, image, request } = filling;
    let cpu = format!("{}m", request.resources.cpu_millicores);
    let resources = json!({"cpu": cpu, "memory": format!("{}Mi", request.resources.memory_mib)});
    let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    json!({
        "name": CONTAINER,
        "image": image,
        // The Job's controller sets JOB_COMPLETION_INDEX.
        "args": [
            "worker", "--coordinator", request.coordinator, "--run", request.run.as_str(),
            "--token-file", format!("{SECRET}/token"), "--ca-file", format!("{SECRET}/ca.pem"), "--spool-dir", SPOOL,
        ],
        "env": [field("LOADER_NODE", "spec.nodeName"), field("LOADER_POD", "metadata.name")],
        // Requests are limits, so that it has what it was given, and a static CPU manager gives whole processors to it alone.
        "resources": {"requests": resources, "limits": resources},
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        },
        // Where it could not write why it ended, its last lines say it.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "secret", "mountPath": SECRET, "readOnly": true},
            {"name": "spool", "mountPath": SPOOL},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    })
}

/// Keeps the workers of a run from its functions and from each other.
fn place(spec: &mut Value, run: &RunId, placement: &WorkerPlacement) {
    const NODE: &str = "kubernetes.io/hostname";
    let WorkerPlacement { node_selector: _, with_functions, with_workers } = placement;
    let (component, worker) = names::WORKER;
    let functions = json!({
        "matchLabels": {names::RUN: run.as_str()},
        "matchExpressions": [{"key": names::SERVICE, "operator": "Exists"}],
    });
    let workers = json!({"matchLabels": {names::RUN: run.as_str(), component: worker}});
    let (mut preferred, mut required) = (Vec::new(), Vec::new());
    match with_functions {
        NodeSharing::Avoid => preferred.push(json!({
            "weight": 100, "podAffinityTerm": {"labelSelector": functions, "topologyKey": NODE},
        })),
        // It holds for functions that start later, too: the scheduler honours it from both sides.
        NodeSharing::Never => required.push(json!({"labelSelector": functions, "topologyKey": NODE})),
        NodeSharing::Allow => {}
    }
    match with_workers {
        // Evenly, rather than once for each node: there may be fewer nodes than workers.
        NodeSharing::Avoid => {
            spec["topologySpreadConstraints"] = json!([{
                "maxSkew": 1, "topologyKey": NODE, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": workers,
            }]);
        }
        NodeSharing::Never => required.push(json!({"labelSelector": workers, "topologyKey": NODE})),
        NodeSharing::Allow => {}
    }
    let terms = [
        ("preferredDuringSchedulingIgnoredDuringExecution", preferred),
        ("requiredDuringSchedulingIgnoredDuringExecution", required),
    ];
    for (name, terms) in terms {
        if !terms.is_empty() {
            spec["affinity"]["podAntiAffinity"][name] = Value::Array(terms);
        }
    }
}
