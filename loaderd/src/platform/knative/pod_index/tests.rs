//! The census of a run's pods, event by event.

use serde_json::{Value, json};

use super::*;
use crate::platform::TimeSource;

/// News that came in time.
fn at(us: i64) -> Arrival {
    Arrival { at: UnixMicros(us), skew_us: 0, after_gap: false }
}

/// The change that a pod's news is.
fn news(index: &mut PodIndex, pod: &Pod, gone: bool, us: i64) -> Change {
    let mut changes = index.pod(pod, gone, at(us));
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.remove(0)
}

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
    let change = index.autoscaler(&scaler(-1), false, at(1)).unwrap();
    assert_eq!((change.function, counts(change.scale)), (FunctionIndex(1), [0; 5]));
    index.autoscaler(&scaler(2), false, at(47)).unwrap();
    let none = json!([]);
    let running = container(&json!({"running": {"startedAt": "2026-11-23T07:10:39Z"}}));
    for (came, pod, expected, started) in [
        (70, pod("Pending", &json!({}), &none), [2, 0, 0, 1, 0], 0),
        (92, pod("Pending", &json!({"PodScheduled": "True"}), &none), [2, 0, 1, 0, 0], 0),
        (896, pod("Running", &json!({"PodScheduled": "True", "Ready": "False"}), &running), [2, 0, 1, 0, 0], 1),
    ] {
        let change = news(&mut index, &pod, false, came);
        assert_eq!((counts(change.scale), change.scale.started, change.start), (expected, started, None), "at {came}");
    }
    let ready = pod("Running", &json!({"PodScheduled": "True", "Ready": "True"}), &running);
    let change = news(&mut index, &ready, false, 960);
    assert_eq!(counts(change.scale), [2, 1, 0, 0, 0]);
    let start = change.start.unwrap();
    assert_eq!(
        [start.desired, Some(start.created), start.scheduled, start.started, start.ready],
        [47, 70, 92, 896, 960].map(|at| Some(UnixMicros(at)))
    );
    // A second event of it is not a second start.
    assert_eq!(index.pod(&ready, false, at(961)), []);
    let mut leaving = ready.clone();
    leaving.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-23T07:11:00Z")).unwrap();
    assert_eq!(counts(news(&mut index, &leaving, false, 970).scale), [2, 0, 0, 0, 1]);
    let change = news(&mut index, &leaving, true, 980);
    assert_eq!((counts(change.scale), change.scale.started), ([2, 0, 0, 0, 0], 1));
}

#[test]
fn pods_that_a_list_does_not_contain_are_removed() {
    let mut index = index();
    let pending = pod("Pending", &json!({}), &json!([]));
    news(&mut index, &pending, false, 1);
    assert_eq!(index.pods(vec![pending], at(5)), []);
    let removed = index.pods(Vec::new(), at(9));
    let [Change { function: FunctionIndex(1), start: Some(start), scale, .. }] = removed.as_slice() else {
        panic!("{removed:?}")
    };
    assert_eq!((start.created, start.ready), (UnixMicros(1), None));
    assert_eq!(counts(*scale), [0; 5]);
}

/// `desiredScale` follows the pod on a cluster: the rise before, of another pod, is not this one's.
#[test]
fn a_pod_has_the_rise_that_it_was_created_for_or_none() {
    let instant = |ms: i64| UnixMicros(ms * 1_000);
    let at = |ms: i64| Moment::watched(instant(ms));
    let with_uid = |uid: &str, ready: bool| {
        let condition = if ready { "True" } else { "False" };
        let mut pod = pod("Running", &json!({"PodScheduled": "True", "Ready": condition}), &json!([]));
        pod.metadata.uid = Some(uid.to_owned());
        pod
    };
    let mut index = index();
    let desired = |index: &mut PodIndex, uid: &str, ms: i64| {
        news(index, &with_uid(uid, true), false, ms * 1_000).start.unwrap().desired
    };
    // A rise by two that is seen before its pods; the third pod has none.
    let _at = index.entries[1].set_desired(Some(2), at(0));
    assert_eq!(desired(&mut index, "a", 10), Some(instant(0)));
    assert_eq!(desired(&mut index, "b", 11), Some(instant(0)));
    assert_eq!(desired(&mut index, "c", 5_000), None);
    // The rise that is seen after it is its own, and not that of the next pod.
    let _at = index.entries[1].set_desired(Some(3), at(5_070));
    assert_eq!(desired(&mut index, "d", 5_100), None);
    // A pod of long ago, such as a replaced one, does not take a rise.
    let _at = index.entries[1].set_desired(Some(4), at(60_000));
    assert_eq!(desired(&mut index, "e", 60_010), Some(instant(60_000)));
    // What is no longer wanted makes no pod.
    let _at = index.entries[1].set_desired(Some(6), at(70_000));
    let _at = index.entries[1].set_desired(Some(0), at(71_000));
    assert_eq!(desired(&mut index, "f", 80_000), None);
}

