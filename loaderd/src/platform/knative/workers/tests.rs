//! The Job as Kubernetes' types have it, and what is learned from its pods.

mod api;

use k8s_openapi::api::{batch::v1::Job, core::v1::Pod, core::v1::Secret};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    super::preflight::permissions,
    job::{Filling, job, secret},
    known::Known,
    *,
};
use crate::{
    clock::Clock,
    platform::{
        NodeSharing, WorkerPlacement, WorkerResources, WorkerState, knative::Settings, knative::WorkerSettings,
    },
};

fn request(placement: WorkerPlacement) -> StartWorkers {
    StartWorkers {
        run: "20261123t142501123-9f3a".parse().unwrap(),
        count: 3,
        coordinator: "loaderd.example:9490".to_owned(),
        token: "a secret".into(),
        ca_pem: Some("certificate".to_owned()),
        placement,
        resources: WorkerResources { cpu_millicores: 2000, memory_mib: 512 },
    }
}

fn filled(placement: WorkerPlacement, make: impl Fn(&Filling<'_>) -> Value) -> Value {
    make(&Filling { namespace: "loader", image: "registry.example/loaderd:0.1.0", request: &request(placement) })
}

/// An object as the types of Kubernetes have it: without what they do not know.
fn typed<K: Serialize + DeserializeOwned>(object: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<K>(object.clone()).unwrap()).unwrap()
}

#[test]
fn a_job_has_a_pod_for_each_share_and_none_twice() {
    let selector = [("pool".to_owned(), "load".to_owned())].into();
    let made = filled(WorkerPlacement { node_selector: selector, ..WorkerPlacement::default() }, job);
    assert_eq!(typed::<Job>(&made), made);
    assert!(!made.to_string().contains("a secret"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&made).unwrap());
}

#[test]
fn a_secret_goes_with_its_job() {
    let made = filled(WorkerPlacement::default(), |filling| secret(filling, "uid-1"));
    assert_eq!(typed::<Secret>(&made), made);
    assert_eq!(made["stringData"], json!({"token": "a secret", "ca.pem": "certificate"}));
    assert_eq!(made["metadata"]["ownerReferences"][0]["uid"], "uid-1");
    assert_eq!(made["metadata"]["name"], filled(WorkerPlacement::default(), job)["metadata"]["name"]);
}

#[test]
fn workers_are_kept_from_functions_and_from_each_other_as_the_spec_says() {
    let placed = |with_functions, with_workers| {
        let placement = WorkerPlacement { with_functions, with_workers, ..WorkerPlacement::default() };
        let made = filled(placement, job);
        assert_eq!(typed::<Job>(&made), made);
        let spec = &made["spec"]["template"]["spec"];
        let terms = |name: &str| {
            let name = format!("{name}DuringSchedulingIgnoredDuringExecution");
            spec["affinity"]["podAntiAffinity"][name].as_array().map_or(0, Vec::len)
        };
        (terms("preferred"), terms("required"), spec["topologySpreadConstraints"].as_array().map_or(0, Vec::len))
    };
    for (with_functions, with_workers, expected) in [
        (NodeSharing::Avoid, NodeSharing::Avoid, (1, 0, 1)),
        (NodeSharing::Never, NodeSharing::Avoid, (0, 1, 1)),
        (NodeSharing::Allow, NodeSharing::Never, (0, 1, 0)),
        (NodeSharing::Never, NodeSharing::Never, (0, 2, 0)),
        (NodeSharing::Allow, NodeSharing::Allow, (0, 0, 0)),
    ] {
        assert_eq!(placed(with_functions, with_workers), expected, "{with_functions:?} {with_workers:?}");
    }
}

/// Neither more nor less than is needed, beyond the roles of every run.
#[test]
fn the_roles_for_workers_grant_what_they_need() {
    let granted = permissions::granted(include_str!("../../../../../config/kubernetes/workers.yaml"));
    let needed = NEEDS.iter().chain(&USEFUL).map(|need| need.permission("loader")).collect();
    assert_eq!(granted, needed);
}

#[tokio::test]
async fn without_its_settings_a_daemon_says_what_to_configure() {
    let knative = |listen: Option<&str>, image: Option<&str>| {
        let listen = listen.map(|listen| listen.parse().unwrap());
        let workers = WorkerSettings { listen, advertise: None, image: image.map(str::to_owned) };
        Knative::new(Settings { workers, ..Settings::default() }, Clock)
    };
    let none = "runs with workers need workers.listen (where pods reach this daemon) and workers.image (the daemon's own) in the \
                daemon's configuration: docs/knative.md";
    assert_eq!(knative(None, None).refusal().as_deref(), Some(none));
    let (news, _received) = mpsc::channel(1);
    let started = knative(None, None).start(request(WorkerPlacement::default()), news).await;
    assert_eq!(started.unwrap_err().to_string(), format!("platform knative: {none}"));
    assert!(knative(Some("10.0.0.7:9490"), None).refusal().unwrap().contains("need workers.image"));
    let able = knative(Some("10.0.0.7:9490"), Some("registry.example/loaderd:0.1.0"));
    assert_eq!(able.refusal(), None);
    let listen = CoordinatorListen { address: "10.0.0.7:9490".parse().unwrap(), tls: true, advertise: None };
    assert_eq!(able.listen(), listen);
}

fn pod(name: &str, index: u32, status: Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name, "annotations": {"batch.kubernetes.io/job-completion-index": index.to_string()}},
        "spec": {"nodeName": "node-7", "containers": []},
        "status": status,
    }))
    .unwrap()
}

