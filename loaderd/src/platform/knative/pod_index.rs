//! How many instances each function has, from pods and PodAutoscalers as they are watched. Pure.

mod start;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use k8s_openapi::api::core::v1::Pod;
use kube::api::DynamicObject;

use self::start::Start;
use super::{
    moment::{Arrival, Moment},
    names,
    objects::ObjectStatus,
    pod_stages::{self, PodProblem, Stage},
};
use crate::{
    clock::UnixMicros,
    id::FunctionIndex,
    platform::{InstanceStart, Scale, TimeSource},
    units,
};

/// How soon after another news of the same second belongs to the same burst.
const BURST_US: i64 = 1_000_000;

/// A PodAutoscaler as it was last read.
#[derive(Debug, Default)]
struct Autoscaler {
    /// The desired scale; absent before the autoscaler has a figure.
    desired: Option<u32>,
    /// Its newest stamp.
    newest: Option<UnixMicros>,
    /// When the last news of it came, and what it was dated to.
    last: Option<(UnixMicros, Moment)>,
}

impl Autoscaler {
    /// When the change happened of which this is the news: its newest stamp is of its last change. A stamp that was there before is
    /// of another one, unless several of a second come at once.
    fn date(&mut self, newest: Option<UnixMicros>, arrival: Arrival) -> Moment {
        let is_of_burst = self.last.is_some_and(|(came, dated)| {
            dated == arrival.date(newest) && arrival.at.0.saturating_sub(came.0) <= BURST_US
        });
        let is_new = newest > self.newest || (newest == self.newest && is_of_burst);
        let dated = arrival.date(newest.filter(|_| is_new));
        self.newest = newest;
        self.last = Some((arrival.at, dated));
        dated
    }
}

/// The pods and the desired scale of one function.
#[derive(Debug, Default)]
struct Entry {
    autoscaler: Autoscaler,
    /// Rises of the desired scale, each with the number of pods that are still to be created for it; the oldest first.
    rises: VecDeque<(Moment, u32)>,
    pods: HashMap<String, Stage>,
    starts: HashMap<String, Start>,
    started: u64,
}

impl Entry {
    /// Sets the desired scale; `at` is when its object last changed. Returns when the scale did.
    fn set_desired(&mut self, desired: Option<u32>, at: Moment) -> Moment {
        let before = std::mem::replace(&mut self.autoscaler.desired, desired);
        let (desired, had) = (desired.unwrap_or(0), before.unwrap_or(0));
        if desired < had {
            self.rises.clear();
        }
        let mut rise = desired.saturating_sub(had);
        // Pods that are there already were created for it. Those of the initial scale were before there was a figure.
        let is_first = before.is_none();
        let unexplained = self.starts.values_mut().filter(|it| it.may_be_of(at, is_first));
        let mut newest = None;
        for start in unexplained.take(usize::try_from(rise).unwrap_or(usize::MAX)) {
            newest = newest.max(Some(start.explain(at)));
            rise -= 1;
        }
        if rise > 0 {
            self.rises.push_back((at, rise));
            return at;
        }
        // An object that changed again since then has no stamp of it, but the pods have: they are created just before.
        newest.filter(|_| at.source == TimeSource::Object).map_or(at, |created| Moment { at: at.at.min(created), ..at })
    }

    /// The rise that a new pod was created for, if it was seen.
    fn take_rise(&mut self) -> Option<Moment> {
        let (at, left) = self.rises.front_mut()?;
        let at = *at;
        *left -= 1;
        if *left == 0 {
            self.rises.pop_front();
        }
        Some(at)
    }

    /// Notes a pod that was not seen before, and that its function was started: when, if that is new.
    fn note(&mut self, function: FunctionIndex, pod: &Pod, created: Moment, arrival: Arrival) -> Option<Moment> {
        let uid = uid(pod);
        if !self.starts.contains_key(&uid) {
            let mut start = Start::new(function, pod.metadata.name.clone().unwrap_or_default(), created);
            if let Some(rise) = self.take_rise() {
                let _created = start.explain(rise);
            }
            self.starts.insert(uid.clone(), start);
        }
        let at = arrival.date(pod_stages::started(pod)?);
        let is_first = self.starts.get_mut(&uid)?.set_started(at);
        self.started += u64::from(is_first);
        is_first.then_some(at)
    }

