//! The stages of a pod: which it is in, which it has passed and when by its own stamps, and why it does not get on. Pure.

use k8s_openapi::{
    api::core::v1::{ContainerState, ContainerStatus, Pod, PodCondition},
    apimachinery::pkg::apis::meta::v1::Time,
};

use crate::clock::UnixMicros;

/// The stage of a pod, in the order in which they follow each other. A running pod may become unready again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// It waits for a node.
    Pending,
    /// On a node, not ready.
    Unready,
    /// It is ready for invocations.
    Running,
    /// It is being deleted.
    Terminating,
    /// It has ended, with or without success.
    Over,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Pending, Self::Unready, Self::Running, Self::Terminating, Self::Over];
}

/// The stages that a pod has entered since it was in `known`, each with the pod's own stamp of it. Those that it has left again are
/// among them where they left a stamp.
pub(super) fn steps(known: Option<Stage>, pod: &Pod) -> Vec<(Stage, Option<UnixMicros>)> {
    let present = stage(pod);
    if known.is_some_and(|known| known > present) {
        return vec![(present, transition(pod, "Ready", "False"))];
    }
    let is_entered = |stage: &Stage| known.is_none_or(|known| known < *stage) && *stage <= present;
    let entered = Stage::ALL.into_iter().filter(is_entered).map(|stage| (stage, entered(stage, pod)));
    entered.filter(|(stage, stamp)| *stage == present || stamp.is_some()).collect()
}

/// When a pod entered a stage, by its own stamps.
fn entered(stage: Stage, pod: &Pod) -> Option<UnixMicros> {
    match stage {
        Stage::Pending => pod.metadata.creation_timestamp.as_ref().map(micros),
        Stage::Unready => transition(pod, "PodScheduled", "True"),
        Stage::Running => transition(pod, "Ready", "True"),
        Stage::Terminating => {
            // The stamp is the end of the grace period.
            let grace_us = pod.metadata.deletion_grace_period_seconds.unwrap_or(0).saturating_mul(1_000_000);
            deleted(pod).map(|UnixMicros(at)| UnixMicros(at.saturating_sub(grace_us)))
        }
        Stage::Over => {
            let ended = |it: &ContainerStatus| it.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref().map(micros);
            statuses(pod).filter_map(ended).max()
        }
    }
}

/// The stamp of a pod's deletion: the end of its grace period, and of the pod once it is gone.
pub(super) fn deleted(pod: &Pod) -> Option<UnixMicros> {
    pod.metadata.deletion_timestamp.as_ref().map(micros)
}

/// Whether a pod's function was started, and when by the pod's own stamps.
pub(super) fn started(pod: &Pod) -> Option<Option<UnixMicros>> {
    let function = statuses(pod).find(|it| it.name != "queue-proxy")?;
    let states = [&function.state, &function.last_state];
    states.into_iter().flatten().find_map(since).map(|stamp| stamp.map(micros))
}

/// Since when a container runs, or ran.
fn since(state: &ContainerState) -> Option<Option<&Time>> {
    let running = state.running.as_ref().map(|it| it.started_at.as_ref());
    running.or_else(|| state.terminated.as_ref().map(|it| it.started_at.as_ref()))
}

pub(super) fn micros(Time(stamp): &Time) -> UnixMicros {
    UnixMicros(stamp.as_microsecond())
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().filter_map(|status| status.container_statuses.as_ref()).flatten()
}

fn condition<'a>(pod: &'a Pod, kind: &str, status: &str) -> Option<&'a PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind && condition.status == status)
}

/// When a condition got the value that it has, if that is `status`.
fn transition(pod: &Pod, kind: &str, status: &str) -> Option<UnixMicros> {
    condition(pod, kind, status)?.last_transition_time.as_ref().map(micros)
}

/// The stage that a pod is in.
pub(super) fn stage(pod: &Pod) -> Stage {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
    let holds = |kind: &str| condition(pod, kind, "True").is_some();
    if phase == "Succeeded" || phase == "Failed" {
        Stage::Over
    } else if pod.metadata.deletion_timestamp.is_some() {
        Stage::Terminating
    } else if phase == "Running" && holds("Ready") {
        Stage::Running
    } else if holds("PodScheduled") {
        Stage::Unready
    } else {
        Stage::Pending
    }
}

/// Why a pod does not become ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PodProblem {
    /// The cluster's reason and message.
    pub(super) message: String,
    /// Whether it does not go away by itself.
    pub(super) permanent: bool,
}

/// Reasons of a waiting container that do not go away by themselves.
const PERMANENT: [&str; 7] = [
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
];

/// Why a pod does not become ready, if the cluster says so.
pub(super) fn problem(pod: &Pod) -> Option<PodProblem> {
    for container in statuses(pod) {
        let Some(waiting) = container.state.as_ref().and_then(|state| state.waiting.as_ref()) else { continue };
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let permanent = PERMANENT.contains(&reason);
        if !permanent && reason != "ErrImagePull" {
            continue;
        }
        let message = waiting.message.as_deref().unwrap_or_default();
        let ended = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
        let ended = ended.map_or(String::new(), |ended| format!(", exit code {}", ended.exit_code));
        return Some(PodProblem {
            message: format!("container {}: {reason}: {message}{ended}", container.name),
            permanent,
        });
    }
    let refused = condition(pod, "PodScheduled", "False")?;
    let (reason, message) = (refused.reason.as_deref(), refused.message.as_deref());
    // Another pod may end, or a node may be added.
    Some(PodProblem {
        message: format!("{}: {}", reason.unwrap_or_default(), message.unwrap_or_default()),
        permanent: false,
    })
}
