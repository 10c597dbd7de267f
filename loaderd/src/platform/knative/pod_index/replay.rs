//! Recorded watches, replayed: those of a burst and a coldstart run on a cluster of Kubernetes 1.36 with Knative 1.23. Without a
//! gap; with one after which the watch goes on where it was, noticed and unnoticed; and with one after which it lists again.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::{super::moment::Continuity, *};
use crate::platform::TimeSource;

const PODS: &str = include_str!("../../../../tests/data/knative/pods-watch.jsonl");
const AUTOSCALERS: &str = include_str!("../../../../tests/data/knative/pa-watch.jsonl");

const SECOND_US: i64 = 1_000_000;
/// The longest from a stamp to the news of it where there is no gap: a stamp is a second's begin, and kubelets look once a second.
const USUAL_US: i64 = 2 * SECOND_US;

#[derive(Debug, Clone)]
enum Object {
    Pod(Box<Pod>),
    Autoscaler(Box<DynamicObject>),
}

/// One event of a recording.
#[derive(Debug, Clone)]
struct Recorded {
    came: UnixMicros,
    gone: bool,
    object: Object,
}

fn recorded(text: &str, read: impl Fn(Value) -> Object) -> Vec<Recorded> {
    #[derive(Deserialize)]
    struct Line {
        recv_unix: f64,
        event: Event,
    }
    #[derive(Deserialize)]
    struct Event {
        #[serde(rename = "type")]
        kind: String,
        object: Value,
    }
    let line = |line: &str| {
        let Line { recv_unix, event: Event { kind, object } } = serde_json::from_str(line).unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "microseconds of this century")]
        let came = UnixMicros((recv_unix * 1e6).round() as i64);
        Recorded { came, gone: kind == "DELETED", object: read(object) }
    };
    text.lines().map(line).collect()
}

/// Both recordings, in the order in which they came.
fn all() -> Vec<Recorded> {
    let pods = recorded(PODS, |object| Object::Pod(serde_json::from_value(object).unwrap()));
    let autoscalers = recorded(AUTOSCALERS, |object| Object::Autoscaler(serde_json::from_value(object).unwrap()));
    let mut all: Vec<_> = pods.into_iter().chain(autoscalers).collect();
    all.sort_by_key(|event| event.came);
    all
}

fn services(events: &[Recorded]) -> Vec<String> {
    let labels = |event: &Recorded| match &event.object {
        Object::Pod(pod) => pod.metadata.labels.clone(),
        Object::Autoscaler(object) => object.metadata.labels.clone(),
    };
    let mut services: Vec<_> = events.iter().filter_map(|event| labels(event)?.remove(names::SERVICE)).collect();
    services.sort();
    services.dedup();
    services
}

/// What an index made of the recordings.
struct Replayed {
    changes: Vec<Change>,
    starts: BTreeMap<String, InstanceStart>,
}

/// An index that is fed.
struct Fed {
    index: PodIndex,
    pods: Continuity,
    autoscalers: Continuity,
    changes: Vec<Change>,
}

impl Fed {
    fn new(events: &[Recorded]) -> Self {
        let mut fed = Self {
            index: PodIndex::new(&services(events)),
            pods: Continuity::default(),
            autoscalers: Continuity::default(),
            changes: Vec::new(),
        };
        // The first lists, long before.
        fed.pods.take(UnixMicros(0));
        fed.autoscalers.take(UnixMicros(0));
        fed
    }

    fn take(&mut self, event: &Recorded, at: UnixMicros) {
        match &event.object {
            Object::Pod(pod) => {
                let arrival = Arrival { at, skew_us: 0, after_gap: self.pods.take(at) };
                let changes = self.index.pod(pod, event.gone, arrival);
                if changes.iter().any(|change| change.at.source == TimeSource::Object) {
                    self.pods.catch_up(at);
                }
                self.changes.extend(changes);
            }
            Object::Autoscaler(object) => {
                let arrival = Arrival { at, skew_us: 0, after_gap: self.autoscalers.take(at) };
                self.changes.extend(self.index.autoscaler(object, event.gone, arrival));
            }
        }
    }

    fn interrupt(&mut self) {
        self.pods.interrupt();
        self.autoscalers.interrupt();
    }

    fn end(self) -> Replayed {
        let ready = self.changes.iter().filter_map(|change| change.start.clone());
        let all = ready.chain(self.index.into_unready());
        let mut starts = BTreeMap::new();
        for start in all {
            assert_eq!(starts.insert(start.instance.clone(), start), None, "one row for each");
        }
        Replayed { changes: self.changes, starts }
    }
}

