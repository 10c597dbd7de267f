//! How many instances each function has, from pods and PodAutoscalers as they are watched. Pure.

use std::collections::{HashMap, HashSet, VecDeque};

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::DynamicObject;

use super::{names, objects::ObjectStatus};
use crate::{
    clock::UnixMicros,
    id::FunctionIndex,
    platform::{InstanceStart, Scale},
    units,
};

/// Why a pod does not become ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PodProblem {
    /// The cluster's reason and message.
    pub(super) message: String,
    /// Whether it does not go away by itself.
    pub(super) permanent: bool,
}

/// The stage of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
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

/// The pods and the desired scale of one function.
#[derive(Debug, Default)]
struct Entry {
    desired: u32,
    /// Rises of `desired`, each with the number of pods that are still to be created for it; the oldest first.
    rises: VecDeque<(UnixMicros, u32)>,
    pods: HashMap<String, Stage>,
    starts: HashMap<String, Start>,
    started: u64,
}

/// The start of a pod, as far as it was seen.
#[derive(Debug)]
struct Start {
    stages: InstanceStart,
    /// Whether the rise that it was created for was seen, before or after it.
    is_explained: bool,
}

impl Start {
    /// The row of a pod that is gone, or will not be watched any longer; absent where it has one since it became ready.
    fn unready(self) -> Option<InstanceStart> {
        self.stages.ready.is_none().then_some(self.stages)
    }
}

/// Maximum time from a pod's creation to the rise that made it: Knative's autoscaler updates `desiredScale` after it has scaled
/// the Deployment; on a cluster it took 35 to 110 ms.
const LATEST_RISE_US: i64 = 1_000_000;

impl Entry {
    fn set_desired(&mut self, desired: u32, now: UnixMicros) {
        if desired < self.desired {
            self.rises.clear();
        }
        let mut rise = desired.saturating_sub(self.desired);
        // Pods that are there already were created for it. They have no instant: it was over when it was seen.
        let is_recent = |it: &&mut Start| !it.is_explained && now.0 - it.stages.created.0 <= LATEST_RISE_US;
        for start in self.starts.values_mut().filter(is_recent).take(usize::try_from(rise).unwrap_or(usize::MAX)) {
            start.is_explained = true;
            rise -= 1;
        }
        if rise > 0 {
            self.rises.push_back((now, rise));
        }
        self.desired = desired;
    }

    /// The rise that a new pod was created for; absent where it was not seen before the pod.
    fn take_rise(&mut self) -> Option<UnixMicros> {
        let (at, left) = self.rises.front_mut()?;
        let at = *at;
        *left -= 1;
        if *left == 0 {
            self.rises.pop_front();
        }
        Some(at)
    }

    /// Follows the stages of a pod. Returns them once it is ready.
    fn follow(&mut self, function: FunctionIndex, pod: &Pod, stage: Stage, now: UnixMicros) -> Option<InstanceStart> {
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        if !self.starts.contains_key(&uid) {
            let desired = self.take_rise();
            let stages = InstanceStart {
                function,
                instance: pod.metadata.name.clone().unwrap_or_default(),
                desired,
                created: now,
                scheduled: None,
                started: None,
                ready: None,
            };
            self.starts.insert(uid.clone(), Start { stages, is_explained: desired.is_some() });
        }
        let begun = &mut self.starts.get_mut(&uid)?.stages;
        let on_node = stage != Stage::Pending;
        begun.scheduled = begun.scheduled.or_else(|| on_node.then_some(now));
        let runs = statuses(pod)
            .any(|it| it.name != "queue-proxy" && it.state.as_ref().is_some_and(|it| it.running.is_some()));
        if runs && begun.started.is_none() {
            begun.started = Some(now);
            self.started += 1;
        }
        let is_new = stage == Stage::Running && begun.ready.is_none();
        is_new.then(|| {
            begun.ready = Some(now);
            begun.clone()
        })
    }
}

/// The instances of a run's functions.
#[derive(Debug)]
pub(super) struct PodIndex {
    functions: HashMap<String, FunctionIndex>,
    entries: Vec<Entry>,
}

/// A change of a function, by an event of a watch.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Change {
    /// The function's scale after the event.
    pub(super) scale: Scale,
    /// An instance that has become ready, or is gone and never was.
    pub(super) start: Option<InstanceStart>,
    /// Why an instance does not become ready.
    pub(super) problem: Option<PodProblem>,
}