    /// A pod enters a stage, or is gone. Returns its start if that is now known as far as it ever will be.
    fn enter(&mut self, uid: &str, stage: Option<Stage>, at: Moment) -> Option<InstanceStart> {
        let Some(stage) = stage else {
            self.pods.remove(uid);
            return self.starts.remove(uid).and_then(Start::unready);
        };
        self.pods.insert(uid.to_owned(), stage);
        self.starts.get_mut(uid)?.enter(stage, at)
    }
}

/// A pod enters a stage, or is gone.
#[derive(Debug)]
struct Entrance {
    function: FunctionIndex,
    uid: String,
    stage: Option<Stage>,
    at: Moment,
}

/// The instances of a run's functions.
#[derive(Debug)]
pub(super) struct PodIndex {
    functions: HashMap<String, FunctionIndex>,
    entries: Vec<Entry>,
}

/// A change of a function.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) function: FunctionIndex,
    /// When it happened.
    pub(super) at: Moment,
    /// The function's scale after it.
    pub(super) scale: Scale,
    /// An instance that has become ready, or is gone and never was.
    pub(super) start: Option<InstanceStart>,
}

impl PodIndex {
    /// An index of the functions whose Services have these names.
    pub(super) fn new(services: &[String]) -> Self {
        let functions = services.iter().zip(0..).map(|(name, index)| (name.clone(), FunctionIndex(index))).collect();
        Self { functions, entries: services.iter().map(|_| Entry::default()).collect() }
    }

    /// The function that an object belongs to, by its labels.
    pub(super) fn function(&self, labels: Option<&BTreeMap<String, String>>) -> Option<FunctionIndex> {
        self.functions.get(labels?.get(names::SERVICE)?).copied()
    }

    pub(super) fn scale(&self, function: FunctionIndex) -> Scale {
        let Some(entry) = self.entries.get(function.as_usize()) else { return Scale::default() };
        let count = |stage| units::to_u32(entry.pods.values().filter(|it| **it == stage).count());
        Scale {
            desired: entry.autoscaler.desired.unwrap_or(0),
            running: count(Stage::Running),
            unready: count(Stage::Unready),
            pending: count(Stage::Pending),
            terminating: count(Stage::Terminating),
            queue: None,
            started: entry.started,
        }
    }

    /// A PodAutoscaler was added, changed or deleted. A deleted one has a desired scale of 0.
    pub(super) fn autoscaler(&mut self, object: &DynamicObject, gone: bool, arrival: Arrival) -> Option<Change> {
        let function = self.function(object.metadata.labels.as_ref())?;
        let entry = self.entries.get_mut(function.as_usize())?;
        let status = ObjectStatus::of(object);
        let deleted = object.metadata.deletion_timestamp.as_ref().map(pod_stages::micros).filter(|_| gone);
        let changed = entry.autoscaler.date(deleted.or_else(|| status.newest_stamp(object)), arrival);
        // -1 before the autoscaler has a figure.
        let desired = status.desired_scale.filter(|_| !gone);
        let at = entry.set_desired(desired.and_then(|desired| u32::try_from(desired).ok()), changed);
        Some(Change { function, at, scale: self.scale(function), start: None })
    }

    /// A pod was added, changed or deleted. The changes that this is the news of, the oldest first.
    pub(super) fn pod(&mut self, pod: &Pod, gone: bool, arrival: Arrival) -> Vec<Change> {
        let mut entrances = self.entrances(pod, arrival);
        if let Some(function) = self.function(pod.metadata.labels.as_ref()).filter(|_| gone) {
            // Where it is gone without a grace period, that is when its grace period ended.
            let is_over = pod.metadata.deletion_grace_period_seconds == Some(0);
            let at = arrival.date(pod_stages::deleted(pod).filter(|_| is_over));
            entrances.push(Entrance { function, uid: uid(pod), stage: None, at });
        }
        self.apply(entrances)
    }