#[test]
fn a_pod_that_never_became_ready_has_a_row() {
    let unready = pod("Pending", &json!({"PodScheduled": "True"}), &json!([]));
    let mut watched = index();
    assert_eq!(news(&mut watched, &unready, false, 1).start, None);
    let start = news(&mut watched, &unready, true, 9).start.unwrap();
    assert_eq!((start.created, start.scheduled, start.ready), (UnixMicros(1), Some(UnixMicros(1)), None));
    assert_eq!(watched.into_unready().count(), 0, "one row for each");
    let mut stopped = index();
    news(&mut stopped, &unready, false, 1);
    assert_eq!(stopped.into_unready().count(), 1);
}

#[test]
fn objects_of_other_services_are_ignored() {
    let mut foreign = pod("Running", &json!({"Ready": "True"}), &json!([]));
    foreign.metadata.labels = Some([(names::SERVICE.to_owned(), "other".to_owned())].into());
    assert_eq!(index().pod(&foreign, false, at(1)), []);
}

#[test]
fn problems_have_the_clusters_reason_and_message() {
    let waiting = |reason: &str, message: &str| container(&json!({"waiting": {"reason": reason, "message": message}}));
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
        let problem = |(message, permanent): (&str, bool)| PodProblem { message: message.to_owned(), permanent };
        assert_eq!(index().problem(&pod), expected.map(|it| (FunctionIndex(1), problem(it))));
    }
}

/// A second of the test's day, as objects have it.
fn stamp(second: i64) -> String {
    jiff::Timestamp::from_second(second).unwrap().to_string()
}

/// A pod with stamps: the seconds of its creation, of its node and its function's start, and of its readiness.
fn stamped(uid: &str, [created, scheduled, ready]: [i64; 3]) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": uid, "uid": uid, "creationTimestamp": stamp(created),
                     "labels": {"serving.knative.dev/service": "hello-grpc"}},
        "status": {"phase": "Running", "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(scheduled)},
            {"type": "Ready", "status": "True", "lastTransitionTime": stamp(ready)}],
            "containerStatuses": [{"name": "user-container", "state": {"running": {"startedAt": stamp(scheduled)}}}]},
    }))
    .unwrap()
}

#[test]
fn what_a_list_brings_after_a_gap_is_in_the_order_in_which_it_happened() {
    let mut index = index();
    let arrival = Arrival { at: UnixMicros(60_000_000), skew_us: 0, after_gap: true };
    let changes = index.pods(vec![stamped("b", [13, 14, 20]), stamped("a", [10, 10, 15])], arrival);
    let found: Vec<_> = changes.iter().map(|change| (change.at.at.0 / 1_000_000, counts(change.scale))).collect();
    let expected = [
        (10, [0, 0, 1, 0, 0]),
        (13, [0, 0, 1, 1, 0]),
        (14, [0, 0, 2, 0, 0]),
        (15, [0, 1, 1, 0, 0]),
        (20, [0, 2, 0, 0, 0]),
    ];
    assert_eq!(found, expected);
    assert!(changes.iter().all(|change| change.at.source == TimeSource::Object));
    let starts: Vec<_> = changes.into_iter().filter_map(|change| change.start).collect();
    let ready: Vec<_> = starts.iter().map(|start| (start.instance.as_str(), start.ready)).collect();
    assert_eq!(ready, [("a", Some(UnixMicros(15_000_000))), ("b", Some(UnixMicros(20_000_000)))]);
    assert!(starts.iter().all(|start| start.source == TimeSource::Object));
}

