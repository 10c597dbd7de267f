//! How many instances each function has, from pods and PodAutoscalers as they are watched. Pure.

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::DynamicObject;

use super::{names, objects::ObjectStatus};
use crate::{
    clock::UnixMicros,
    id::FunctionIndex,
    platform::{InstanceStart, Scale},
    units,
};

/// What keeps a pod from coming up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// In words.
    pub(super) words: String,
    /// Whether it will not pass by itself.
    pub(super) lasting: bool,
}

/// Where a pod stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It waits for a node.
    Pending,
    /// On a node, not ready.
    Unready,
    /// It takes invocations.
    Running,
    /// It is being taken away.
    Terminating,
    /// It has ended.
    Over,
}

/// One function.
#[derive(Debug, Default)]
struct Entry {
    desired: u32,
    /// When the autoscaler last wanted more.
    wanted: Option<UnixMicros>,
    pods: HashMap<String, Stage>,
    starts: HashMap<String, InstanceStart>,
    started: u64,
}

/// The instances of a run's functions.
#[derive(Debug)]
pub(super) struct PodIndex {
    functions: HashMap<String, FunctionIndex>,
    entries: Vec<Entry>,
}

/// What a watch told of a function.
#[derive(Debug, Default, PartialEq)]
pub(super) struct News {
    /// Its scale now.
    pub(super) scale: Scale,
    /// An instance that has come up.
    pub(super) start: Option<InstanceStart>,
    /// What keeps an instance from coming up.
    pub(super) trouble: Option<Trouble>,
}

impl PodIndex {
    /// Of functions whose Services have these names.
    pub(super) fn new(services: &[String]) -> Self {
        let functions = services.iter().zip(0..).map(|(name, index)| (name.clone(), FunctionIndex(index))).collect();
        Self { functions, entries: services.iter().map(|_| Entry::default()).collect() }
    }

    /// The function that a thing belongs to, by its labels.
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

    /// A PodAutoscaler was seen. One that is gone wants nothing.
    pub(super) fn autoscaler(
        &mut self,
        object: &DynamicObject,
        gone: bool,
        now: UnixMicros,
    ) -> Option<(FunctionIndex, News)> {
        let function = self.function(object.metadata.labels.as_ref())?;
        let entry = self.entries.get_mut(function.as_usize())?;
        // -1 before the autoscaler has a figure.
        let desired = ObjectStatus::of(object).desired_scale.filter(|_| !gone);
        let desired = desired.and_then(|desired| u32::try_from(desired).ok()).unwrap_or(0);
        if desired > entry.desired {
            entry.wanted = Some(now);
        }
        entry.desired = desired;
        Some((function, News { scale: self.scale(function), ..News::default() }))
    }

    /// A pod was seen, or is gone.
    pub(super) fn pod(&mut self, pod: &Pod, gone: bool, now: UnixMicros) -> Option<(FunctionIndex, News)> {
        let function = self.function(pod.metadata.labels.as_ref())?;
        let entry = self.entries.get_mut(function.as_usize())?;
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let stage = stage(pod);
        let mut start = None;
        if gone {
            entry.pods.remove(&uid);
            entry.starts.remove(&uid);
        } else {
            let begun = entry.starts.entry(uid.clone()).or_insert_with(|| InstanceStart {
                function,
                instance: pod.metadata.name.clone().unwrap_or_default(),
                desired: entry.wanted,
                created: now,
                scheduled: None,
                started: None,
                ready: None,
            });
            let on_node = !matches!(stage, Stage::Pending);
            begun.scheduled = begun.scheduled.or_else(|| on_node.then_some(now));
            let runs = statuses(pod)
                .any(|it| it.name != "queue-proxy" && it.state.as_ref().is_some_and(|it| it.running.is_some()));
            if runs && begun.started.is_none() {
                begun.started = Some(now);
                entry.started += 1;
            }
            if stage == Stage::Running && begun.ready.is_none() {
                begun.ready = Some(now);
                start = Some(begun.clone());
            }
            entry.pods.insert(uid, stage);
        }
        let trouble = if gone { None } else { trouble(pod) };
        Some((function, News { scale: self.scale(function), start, trouble }))
    }

