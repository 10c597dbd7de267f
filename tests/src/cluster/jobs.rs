//! Indexed Jobs: their controller, and pods whose containers are programs of this machine, or nothing that runs at all.
//!
//! Not recorded. Objects, labels, annotations and conditions are as the types of Kubernetes 1.36 (`batch/v1`, `core/v1`) and the
//! documentation of Jobs have them: a pod for each index at once, its index in a label, an annotation and the environment; with
//! `backoffLimitPerIndex: 0` a failed index is not tried again, and the others go on. A Job that is deleted in the foreground is
//! there until its pods are gone; what it owns besides goes with it. One that is deleted without a word about them leaves its pods, as
//! `batch/v1` does. A pod that is not admitted leaves an event. Jobs of other kinds are refused.

mod pod;
mod validation;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tokio::sync::watch;

use self::pod::Life;
use super::{
    Cluster, Failure, NAMESPACE, PODS, Shared,
    garbage::Cascade,
    lock,
    rbac::Permissions,
    refusal::{self, Refusal},
    stamp, store,
};

pub(super) const JOBS: &str = "jobs.batch";
pub(super) const SECRETS: &str = "secrets";
pub(super) const EVENTS: &str = "events";

const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// How the container of a Job's pod ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerEnd {
    /// The kernel killed it, for its limit of memory.
    OutOfMemory,
    /// The kubelet evicted the pod, as its node had too little memory.
    Evicted,
    /// By itself, with this code and this message.
    Exit(i32, String),
    /// Its node is no more, and the pod was removed with it.
    NodeLost,
    /// The pod was deleted.
    Deleted,
}

impl Cluster {
    /// Grants what `config/kubernetes/workers.yaml` grants, besides the other roles.
    pub fn allow_workers(&self) {
        lock(&self.shared.faults).permissions = Permissions::shipped_with_workers();
    }

    /// Lets pods of Jobs run their image's program: `loaderd`. Without it their containers run nothing, until a test ends them.
    pub fn run_programs_of_jobs(&self) {
        lock(&self.shared.jobs).programs = true;
    }

    /// Gives pods of Jobs another content of a file of their Secrets than was meant for them.
    pub fn falsify_secrets(&self, file: &str, content: &str) {
        lock(&self.shared.jobs).false_files.insert(file.to_owned(), content.to_owned());
    }

    /// Ends the container of the running pod with this index. Whether there is one.
    pub fn end_job_pod(&self, index: u32, end: ContainerEnd) -> bool {
        let jobs = lock(&self.shared.jobs);
        let found = jobs.pods.iter().find(|pod| pod.index == index && pod.end.borrow().is_none());
        found.is_some_and(|pod| pod.end.send(Some(end)).is_ok())
    }

    /// The process of the running pod with this index.
    pub fn job_process(&self, index: u32) -> Option<u32> {
        let jobs = lock(&self.shared.jobs);
        jobs.pods.iter().find(|pod| pod.index == index).and_then(|pod| *pod.process.borrow())
    }

    /// Whether anything of a Job is there: Jobs, their pods, and Secrets.
    pub fn has_anything_of_jobs(&self) -> bool {
        let store = lock(&self.shared.store);
        let pods = store.list(PODS, NAMESPACE).filter(|pod| store::selects(JOB_NAME, pod)).count();
        pods + store.list(JOBS, NAMESPACE).count() + store.list(SECRETS, NAMESPACE).count() > 0
    }
}

/// What runs of Jobs.
#[derive(Debug, Default)]
pub(super) struct Running {
    programs: bool,
    /// By name: the content of files in Secrets, whatever was created.
    false_files: BTreeMap<String, String>,
    pods: Vec<Handle>,
    made: u64,
}

/// A pod that runs.
#[derive(Debug)]
struct Handle {
    namespace: String,
    name: String,
    index: u32,
    end: watch::Sender<Option<ContainerEnd>>,
    process: watch::Sender<Option<u32>>,
}

