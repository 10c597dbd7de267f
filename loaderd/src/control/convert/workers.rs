//! The workers of a run: how far they have come, and what is known of them at its end.

use loader_proto::v1;

use super::counts::counts;
use crate::{
    plan::distribution,
    record::{ClockBound, ClockError, WorkerClock, WorkerProgress, WorkerStanding, WorkerSummary},
    units::{micros, nanos},
};

pub(super) fn progress(progress: &WorkerProgress) -> v1::WorkerProgress {
    let WorkerProgress { standing, own_lag_p99_us } = progress;
    let WorkerStanding { index, node, state, reason, due, issued, in_flight, batches_kept, clock } = standing;
    v1::WorkerProgress {
        worker: index.0.into(),
        node: node.clone(),
        state: state.as_str().to_owned(),
        reason: reason.clone(),
        due: *due,
        issued: *issued,
        in_flight: *in_flight,
        own_lag_p99_us: *own_lag_p99_us,
        batches_kept: *batches_kept,
        clock: clock.map(clock_offset),
    }
}

pub(super) fn summary(summary: &WorkerSummary) -> v1::WorkerSummary {
    let WorkerSummary {
        index,
        node,
        pod,
        state,
        reason,
        clock,
        batches,
        bytes,
        rows,
        measured,
        dispatch_lag_us,
        own_lag_us,
        receive_lag_us,
        stalls,
        longest_stall,
        total_stall,
        saturated_slots,
    } = summary;
    v1::WorkerSummary {
        worker: index.0.into(),
        node: node.clone(),
        pod: pod.clone(),
        state: state.as_str().to_owned(),
        reason: reason.clone(),
        rows: *rows,
        counts: Some(counts(measured)),
        dispatch_lag_us: Some(distribution(dispatch_lag_us)),
        own_lag_us: Some(distribution(own_lag_us)),
        receive_lag_us: Some(distribution(receive_lag_us)),
        stalls: *stalls,
        longest_stall_us: micros(*longest_stall),
        total_stall_us: micros(*total_stall),
        saturated_slots: *saturated_slots,
        clock: clock.as_ref().map(worker_clock),
        batches: *batches,
        bytes: *bytes,
    }
}

pub(super) fn clock_error(error: &ClockError) -> v1::ClockError {
    let ClockError { max, workers, worst } = error;
    v1::ClockError {
        max_ns: nanos(*max),
        workers: workers.iter().map(|worker| worker.0.into()).collect(),
        worst_bound_ns: nanos(*worst),
    }
}

fn worker_clock(clock: &WorkerClock) -> v1::WorkerClock {
    let WorkerClock { first, last, worst, exchanges } = *clock;
    v1::WorkerClock {
        first: Some(clock_offset(first)),
        last: Some(clock_offset(last)),
        worst_bound_ns: nanos(worst),
        exchanges,
    }
}

fn clock_offset(offset: ClockBound) -> v1::ClockOffset {
    let ClockBound { offset_ns, bound } = offset;
    v1::ClockOffset { offset_ns, bound_ns: nanos(bound) }
}