    /// After a list: pods that it did not have are gone. The functions whose scale that changes.
    pub(super) fn keep_pods(&mut self, listed: &HashSet<String>) -> Vec<FunctionIndex> {
        let mut changed = Vec::new();
        for (entry, index) in self.entries.iter_mut().zip(0..) {
            let before = entry.pods.len();
            entry.pods.retain(|uid, _| listed.contains(uid));
            entry.starts.retain(|uid, _| listed.contains(uid));
            if entry.pods.len() != before {
                changed.push(FunctionIndex(index));
            }
        }
        changed
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

/// Reasons of a container that waits which will not pass by themselves.
const LASTING: [&str; 7] = [
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
];

fn trouble(pod: &Pod) -> Option<Trouble> {
    for container in statuses(pod) {
        let Some(waiting) = container.state.as_ref().and_then(|state| state.waiting.as_ref()) else { continue };
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let lasting = LASTING.contains(&reason);
        if !lasting && reason != "ErrImagePull" {
            continue;
        }
        let message = waiting.message.as_deref().unwrap_or_default();
        let ended = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
        let ended = ended.map_or(String::new(), |ended| format!(", it ended with code {}", ended.exit_code));
        return Some(Trouble { words: format!("container {}: {reason}: {message}{ended}", container.name), lasting });
    }
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let refused = conditions.iter().find(|it| it.type_ == "PodScheduled" && it.status == "False")?;
    let (reason, message) = (refused.reason.as_deref(), refused.message.as_deref());
    // Another pod may go, or a node may come.
    Some(Trouble { words: format!("{}: {}", reason.unwrap_or_default(), message.unwrap_or_default()), lasting: false })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn index() -> PodIndex {
        PodIndex::new(&["a".to_owned(), "hello-grpc".to_owned()])
    }

    /// pod.ready.json, as far as it is read.
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
    fn a_cold_start_is_followed_from_wish_to_readiness() {
        let mut index = index();
        let scaler = |desired: i64| {
            serde_json::from_value(json!({
                "metadata": {"name": "hello-grpc-00001", "labels": {"serving.knative.dev/service": "hello-grpc"}},
                "status": {"desiredScale": desired},
            }))
            .unwrap()
        };
        let (function, news) = index.autoscaler(&scaler(-1), false, UnixMicros(1)).unwrap();
        assert_eq!((function, counts(news.scale)), (FunctionIndex(1), [0; 5]));
        index.autoscaler(&scaler(2), false, UnixMicros(47)).unwrap();
        let none = json!([]);
        let running = container(&json!({"running": {"startedAt": "2026-11-23T07:10:39Z"}}));
        for (at, pod, expected, started) in [
            (70, pod("Pending", &json!({}), &none), [2, 0, 0, 1, 0], 0),
            (92, pod("Pending", &json!({"PodScheduled": "True"}), &none), [2, 0, 1, 0, 0], 0),
            (896, pod("Running", &json!({"PodScheduled": "True", "Ready": "False"}), &running), [2, 0, 1, 0, 0], 1),
        ] {
            let (_, news) = index.pod(&pod, false, UnixMicros(at)).unwrap();
            assert_eq!((counts(news.scale), news.scale.started, news.start), (expected, started, None), "at {at}");
        }
        let ready = pod("Running", &json!({"PodScheduled": "True", "Ready": "True"}), &running);
        let (_, news) = index.pod(&ready, false, UnixMicros(960)).unwrap();
        assert_eq!(counts(news.scale), [2, 1, 0, 0, 0]);
        let start = news.start.unwrap();
        assert_eq!(
            [start.desired, Some(start.created), start.scheduled, start.started, start.ready],
            [47, 70, 92, 896, 960].map(|at| Some(UnixMicros(at)))
        );
        // Seen again, it is not a start again.
        assert_eq!(index.pod(&ready, false, UnixMicros(961)).unwrap().1.start, None);
        let mut leaving = ready.clone();
        leaving.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-23T07:11:00Z")).unwrap();
        assert_eq!(counts(index.pod(&leaving, false, UnixMicros(970)).unwrap().1.scale), [2, 0, 0, 0, 1]);
        let (_, news) = index.pod(&leaving, true, UnixMicros(980)).unwrap();
        assert_eq!((counts(news.scale), news.scale.started), ([2, 0, 0, 0, 0], 1));
    }

    #[test]
    fn what_a_list_does_not_have_is_gone() {
        let mut index = index();
        index.pod(&pod("Pending", &json!({}), &json!([])), false, UnixMicros(1)).unwrap();
        assert_eq!(index.keep_pods(&HashSet::from(["u".to_owned()])), []);
        assert_eq!(index.keep_pods(&HashSet::new()), [FunctionIndex(1)]);
        assert_eq!(counts(index.scale(FunctionIndex(1))), [0; 5]);
    }

    #[test]
    fn things_of_others_are_left_alone() {
        let mut foreign = pod("Running", &json!({"Ready": "True"}), &json!([]));
        foreign.metadata.labels = Some([(names::SERVICE.to_owned(), "other".to_owned())].into());
        assert_eq!(index().pod(&foreign, false, UnixMicros(1)), None);
    }

    #[test]
    fn trouble_is_told_in_the_clusters_words() {
        let waiting =
            |reason: &str, message: &str| container(&json!({"waiting": {"reason": reason, "message": message}}));
        for (pod, expected) in [
            (
                pod("Pending", &json!({"PodScheduled": "True"}), &waiting("ErrImagePull", "no such host")),
                Some(("container user-container: ErrImagePull: no such host, it ended with code 3", false)),
            ),
            (
                pod("Running", &json!({"PodScheduled": "True"}), &waiting("CrashLoopBackOff", "back-off 10s")),
                Some(("container user-container: CrashLoopBackOff: back-off 10s, it ended with code 3", true)),
            ),
            (
                pod("Pending", &json!({"PodScheduled": "False"}), &json!([])),
                Some(("Unschedulable: 0/1 nodes are available", false)),
            ),
            (pod("Pending", &json!({"PodScheduled": "True"}), &waiting("ContainerCreating", "")), None),
        ] {
            let expected = expected.map(|(words, lasting)| Trouble { words: words.to_owned(), lasting });
            assert_eq!(index().pod(&pod, false, UnixMicros(1)).unwrap().1.trouble, expected);
        }
    }
}
