//! Disturbances for tests.

use loader_proto::v1::{DisturbanceFindings, Event, PlanDisturbance};
use prost_types::Duration;

/// A pod of the gateway deleted; the activator without replicas for a while; a node that is not there.
pub(crate) fn events() -> Vec<Event> {
    let event = |disturbance, stage: &str, [action, target]: [&str; 2], outcome: &str, detail: &str| Event {
        disturbance,
        stage: stage.to_owned(),
        due_unix_us: 1_795_359_660_000_000,
        done_unix_us: (outcome == "ok").then_some(1_795_359_660_004_000),
        action: action.to_owned(),
        target: target.to_owned(),
        outcome: outcome.to_owned(),
        detail: detail.to_owned(),
    };
    let zero = ["scaleToZero", "activator"];
    vec![
        event(0, "begin", ["deletePods", "1 of gateway"], "ok", "gateway-1"),
        event(1, "begin", zero, "ok", "knative-serving/activator from 1 to 0 replicas"),
        event(1, "end", zero, "ok", "knative-serving/activator has 1 replicas again"),
        event(2, "begin", ["cordon", "node w"], "failed", "nodes \"w\" not found"),
    ]
}

/// What came of them, and of one that was not due.
pub(crate) fn findings() -> Vec<DisturbanceFindings> {
    let of = |event: &Event| DisturbanceFindings {
        disturbance: event.disturbance,
        action: event.action.clone(),
        target: event.target.clone(),
        outcome: event.outcome.clone(),
        detail: event.detail.clone(),
        due_unix_us: event.due_unix_us,
        begin_unix_us: event.done_unix_us,
        ..DisturbanceFindings::default()
    };
    let events = events();
    let deleted = DisturbanceFindings {
        until_unix_us: Some(1_795_359_690_000_000),
        requested: Some(600),
        failed: Some(31),
        lost: Some(12),
        slowdown: Some(11.04),
        slowdown_before: Some(1.25),
        scheduling_latency_before_p99_us: Some(9_800),
        recovery_us: Some(30_000_000),
        ..of(&events[0])
    };
    let scaled = DisturbanceFindings {
        end_unix_us: Some(1_795_359_690_004_000),
        until_unix_us: Some(1_795_359_990_000_000),
        requested: Some(40),
        failed: Some(0),
        lost: Some(0),
        recovery_unknown: "50 invocations in a window of 10s, 100 needed".to_owned(),
        ..of(&events[1])
    };
    let not_due = DisturbanceFindings {
        disturbance: 3,
        outcome: "not_due".to_owned(),
        detail: String::new(),
        begin_unix_us: None,
        ..of(&events[3])
    };
    vec![deleted, scaled, of(&events[3]), not_due]
}

/// The same, planned.
pub(crate) fn planned() -> Vec<PlanDisturbance> {
    let seconds = |seconds| Some(Duration { seconds, nanos: 0 });
    let of = |at, [action, target, undone_by]: [&str; 3], lasts, lasting| PlanDisturbance {
        at,
        action: action.to_owned(),
        target: target.to_owned(),
        lasts,
        lasting,
        undone_by: undone_by.to_owned(),
    };
    let nothing = "nothing: their controllers make new ones";
    vec![
        of(seconds(60), ["deletePods", "1 of gateway", nothing], false, None),
        of(seconds(120), ["scaleToZero", "activator", "the replicas from before"], true, seconds(30)),
        of(seconds(180), ["cordon", "node w", "uncordoning the node"], true, None),
    ]
}