fn container(state: Value) -> Value {
    json!([{"name": "worker", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state}])
}

fn terminated(end: Value) -> Value {
    json!({"phase": "Failed", "containerStatuses": container(json!({"terminated": end}))})
}

fn state_of(status: Value) -> WorkerState {
    Known::new(1).pod(&pod("w-0", 0, status)).unwrap().state
}

/// The statuses are those of real pods: unscheduled, an image that is not there, out of memory, evicted, drained.
#[test]
fn a_pods_status_says_how_its_worker_is() {
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}]});
    let pull = json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"i\""}});
    for (status, reason) in [
        (json!({"phase": "Pending"}), "it waits on node node-7"),
        (unscheduled, "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu."),
        (
            json!({"phase": "Pending", "containerStatuses": container(pull)}),
            "container worker: ImagePullBackOff: Back-off pulling image \"i\"",
        ),
        (
            json!({"phase": "Pending", "containerStatuses": container(json!({"waiting": {"reason": "ContainerCreating"}}))}),
            "ContainerCreating on node node-7",
        ),
    ] {
        assert_eq!(state_of(status), WorkerState::Pending(reason.to_owned()));
    }
    let running = json!({"phase": "Running", "containerStatuses": container(json!({"running": {}}))});
    assert_eq!(state_of(running), WorkerState::Running { node: "node-7".to_owned(), pod: "w-0".to_owned() });
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory. "});
    let mut drained = terminated(json!({"exitCode": 143, "reason": "Error"}));
    drained["conditions"] = json!([{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting"}]);
    for (status, expected) in [
        (
            terminated(json!({"exitCode": 137, "reason": "OOMKilled"})),
            "OOMKilled: it needed more than its limit of memory (workers.memoryMib)",
        ),
        (evicted, "Evicted: The node was low on resource: memory."),
        (drained, "EvictionByEvictionAPI: Eviction API: evicting, exit code 143 (killed by signal 15)"),
        (
            terminated(json!({"exitCode": 1, "reason": "Error", "message": "connecting\nspool: no space left\n"})),
            "exit code 1: spool: no space left",
        ),
        (
            terminated(json!({"exitCode": 128, "reason": "StartError", "message": "exec: no such file"})),
            "StartError: exec: no such file",
        ),
        (
            json!({"phase": "Succeeded", "containerStatuses": container(json!({"terminated": {"exitCode": 0, "reason": "Completed"}}))}),
            "exit code 0",
        ),
        (json!({"phase": "Failed"}), "its pod has ended"),
    ] {
        assert_eq!(state_of(status), WorkerState::Gone { reason: expected.to_owned() });
    }
}

/// A container that the cluster has put beside it says nothing of the worker.
#[test]
fn a_worker_is_its_own_container() {
    let mut status = terminated(json!({"exitCode": 7, "reason": "Error"}));
    status["phase"] = json!("Running");
    let other = json!({"name": "istio-proxy", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
        "state": {"running": {}}});
    let statuses = status["containerStatuses"].as_array_mut().unwrap();
    statuses.insert(0, other);
    assert_eq!(state_of(status), WorkerState::Gone { reason: "exit code 7".to_owned() });
}

#[test]
fn news_are_changes_of_an_indexs_first_pod_and_nothing_comes_after_its_end() {
    let running = || json!({"phase": "Running", "containerStatuses": container(json!({"running": {}}))});
    let mut known = Known::new(2);
    let not_yet = known.listed(&[]);
    assert_eq!(not_yet.len(), 2);
    assert!(known.listed(&[]).is_empty(), "it is known");
    assert!(known.pod(&pod("w-0", 0, running())).is_some());
    assert!(known.pod(&pod("w-0", 0, running())).is_none());
    // Another pod of the same index, one of no index of ours, and one without an index.
    assert!(known.pod(&pod("w-0-again", 0, json!({"phase": "Failed"}))).is_none());
    assert!(known.pod(&pod("w-2", 2, running())).is_none());
    assert!(known.pod(&Pod::default()).is_none());
    let mut leaving = pod("w-0", 0, running());
    leaving.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-11-23T14:25:01Z")).unwrap());
    let ending = |reason: &str| WorkerState::Ending { reason: reason.to_owned() };
    assert_eq!(known.pod(&leaving).unwrap().state, ending("its pod is being deleted"), "it still runs");
    let gone = |reason: &str| WorkerState::Gone { reason: reason.to_owned() };
    assert_eq!(known.deleted(&leaving).unwrap(), WorkerNews { index: 0, state: gone("its pod was deleted") });
    assert!(known.pod(&pod("w-0", 0, running())).is_none());
    // During an interruption of the watch.
    assert!(known.pod(&pod("w-1", 1, running())).is_some());
    assert_eq!(known.listed(&[]), [WorkerNews { index: 1, state: gone("its pod was deleted") }]);
    let mut lost = Known::new(1);
    let mut of_lost_node = pod("w-0", 0, running());
    of_lost_node.status.as_mut().unwrap().conditions = Some(
        serde_json::from_value(json!([{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists"}]))
        .unwrap(),
    );
    let expected = gone("its pod was deleted: DeletionByPodGC: PodGC: node no longer exists");
    let mut told = of_lost_node.clone();
    told.metadata.deletion_timestamp = leaving.metadata.deletion_timestamp;
    assert_eq!(lost.pod(&told).unwrap().state, ending("DeletionByPodGC: PodGC: node no longer exists"));
    assert_eq!(lost.deleted(&of_lost_node).unwrap().state, expected);
}
