//! What is known of a run's workers from their pods. Pure.
//!
//! A worker is gone when its container has ended, or its pod is no more. A pod that is being deleted still runs, and hands over what it
//! has; so may one whose node does not report any more. Only the first pod of an index counts: a Job of ours makes no second one.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, Pod};
use kube::ResourceExt as _;

use super::{
    super::pod_stages::{self, PodProblem},
    job::CONTAINER,
};
use crate::platform::{WorkerNews, WorkerState};

/// Where a Job's controller writes the index of a pod.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The workers of a run, by index.
#[derive(Debug)]
pub(super) struct Known {
    workers: Vec<Worker>,
    /// Why pods are not created, as far as that is known.
    obstacle: String,
}

/// The first pod of an index, and its state.
#[derive(Debug, Clone, Default)]
struct Worker {
    pod: Option<String>,
    state: Option<WorkerState>,
}

impl Known {
    /// So many workers, of which nothing is known.
    pub(super) fn new(count: u32) -> Self {
        let workers = vec![Worker::default(); usize::try_from(count).unwrap_or_default()];
        Self { workers, obstacle: String::new() }
    }

    /// A pod is as it is.
    pub(super) fn pod(&mut self, pod: &Pod) -> Option<WorkerNews> {
        self.learn(pod, state(pod))
    }

    /// A pod is no more.
    pub(super) fn deleted(&mut self, pod: &Pod) -> Option<WorkerNews> {
        let state = match state(pod) {
            gone @ WorkerState::Gone { .. } => gone,
            WorkerState::Pending(_) | WorkerState::Running { .. } | WorkerState::Ending { .. } => {
                let why = disruption(pod).map_or(String::new(), |why| format!(": {why}"));
                WorkerState::Gone { reason: format!("its pod was deleted{why}") }
            }
        };
        self.learn(pod, state)
    }

    /// These are all pods that there are.
    pub(super) fn listed(&mut self, pods: &[Pod]) -> Vec<WorkerNews> {
        let mut news: Vec<_> = pods.iter().filter_map(|pod| self.pod(pod)).collect();
        for (index, worker) in (0..).zip(&mut self.workers) {
            let is_there = |name: &String| pods.iter().any(|pod| pod.name_any() == *name);
            let state = match &worker.pod {
                None => uncreated(&self.obstacle),
                Some(name) if is_there(name) => continue,
                Some(_) => WorkerState::Gone { reason: "its pod was deleted".to_owned() },
            };
            news.extend(worker.enter(index, state));
        }
        news
    }

    /// Whether a worker has no pod yet.
    pub(super) fn lacks_pods(&self) -> bool {
        self.workers.iter().any(|worker| worker.pod.is_none())
    }

    /// This is why pods are not created; empty where it is not known.
    pub(super) fn obstructed(&mut self, obstacle: String) -> Vec<WorkerNews> {
        self.obstacle = obstacle;
        let without = (0..).zip(&mut self.workers).filter(|(_, worker)| worker.pod.is_none());
        without.filter_map(|(index, worker)| worker.enter(index, uncreated(&self.obstacle))).collect()
    }

    fn learn(&mut self, pod: &Pod, state: WorkerState) -> Option<WorkerNews> {
        let index: u32 = pod.annotations().get(INDEX)?.parse().ok()?;
        let worker = self.workers.get_mut(usize::try_from(index).ok()?)?;
        let name = pod.name_any();
        if *worker.pod.get_or_insert_with(|| name.clone()) != name {
            return None;
        }
        worker.enter(index, state)
    }
}

impl Worker {
    /// News, where this is a state that it was not in. It comes back from nowhere.
    fn enter(&mut self, index: u32, state: WorkerState) -> Option<WorkerNews> {
        let is_gone = matches!(self.state, Some(WorkerState::Gone { .. }));
        if is_gone || self.state.as_ref() == Some(&state) {
            return None;
        }
        self.state = Some(state.clone());
        Some(WorkerNews { index, state })
    }
}

/// The state of a worker without a pod.
fn uncreated(obstacle: &str) -> WorkerState {
    WorkerState::Pending(format!("the Job has not created its pod yet{obstacle}"))
}

/// The state of a worker whose pod this is.
fn state(pod: &Pod) -> WorkerState {
    let status = pod.status.as_ref();
    let container = status.and_then(|status| {
        // Clusters may have been told to put others beside it.
        let mut statuses = status.container_statuses.as_ref()?.iter();
        statuses.find(|it| it.name == CONTAINER)?.state.as_ref()
    });
    let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or_default();
    let ended = container.and_then(|state| state.terminated.as_ref());
    if ended.is_some() || matches!(phase, "Failed" | "Succeeded") {
        return WorkerState::Gone { reason: end(pod, ended) };
    }
    if pod.metadata.deletion_timestamp.is_some() {
        let reason = disruption(pod).unwrap_or_else(|| "its pod is being deleted".to_owned());
        return WorkerState::Ending { reason };
    }
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    if container.is_some_and(|state| state.running.is_some()) {
        return WorkerState::Running { node, pod: pod.name_any() };
    }
    WorkerState::Pending(waits(pod, &node, container))
}

/// Why a pod has not started.
fn waits(pod: &Pod, node: &str, container: Option<&ContainerState>) -> String {
    if let Some(PodProblem { message, permanent: _ }) = pod_stages::problem(pod) {
        return message;
    }
    let waiting = container.and_then(|state| state.waiting.as_ref()?.reason.as_deref());
    match (waiting, node) {
        (_, "") => "it waits for a node".to_owned(),
        (Some(reason), node) => format!("{reason} on node {node}"),
        (None, node) => format!("it waits on node {node}"),
    }
}

/// How a pod ended: what the cluster says of the pod, and of its container.
fn end(pod: &Pod, container: Option<&ContainerStateTerminated>) -> String {
    let status = pod.status.as_ref();
    let of_pod = status.and_then(|status| {
        let reason = status.reason.as_deref().filter(|reason| !reason.is_empty())?;
        Some(described(reason, status.message.as_deref()))
    });
    let cause = of_pod.or_else(|| disruption(pod));
    let of_container = container.map(container_end);
    let parts: Vec<_> = cause.into_iter().chain(of_container).collect();
    if parts.is_empty() { "its pod has ended".to_owned() } else { parts.join(", ") }
}

/// Who has ended a pod on purpose: eviction, preemption, a drained node, one that is gone.
fn disruption(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|it| it.type_ == "DisruptionTarget" && it.status == "True")?;
    Some(described(found.reason.as_deref().unwrap_or("DisruptionTarget"), found.message.as_deref()))
}

/// How a container ended. Exit codes above 128 are signals.
fn container_end(ended: &ContainerStateTerminated) -> String {
    let code = ended.exit_code;
    let message = ended.message.as_deref().and_then(|message| message.trim().lines().last());
    match ended.reason.as_deref().unwrap_or_default() {
        "OOMKilled" => "OOMKilled: it needed more than its limit of memory (workers.memoryMib)".to_owned(),
        "" | "Error" | "Completed" => {
            let signal = if code > 128 { format!(" (killed by signal {})", code - 128) } else { String::new() };
            described(&format!("exit code {code}{signal}"), message)
        }
        reason => described(reason, message),
    }
}

fn described(reason: &str, message: Option<&str>) -> String {
    match message.map(str::trim).filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    }
}