/// Takes a new Job or Secret.
pub(super) fn create(shared: &Arc<Shared>, resource: &str, namespace: &str, object: Value) -> Result<Value, Refusal> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if lock(&shared.store).get(resource, namespace, &name).is_some() {
        return Err(refusal::already_exists(resource, &name));
    }
    if resource == SECRETS {
        let mut object = object;
        for (file, content) in &lock(&shared.jobs).false_files {
            object["stringData"][file] = json!(content);
        }
        // The server would keep it encoded; nobody here may read it.
        return Ok(shared.put(resource, object));
    }
    let faults = validation::faults(&object);
    if !faults.is_empty() {
        return Err(refusal::invalid(&name, &format!("[{}]", faults.join(", "))));
    }
    let spec = &object["spec"];
    if spec["completionMode"] != "Indexed"
        || spec["completions"] != spec["parallelism"]
        || spec["backoffLimitPerIndex"] != 0
        || spec["template"]["spec"]["restartPolicy"] != "Never"
        || spec["podReplacementPolicy"] != "Failed"
    {
        return Err(refusal::invalid(&name, "this cluster knows Indexed Jobs alone, whose pods all start once"));
    }
    let stored = shared.put(resource, object);
    let count = stored["spec"]["completions"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or_default();
    for index in 0..count {
        match unadmitted(shared, &stored) {
            Some(reason) => fail_to_create(shared, namespace, &stored, (index, &reason)),
            None => start(shared, namespace, &stored, index),
        }
    }
    Ok(stored)
}

/// Why a Job's pod is not admitted.
fn unadmitted(shared: &Shared, job: &Value) -> Option<String> {
    let insecure = validation::insecurities(&job["spec"]["template"]["spec"]);
    if !insecure.is_empty() {
        return Some(format!("violates PodSecurity \"restricted:latest\": {}", insecure.join(", ")));
    }
    let name = job["metadata"]["name"].as_str().unwrap_or_default();
    let is_over = shared.failure_of(name) == Some(Failure::Quota);
    is_over.then(|| {
        "exceeded quota: compute, requested: limits.cpu=1, used: limits.cpu=2, limited: limits.cpu=2".to_owned()
    })
}

/// The event of a pod that was not admitted: its name was drawn, and it is nowhere. Not recorded: as reports of users show it.
fn fail_to_create(shared: &Shared, namespace: &str, job: &Value, (index, reason): (u32, &str)) {
    let name = job["metadata"]["name"].as_str().unwrap_or_default();
    let now = stamp::now();
    let message = format!("Error creating: pods \"{name}-{index}-x7k2l\" is forbidden: {reason}");
    let of = json!({"kind": "Job", "namespace": namespace, "name": name, "uid": job["metadata"]["uid"],
        "apiVersion": "batch/v1"});
    let event = json!({"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "FailedCreate", "message": message,
        "metadata": {"name": format!("{name}.18ea9aeea871{index:04x}"), "namespace": namespace}, "involvedObject": of,
        "source": {"component": "job-controller"}, "firstTimestamp": now, "lastTimestamp": now, "count": 1,
        "eventTime": null, "reportingComponent": "job-controller", "reportingInstance": ""});
    shared.put(EVENTS, event);
}