    /// All pods that there are now, which were listed; others are gone. The changes that this is the news of, the oldest first.
    pub(super) fn pods(&mut self, mut listed: Vec<Pod>, arrival: Arrival) -> Vec<Change> {
        listed.sort_by(|a, b| a.metadata.creation_timestamp.cmp(&b.metadata.creation_timestamp));
        let mut entrances = Vec::new();
        for pod in &listed {
            entrances.extend(self.entrances(pod, arrival));
        }
        let known: HashSet<_> = listed.iter().filter_map(|pod| pod.metadata.uid.as_ref()).collect();
        for (entry, index) in self.entries.iter().zip(0..) {
            let gone = entry.pods.keys().filter(|uid| !known.contains(uid));
            let at = Moment::watched(arrival.at);
            entrances.extend(gone.map(|uid| Entrance {
                function: FunctionIndex(index),
                uid: uid.clone(),
                stage: None,
                at,
            }));
        }
        entrances.sort_by_key(|entrance| entrance.at.at);
        self.apply(entrances)
    }

    /// The stages that a pod has entered since it was last read.
    fn entrances(&mut self, pod: &Pod, arrival: Arrival) -> Vec<Entrance> {
        let Some(function) = self.function(pod.metadata.labels.as_ref()) else { return Vec::new() };
        let Some(entry) = self.entries.get_mut(function.as_usize()) else { return Vec::new() };
        let uid = uid(pod);
        let mut entrances: Vec<Entrance> = Vec::new();
        let steps = pod_stages::steps(entry.pods.get(&uid).copied(), pod);
        // Where one is late, all came late.
        let is_late = steps.iter().any(|(_, stamp)| arrival.date(*stamp).source == TimeSource::Object);
        let arrival = Arrival { after_gap: arrival.after_gap || is_late, ..arrival };
        for (stage, stamp) in steps {
            let at = arrival.date(stamp);
            let at = entrances.last().map_or(at, |before| at.not_before(before.at));
            entrances.push(Entrance { function, uid: uid.clone(), stage: Some(stage), at });
        }
        let created = entrances.first().map_or(Moment::watched(arrival.at), |first| first.at);
        let started = entry.note(function, pod, created, arrival);
        if let (Some(at), true) = (started, entrances.is_empty()) {
            // Not another stage, but another number of instances that were started.
            entrances.push(Entrance { function, stage: entry.pods.get(&uid).copied(), uid, at });
        }
        entrances
    }

    /// Changes of one instant are one change of a function.
    fn apply(&mut self, entrances: Vec<Entrance>) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        for Entrance { function, uid, stage, at } in entrances {
            let Some(entry) = self.entries.get_mut(function.as_usize()) else { continue };
            let start = entry.enter(&uid, stage, at);
            let scale = self.scale(function);
            match changes.last_mut() {
                Some(last)
                    if (last.function, last.at) == (function, at) && (last.start.is_none() || start.is_none()) =>
                {
                    last.scale = scale;
                    last.start = last.start.take().or(start);
                }
                _ => changes.push(Change { function, at, scale, start }),
            }
        }
        changes
    }

    /// Why a pod of the run does not become ready, if it is said.
    pub(super) fn problem(&self, pod: &Pod) -> Option<(FunctionIndex, PodProblem)> {
        Some((self.function(pod.metadata.labels.as_ref())?, pod_stages::problem(pod)?))
    }

    /// At the end: the starts of pods that are not ready.
    pub(super) fn into_unready(self) -> impl Iterator<Item = InstanceStart> {
        self.entries.into_iter().flat_map(|entry| entry.starts.into_values()).filter_map(Start::unready)
    }
}

fn uid(pod: &Pod) -> String {
    pod.metadata.uid.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod replay;