impl PodIndex {
    /// An index of the functions whose Services have these names.
    pub(super) fn new(services: &[String]) -> Self {
        let functions = services.iter().zip(0..).map(|(name, index)| (name.clone(), FunctionIndex(index))).collect();
        Self { functions, entries: services.iter().map(|_| Entry::default()).collect() }
    }

    /// The function that an object belongs to, by its labels.
    pub(super) fn function(
        &self,
        labels: Option<&std::collections::BTreeMap<String, String>>,
    ) -> Option<FunctionIndex> {
        self.functions.get(labels?.get(names::SERVICE)?).copied()
    }

    pub(super) fn scale(&self, function: FunctionIndex) -> Scale {
        let Some(entry) = self.entries.get(function.as_usize()) else { return Scale::default() };
        let count = |stage| units::to_u32(entry.pods.values().filter(|it| **it == stage).count());
        Scale {
            desired: entry.desired,
            running: count(Stage::Running),
            unready: count(Stage::Unready),
            pending: count(Stage::Pending),
            terminating: count(Stage::Terminating),
            queue: None,
            started: entry.started,
        }
    }

    /// A PodAutoscaler was added, changed or deleted. A deleted one has a desired scale of 0.
    pub(super) fn autoscaler(
        &mut self,
        object: &DynamicObject,
        gone: bool,
        now: UnixMicros,
    ) -> Option<(FunctionIndex, Change)> {
        let function = self.function(object.metadata.labels.as_ref())?;
        let entry = self.entries.get_mut(function.as_usize())?;
        // -1 before the autoscaler has a figure.
        let desired = ObjectStatus::of(object).desired_scale.filter(|_| !gone);
        let desired = desired.and_then(|desired| u32::try_from(desired).ok()).unwrap_or(0);
        entry.set_desired(desired, now);
        Some((function, Change { scale: self.scale(function), ..Change::default() }))
    }

    /// A pod was added, changed or deleted.
    pub(super) fn pod(&mut self, pod: &Pod, gone: bool, now: UnixMicros) -> Option<(FunctionIndex, Change)> {
        let function = self.function(pod.metadata.labels.as_ref())?;
        let entry = self.entries.get_mut(function.as_usize())?;
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let stage = stage(pod);
        let start = if gone {
            entry.pods.remove(&uid);
            entry.starts.remove(&uid).and_then(Start::unready)
        } else {
            let ready = entry.follow(function, pod, stage, now);
            entry.pods.insert(uid, stage);
            ready
        };
        let problem = if gone { None } else { problem(pod) };
        Some((function, Change { scale: self.scale(function), start, problem }))
    }

    /// After a list: removes pods that it did not contain. Returns each one's function, and its start if it never became ready.
    pub(super) fn keep_pods(&mut self, listed: &HashSet<String>) -> Vec<(FunctionIndex, Option<InstanceStart>)> {
        let mut removed = Vec::new();
        for (entry, index) in self.entries.iter_mut().zip(0..) {
            let gone = entry.pods.extract_if(|uid, _| !listed.contains(uid));
            for (uid, _) in gone {
                removed.push((FunctionIndex(index), entry.starts.remove(&uid).and_then(Start::unready)));
            }
        }
        removed
    }

    /// At the end: the starts of pods that are not ready.
    pub(super) fn into_unready(self) -> impl Iterator<Item = InstanceStart> {
        self.entries.into_iter().flat_map(|entry| entry.starts.into_values()).filter_map(Start::unready)
    }
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().filter_map(|status| status.container_statuses.as_ref()).flatten()
}

fn stage(pod: &Pod) -> Stage {
    let status = pod.status.as_ref();
    let holds = |kind: &str| {
        let conditions = status.and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|all| all.iter().any(|condition| condition.type_ == kind && condition.status == "True"))
    };
    let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or_default();
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