/// Starts a Job's pod.
fn start(shared: &Arc<Shared>, namespace: &str, job: &Value, index: u32) {
    let job_name = job["metadata"]["name"].as_str().unwrap_or_default();
    let number = {
        let mut jobs = lock(&shared.jobs);
        jobs.made += 1;
        jobs.made
    };
    let name = format!("{job_name}-{index}-{number:05}");
    let template = &job["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = json!(name);
    metadata["namespace"] = json!(namespace);
    metadata["labels"][INDEX] = json!(index.to_string());
    metadata["labels"][JOB_NAME] = json!(job_name);
    metadata["labels"]["batch.kubernetes.io/controller-uid"] = job["metadata"]["uid"].clone();
    metadata["annotations"][INDEX] = json!(index.to_string());
    metadata["finalizers"] = json!(["batch.kubernetes.io/job-tracking"]);
    metadata["ownerReferences"] = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": job_name,
        "uid": job["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}]);
    let mut spec = template["spec"].clone();
    spec["hostname"] = json!(format!("{job_name}-{index}"));
    if let Some(variables) = spec["containers"][0]["env"].as_array_mut() {
        let path = format!("metadata.labels['{INDEX}']");
        let field = json!({"fieldRef": {"fieldPath": path}});
        variables.push(json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": field}));
    }
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}});
    shared.put(PODS, pod);
    let (end, ends) = watch::channel(None);
    let (process, _) = watch::channel(None);
    let life = Life {
        shared: Arc::clone(shared),
        namespace: namespace.to_owned(),
        job: job_name.to_owned(),
        name: name.clone(),
        index,
        ends,
        process: process.clone(),
    };
    lock(&shared.jobs).pods.push(Handle { namespace: namespace.to_owned(), name, index, end, process });
    tokio::spawn(life.live());
}

/// Deletes a Job, with what it owns.
pub(super) fn delete(shared: &Arc<Shared>, namespace: &str, name: &str, cascade: Cascade) -> Option<Value> {
    let object = match cascade {
        Cascade::Unsaid => return shared.remove(JOBS, namespace, name),
        Cascade::Background => shared.remove(JOBS, namespace, name)?,
        Cascade::Foreground => {
            let there = shared.edit(JOBS, namespace, name, |job| {
                job["metadata"]["deletionTimestamp"] = json!(stamp::now());
                job["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
            });
            lock(&shared.store).get(JOBS, namespace, name).filter(|_| there).cloned()?
        }
    };
    tokio::spawn(collect(Arc::clone(shared), namespace.to_owned(), name.to_owned(), cascade));
    Some(object)
}

/// Deletes what a deleted Job owned: its pods, and then what does not hold it up.
async fn collect(shared: Arc<Shared>, namespace: String, name: String, cascade: Cascade) {
    if cascade == Cascade::Background {
        let collection = *lock(&shared.collection);
        shared.pause(collection).await;
    }
    let mut versions = shared.version.subscribe();
    let selector = format!("{JOB_NAME}={name}");
    let pods = |shared: &Shared| -> Vec<String> {
        let store = lock(&shared.store);
        let pods = store.list(PODS, &namespace).filter(|pod| store::selects(&selector, pod));
        pods.filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect()
    };
    for pod in pods(&shared) {
        delete_pod(&shared, &namespace, &pod);
    }
    while !pods(&shared).is_empty() && versions.changed().await.is_ok() {}
    if cascade == Cascade::Foreground {
        shared.remove(JOBS, &namespace, &name);
    }
    let owned: Vec<String> = {
        let store = lock(&shared.store);
        let of_job = |it: &&Value| it["metadata"]["ownerReferences"][0]["name"] == name.as_str();
        let owned = store.list(SECRETS, &namespace).filter(of_job);
        owned.filter_map(|it| it["metadata"]["name"].as_str().map(str::to_owned)).collect()
    };
    for secret in owned {
        shared.remove(SECRETS, &namespace, &secret);
    }
}

/// Deletes a pod of a Job: it is told to end, or removed if it has ended. Whether it is one.
pub(super) fn delete_pod(shared: &Shared, namespace: &str, name: &str) -> bool {
    let is_told = {
        let jobs = lock(&shared.jobs);
        let found = jobs.pods.iter().find(|pod| pod.namespace == namespace && pod.name == name);
        // Before it is taken off the list, where one that ends looks for it afterwards.
        found.map(|pod| drop(pod.end.send(Some(ContainerEnd::Deleted))))
    };
    match is_told {
        Some(()) => {}
        None => {
            let store = lock(&shared.store);
            let is_ours =
                store.get(PODS, namespace, name).is_some_and(|it| !it["metadata"]["labels"][JOB_NAME].is_null());
            drop(store);
            if !is_ours {
                return false;
            }
            shared.remove(PODS, namespace, name);
        }
    }
    true
}

#[cfg(test)]
mod tests;