/// A PodAutoscaler has no condition that changes from one instance to two; the write of its status has a time.
#[test]
fn a_rise_in_a_gap_has_the_time_of_the_write() {
    let scaler = |desired: i64, written: i64| {
        serde_json::from_value(json!({
            "metadata": {"name": "hello-grpc-00001", "labels": {"serving.knative.dev/service": "hello-grpc"}, "managedFields": [
                {"manager": "autoscaler", "operation": "Update", "subresource": "status", "time": stamp(written)},
                {"manager": "controller", "operation": "Update", "time": stamp(written + 50)}]},
            "status": {"desiredScale": desired, "conditions": [
                {"type": "Active", "status": "True", "lastTransitionTime": stamp(1)}]},
        }))
        .unwrap()
    };
    let mut index = index();
    let mut dated = |desired, written, arrival| {
        let Moment { at, source } = index.autoscaler(&scaler(desired, written), false, arrival).unwrap().at;
        (at.0 / 100_000, source)
    };
    assert_eq!(dated(1, 2, at(2_500_000)), (25, TimeSource::Watch));
    let missed = Arrival { after_gap: true, ..at(30_000_000) };
    assert_eq!(dated(2, 10, missed), (100, TimeSource::Object));
    // Another write in the same second, missed as well.
    assert_eq!(dated(3, 10, Arrival { at: UnixMicros(30_000_100), ..missed }), (100, TimeSource::Object));
    assert_eq!(dated(4, 12, missed), (120, TimeSource::Object));
    // A change that left no stamp is not one of the stamps that were there before.
    assert_eq!(dated(5, 12, at(90_000_000)), (900, TimeSource::Watch));
}

/// The pods of the initial scale are there seconds before the autoscaler has a figure.
#[test]
fn the_first_figure_is_no_rise_for_pods_to_come() {
    let mut index = index();
    let mut pod_at = |us: i64, uid: &str, desired: Option<(u32, i64)>| {
        if let Some((desired, us)) = desired {
            let _at = index.entries[1].set_desired(Some(desired), Moment::watched(UnixMicros(us)));
        }
        let mut pod = stamped(uid, [60, 60, 60]);
        pod.metadata.creation_timestamp = None;
        news(&mut index, &pod, false, us).start.unwrap().desired
    };
    assert_eq!(pod_at(0, "initial", None), None);
    assert_eq!(pod_at(29_000_000, "later", Some((1, 2_500_000))), None);
    assert_eq!(pod_at(31_000_000, "wanted", Some((2, 30_900_000))), Some(UnixMicros(30_900_000)));
}

/// Rises and pods whose seconds are the same have no order.
#[test]
fn a_rise_is_of_a_pod_where_it_was_surely_before_it() {
    for (rise, created, expected) in [(10, 10, None), (9, 10, Some(UnixMicros(9_000_000))), (11, 10, None)] {
        let mut index = index();
        let _at = index.entries[1]
            .set_desired(Some(1), Moment { at: UnixMicros(rise * 1_000_000), source: TimeSource::Object });
        let arrival = Arrival { after_gap: true, ..at(60_000_000) };
        let starts = index.pod(&stamped("a", [created, 12, 13]), false, arrival).into_iter();
        let desired: Vec<_> = starts.filter_map(|change| change.start).map(|start| start.desired).collect();
        assert_eq!(desired, [expected], "rise at {rise}");
    }
}

/// The object changed again since, by the number of ready pods for instance: its stamp is too late.
#[test]
fn a_rise_that_was_listed_has_the_time_of_its_pods() {
    let mut index = index();
    let arrival = Arrival { after_gap: true, ..at(60_000_000) };
    index.pods(vec![stamped("a", [10, 10, 15]), stamped("b", [13, 14, 20])], arrival);
    let written = Moment { at: UnixMicros(40_000_000), source: TimeSource::Object };
    assert_eq!(index.entries[1].set_desired(Some(2), written), Moment { at: UnixMicros(13_000_000), ..written });
    assert_eq!(index.entries[1].set_desired(Some(3), written), written, "no pod of it is known yet");
}