/// How a gap of the watches is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// By an error.
    Broken([UnixMicros; 2]),
    /// Not at all: its events come late.
    Silent([UnixMicros; 2]),
}

/// Replays with a gap of the watches, whose end brings what was missed.
fn replay(events: &[Recorded], gap: Option<Gap>) -> Replayed {
    let mut fed = Fed::new(events);
    let mut is_over = false;
    for event in events {
        let (Gap::Broken([from, to]) | Gap::Silent([from, to])) = gap.unwrap_or(Gap::Silent([UnixMicros(i64::MAX); 2]));
        if event.came >= from && !is_over && matches!(gap, Some(Gap::Broken(_))) {
            is_over = true;
            fed.interrupt();
        }
        fed.take(event, if event.came >= from { event.came.max(to) } else { event.came });
    }
    fed.end()
}

/// Replays with a gap of the watches, at whose end everything is listed.
fn replay_listed(events: &[Recorded], [from, to]: [UnixMicros; 2]) -> Replayed {
    let mut fed = Fed::new(events);
    for event in events.iter().filter(|event| event.came < from) {
        fed.take(event, event.came);
    }
    fed.interrupt();
    let (mut pods, mut autoscalers) = (HashMap::new(), HashMap::new());
    for event in events.iter().filter(|event| event.came < to) {
        match &event.object {
            Object::Pod(pod) if event.gone => drop(pods.remove(&pod.metadata.uid)),
            Object::Pod(pod) => drop(pods.insert(pod.metadata.uid.clone(), pod.as_ref().clone())),
            Object::Autoscaler(object) if event.gone => drop(autoscalers.remove(&object.metadata.uid)),
            Object::Autoscaler(object) => drop(autoscalers.insert(object.metadata.uid.clone(), event.clone())),
        }
    }
    for listed in autoscalers.values() {
        fed.take(listed, to);
    }
    let arrival = Arrival { at: to, skew_us: 0, after_gap: fed.pods.take(to) };
    let changes = fed.index.pods(pods.into_values().collect(), arrival);
    fed.changes.extend(changes);
    for event in events.iter().filter(|event| event.came >= to) {
        fed.take(event, event.came);
    }
    fed.end()
}

/// What the recorded objects say of each pod's start: creation, scheduling, its function's start, readiness.
fn stamps(events: &[Recorded]) -> BTreeMap<String, [Option<UnixMicros>; 4]> {
    let mut all: BTreeMap<String, [Option<UnixMicros>; 4]> = BTreeMap::new();
    for event in events {
        let Object::Pod(pod) = &event.object else { continue };
        let stamps = all.entry(pod.metadata.name.clone().unwrap()).or_default();
        let object = serde_json::to_value(pod).unwrap();
        let micros = |text: &Value| {
            let stamp: Option<jiff::Timestamp> = text.as_str().map(|text| text.parse().unwrap());
            stamp.map(|stamp| UnixMicros(stamp.as_microsecond()))
        };
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let holds = |kind: &str| conditions.iter().find(|it| it["type"] == kind && it["status"] == "True").cloned();
        let since = |kind: &str| holds(kind).and_then(|it| micros(&it["lastTransitionTime"]));
        let container = &object["status"]["containerStatuses"][0]["state"]["running"]["startedAt"];
        let now = [
            micros(&object["metadata"]["creationTimestamp"]),
            since("PodScheduled"),
            micros(container),
            since("Ready"),
        ];
        for (stamp, now) in stamps.iter_mut().zip(now) {
            *stamp = stamp.or(now);
        }
    }
    all
}

fn stages(start: &InstanceStart) -> [Option<UnixMicros>; 4] {
    [Some(start.created), start.scheduled, start.started, start.ready]
}

/// Every stage is known that the objects have, and its time is theirs but for what is usual without a gap.
fn check(replayed: &Replayed, stamps: &BTreeMap<String, [Option<UnixMicros>; 4]>, usual_us: i64, case: &str) {
    for (pod, start) in &replayed.starts {
        for (stage, stamp) in stages(start).into_iter().zip(stamps[pod]) {
            assert_eq!(stage.is_some(), stamp.is_some(), "{case}: {start:?}");
            let (Some(stage), Some(stamp)) = (stage, stamp) else { continue };
            let after = stage.0 - stamp.0;
            assert!((0..usual_us).contains(&after), "{case}: {after} µs after {stamp:?}: {start:?}");
        }
        let stages: Vec<_> = [start.desired].into_iter().chain(stages(start)).flatten().collect();
        assert!(stages.is_sorted(), "{case}: {start:?}");
    }
}