fn problem(pod: &Pod) -> Option<PodProblem> {
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
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let refused = conditions.iter().find(|it| it.type_ == "PodScheduled" && it.status == "False")?;
    let (reason, message) = (refused.reason.as_deref(), refused.message.as_deref());
    // Another pod may end, or a node may be added.
    Some(PodProblem {
        message: format!("{}: {}", reason.unwrap_or_default(), message.unwrap_or_default()),
        permanent: false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn index() -> PodIndex {
        PodIndex::new(&["a".to_owned(), "hello-grpc".to_owned()])
    }

    /// The fields of pod.ready.json that are read.
    fn pod(phase: &str, conditions: &Value, containers: &Value) -> Pod {
        let conditions: Vec<_> = conditions
            .as_object()
            .unwrap()
            .iter()
            .map(|(kind, status)| json!({"type": kind, "status": status, "reason": "Unschedulable", "message": "0/1 nodes are available"}))
            .collect();
        serde_json::from_value(json!({
            "metadata": {"name": "hello-grpc-00001-x", "uid": "u", "labels": {"serving.knative.dev/service": "hello-grpc"}},
            "status": {"phase": phase, "conditions": conditions, "containerStatuses": containers},
        }))
        .unwrap()
    }

    fn container(state: &Value) -> Value {
        json!([{"name": "user-container", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state,
                "lastState": {"terminated": {"exitCode": 3}}}])
    }

    fn counts(scale: Scale) -> [u32; 5] {
        [scale.desired, scale.running, scale.unready, scale.pending, scale.terminating]
    }

    /// The steps of coldstart-breakdown.txt.
    #[test]
    fn a_cold_start_is_followed_from_desired_scale_to_readiness() {
        let mut index = index();
        let scaler = |desired: i64| {
            serde_json::from_value(json!({
                "metadata": {"name": "hello-grpc-00001", "labels": {"serving.knative.dev/service": "hello-grpc"}},
                "status": {"desiredScale": desired},
            }))
            .unwrap()
        };
        let (function, change) = index.autoscaler(&scaler(-1), false, UnixMicros(1)).unwrap();
        assert_eq!((function, counts(change.scale)), (FunctionIndex(1), [0; 5]));
        index.autoscaler(&scaler(2), false, UnixMicros(47)).unwrap();
        let none = json!([]);
        let running = container(&json!({"running": {"startedAt": "2026-11-23T07:10:39Z"}}));
        for (at, pod, expected, started) in [
            (70, pod("Pending", &json!({}), &none), [2, 0, 0, 1, 0], 0),
            (92, pod("Pending", &json!({"PodScheduled": "True"}), &none), [2, 0, 1, 0, 0], 0),
            (896, pod("Running", &json!({"PodScheduled": "True", "Ready": "False"}), &running), [2, 0, 1, 0, 0], 1),
        ] {
            let (_, change) = index.pod(&pod, false, UnixMicros(at)).unwrap();
            assert_eq!(
                (counts(change.scale), change.scale.started, change.start),
                (expected, started, None),
                "at {at}"
            );
        }
        let ready = pod("Running", &json!({"PodScheduled": "True", "Ready": "True"}), &running);
        let (_, change) = index.pod(&ready, false, UnixMicros(960)).unwrap();
        assert_eq!(counts(change.scale), [2, 1, 0, 0, 0]);
        let start = change.start.unwrap();
        assert_eq!(
            [start.desired, Some(start.created), start.scheduled, start.started, start.ready],
            [47, 70, 92, 896, 960].map(|at| Some(UnixMicros(at)))
        );
        // A second event of it is not a second start.
        assert_eq!(index.pod(&ready, false, UnixMicros(961)).unwrap().1.start, None);
        let mut leaving = ready.clone();
        leaving.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-23T07:11:00Z")).unwrap();
        assert_eq!(counts(index.pod(&leaving, false, UnixMicros(970)).unwrap().1.scale), [2, 0, 0, 0, 1]);
        let (_, change) = index.pod(&leaving, true, UnixMicros(980)).unwrap();
        assert_eq!((counts(change.scale), change.scale.started), ([2, 0, 0, 0, 0], 1));
    }

    #[test]
    fn pods_that_a_list_does_not_contain_are_removed() {
        let mut index = index();
        index.pod(&pod("Pending", &json!({}), &json!([])), false, UnixMicros(1)).unwrap();
        assert_eq!(index.keep_pods(&HashSet::from(["u".to_owned()])), []);
        let removed = index.keep_pods(&HashSet::new());
        let [(FunctionIndex(1), Some(start))] = removed.as_slice() else { panic!("{removed:?}") };
        assert_eq!((start.created, start.ready), (UnixMicros(1), None));
        assert_eq!(counts(index.scale(FunctionIndex(1))), [0; 5]);
    }

    /// `desiredScale` follows the pod on a cluster: the rise before, of another pod, is not this one's.
    #[test]
    fn a_pod_has_the_rise_that_it_was_created_for_or_none() {
        let at = |ms: i64| UnixMicros(ms * 1000);
        let with_uid = |uid: &str, ready: bool| {
            let condition = if ready { "True" } else { "False" };
            let mut pod = pod("Running", &json!({"PodScheduled": "True", "Ready": condition}), &json!([]));
            pod.metadata.uid = Some(uid.to_owned());
            pod
        };
        let mut index = index();
        let desired = |index: &mut PodIndex, uid: &str, ms| {
            index.pod(&with_uid(uid, true), false, at(ms)).unwrap().1.start.unwrap().desired
        };
        // A rise by two that is seen before its pods; the third pod has none.
        index.entries[1].set_desired(2, at(0));
        assert_eq!(desired(&mut index, "a", 10), Some(at(0)));
        assert_eq!(desired(&mut index, "b", 11), Some(at(0)));
        assert_eq!(desired(&mut index, "c", 5_000), None);
        // The rise that is seen after it is its own, and not that of the next pod.
        index.entries[1].set_desired(3, at(5_070));
        assert_eq!(desired(&mut index, "d", 5_100), None);
        // A pod of long ago, such as a replaced one, does not take a rise.
        index.entries[1].set_desired(4, at(60_000));
        assert_eq!(desired(&mut index, "e", 60_010), Some(at(60_000)));
        // What is no longer wanted makes no pod.
        index.entries[1].set_desired(6, at(70_000));
        index.entries[1].set_desired(0, at(71_000));
        assert_eq!(desired(&mut index, "f", 80_000), None);
    }

    #[test]
    fn a_pod_that_never_became_ready_has_a_row() {
        let unready = pod("Pending", &json!({"PodScheduled": "True"}), &json!([]));
        let mut watched = index();
        assert_eq!(watched.pod(&unready, false, UnixMicros(1)).unwrap().1.start, None);
        let start = watched.pod(&unready, true, UnixMicros(9)).unwrap().1.start.unwrap();
        assert_eq!((start.created, start.scheduled, start.ready), (UnixMicros(1), Some(UnixMicros(1)), None));
        assert_eq!(watched.into_unready().count(), 0, "one row for each");
        let mut stopped = index();
        stopped.pod(&unready, false, UnixMicros(1)).unwrap();
        assert_eq!(stopped.into_unready().count(), 1);
    }

    #[test]
    fn objects_of_other_services_are_ignored() {
        let mut foreign = pod("Running", &json!({"Ready": "True"}), &json!([]));
        foreign.metadata.labels = Some([(names::SERVICE.to_owned(), "other".to_owned())].into());
        assert_eq!(index().pod(&foreign, false, UnixMicros(1)), None);
    }

    #[test]
    fn problems_have_the_clusters_reason_and_message() {
        let waiting =
            |reason: &str, message: &str| container(&json!({"waiting": {"reason": reason, "message": message}}));
        for (pod, expected) in [
            (
                pod("Pending", &json!({"PodScheduled": "True"}), &waiting("ErrImagePull", "no such host")),
                Some(("container user-container: ErrImagePull: no such host, exit code 3", false)),
            ),
            (
                pod("Running", &json!({"PodScheduled": "True"}), &waiting("CrashLoopBackOff", "back-off 10s")),
                Some(("container user-container: CrashLoopBackOff: back-off 10s, exit code 3", true)),
            ),
            (
                pod("Pending", &json!({"PodScheduled": "False"}), &json!([])),
                Some(("Unschedulable: 0/1 nodes are available", false)),
            ),
            (pod("Pending", &json!({"PodScheduled": "True"}), &waiting("ContainerCreating", "")), None),
        ] {
            let expected = expected.map(|(message, permanent)| PodProblem { message: message.to_owned(), permanent });
            assert_eq!(index().pod(&pod, false, UnixMicros(1)).unwrap().1.problem, expected);
        }
    }
}
