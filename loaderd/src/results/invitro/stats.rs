//! `_kn_stats_`: the autoscaler, the activator and the scheduler.

use loader_proto::schema::{AutoscalerRecord, Fixed, Rounded};
use serde::Serialize;

/// What stands for a value that could not be had, as there.
const NOT_AVAILABLE: i32 = -99;

/// The columns of [`KnativeStats`].
pub(super) const COLUMNS: [&str; 14] = [
    "timestamp",
    "desired_pods",
    "unready_pods",
    "pending_pods",
    "requested_pods",
    "running_pods",
    "activator_queue",
    "activator_request_count",
    "autoscaler_stable_queue",
    "autoscaler_panic_queue",
    "scheduling_p95",
    "scheduling_p50",
    "e2e_placement_p95",
    "e2e_placement_p50",
];

/// A row; the scheduler's times are in seconds.
#[derive(Debug, Serialize)]
pub(super) struct KnativeStats {
    timestamp: i64,
    desired_pods: i64,
    unready_pods: i64,
    pending_pods: i64,
    requested_pods: i64,
    running_pods: i64,
    activator_queue: f64,
    activator_request_count: i64,
    autoscaler_stable_queue: f64,
    autoscaler_panic_queue: f64,
    scheduling_p95: f64,
    scheduling_p50: f64,
    e2e_placement_p95: f64,
    e2e_placement_p50: f64,
}

/// The row of a record.
pub(super) fn knative_stats(record: AutoscalerRecord) -> KnativeStats {
    let AutoscalerRecord {
        unix_us,
        desired_pods,
        unready_pods,
        pending_pods,
        requested_pods,
        running_pods,
        activator_queue,
        activator_request_count,
        stable_concurrency,
        panic_concurrency,
        scheduling_p50_us,
        scheduling_p95_us,
        placement_p50_us,
        placement_p95_us,
        stable_rps: _,
        panic_rps: _,
    } = record;
    KnativeStats {
        timestamp: unix_us,
        desired_pods: count(desired_pods),
        unready_pods: count(unready_pods),
        pending_pods: count(pending_pods),
        requested_pods: count(requested_pods),
        running_pods: count(running_pods),
        activator_queue: number(activator_queue),
        activator_request_count: count(activator_request_count),
        autoscaler_stable_queue: number(stable_concurrency),
        autoscaler_panic_queue: number(panic_concurrency),
        scheduling_p95: seconds(scheduling_p95_us),
        scheduling_p50: seconds(scheduling_p50_us),
        e2e_placement_p95: seconds(placement_p95_us),
        e2e_placement_p50: seconds(placement_p50_us),
    }
}

fn number(value: Option<Rounded<3>>) -> f64 {
    value.map_or(NOT_AVAILABLE.into(), |value| value.0)
}

fn count(value: Option<Rounded<3>>) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a number of pods or invocations, which a cast saturates")]
    value.map_or(NOT_AVAILABLE.into(), |value| value.0.round() as i64)
}

fn seconds(value: Option<Fixed<0>>) -> f64 {
    value.map_or(NOT_AVAILABLE.into(), |micros| micros.0 / 1e6)
}