#[test]
fn without_a_gap_everything_is_as_the_objects_say_and_as_it_was_watched() {
    let events = all();
    let replayed = replay(&events, None);
    let stamps = stamps(&events);
    assert_eq!(replayed.starts.len(), 30);
    assert_eq!(replayed.starts.len(), stamps.len());
    check(&replayed, &stamps, USUAL_US, "no gap");
    assert!(replayed.starts.values().all(|start| start.source == TimeSource::Watch));
    assert!(replayed.changes.iter().all(|change| change.at.source == TimeSource::Watch));
    // The rise that made a pod is reported after it, but for a few: then it is just before it.
    for start in replayed.starts.values() {
        let before = start.desired.map(|desired| start.created.since(desired));
        assert!(before.is_none_or(|before| before.as_millis() < 1_000), "{start:?}");
    }
    // Scales as a count of the recorded objects gives them.
    let services = services(&events);
    let (mut pods, mut desired) = (BTreeMap::new(), BTreeMap::new());
    let mut changes = replayed.changes.iter().peekable();
    for event in &events {
        match &event.object {
            Object::Pod(pod) => {
                let object = serde_json::to_value(pod).unwrap();
                let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
                let is_ready = conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True");
                let runs = is_ready && object["metadata"]["deletionTimestamp"].is_null() && !event.gone;
                pods.insert(
                    pod.metadata.uid.clone(),
                    (pod.metadata.labels.clone().unwrap()[names::SERVICE].clone(), runs),
                );
            }
            Object::Autoscaler(object) => {
                let wanted = object.data["status"]["desiredScale"].as_i64().filter(|_| !event.gone).unwrap_or(0);
                desired.insert(object.metadata.labels.clone().unwrap()[names::SERVICE].clone(), wanted.max(0));
            }
        }
        let mut last = None;
        while let Some(change) = changes.next_if(|change| change.at.at == event.came) {
            last = Some(change);
        }
        let Some(Change { function, scale, .. }) = last else { continue };
        let service = &services[function.as_usize()];
        let running = pods.values().filter(|(of, runs)| of == service && *runs).count();
        assert_eq!(scale.running as usize, running, "{event:?}");
        assert_eq!(i64::from(scale.desired), desired.get(service).copied().unwrap_or(0), "{event:?}");
    }
    assert!(changes.next().is_none(), "all are of an event");
}

/// A step of 3 s, so that gaps begin in every stage of some pod.
fn gaps(events: &[Recorded]) -> impl Iterator<Item = [UnixMicros; 2]> {
    let (first, last) = (events[0].came.0, events[events.len() - 1].came.0);
    let begins = (0..).map(move |step| first + step * 3 * SECOND_US).take_while(move |begin| *begin < last);
    begins.flat_map(|begin| [6, 45].map(|length| [UnixMicros(begin), UnixMicros(begin + length * SECOND_US)]))
}

#[test]
fn after_a_gap_times_are_the_objects_and_not_those_of_the_news() {
    let events = all();
    let stamps = stamps(&events);
    let mut objects = 0;
    for gap in gaps(&events) {
        for (replayed, how, usual_us) in [
            (replay(&events, Some(Gap::Broken(gap))), "resumed", USUAL_US),
            // What is no later than news in time can be is not told from it.
            (replay(&events, Some(Gap::Silent(gap))), "silent", USUAL_US + 3 * SECOND_US / 2),
            (replay_listed(&events, gap), "listed", USUAL_US),
        ] {
            let [from, to] = gap;
            let case = format!("{how} {from:?} to {to:?}");
            let mut known = stamps.clone();
            if how == "listed" {
                // What came and went, or was left again, in the gap has left no stamp.
                known.retain(|pod, stamps| {
                    let Some(start) = replayed.starts.get(pod) else { return false };
                    for (stamp, stage) in stamps.iter_mut().zip(stages(start)) {
                        *stamp = stamp.filter(|stamp| stage.is_some() || !(from..to).contains(stamp));
                    }
                    true
                });
            }
            assert_eq!(replayed.starts.len(), known.len(), "{case}");
            check(&replayed, &known, usual_us, &case);
            objects += replayed.starts.values().filter(|start| start.source == TimeSource::Object).count();
            // A pod that became ready in the gap counts from then on.
            for start in replayed.starts.values().filter(|start| start.source == TimeSource::Object) {
                let Some(ready) = start.ready else { continue };
                let counted =
                    replayed.changes.iter().any(|change| change.start.as_ref() == Some(start) && change.at.at <= ready);
                assert!(counted, "{case}: {start:?}");
            }
        }
    }
    assert!(objects > 100, "{objects} rows had a gap in them");
}
