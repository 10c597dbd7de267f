//! The progress of a run.

use loader_proto::v1;
use prost_types::Duration;

use super::workers;
use crate::run::RunProgress;

/// Converts progress. What is not known in advance is zero, or absent.
pub(super) fn progress(progress: &RunProgress) -> v1::RunProgress {
    let RunProgress {
        functions_ready,
        functions_total,
        slot,
        slots_total,
        elapsed,
        planned_duration,
        planned,
        due,
        issued,
        completed,
        failed,
        cold_starts,
        in_flight,
        memory_in_flight_mib,
        target_rate,
        achieved_rate,
        lag_p99_us,
        own_lag_p99_us,
        response_p50_us,
        response_p99_us,
        saturated,
        workers: ref sent_by,
    } = *progress;
    v1::RunProgress {
        functions_ready,
        functions_total,
        slot,
        slots_total: slots_total.unwrap_or_default(),
        elapsed: elapsed.and_then(|elapsed| Duration::try_from(elapsed).ok()),
        planned_duration: planned_duration.and_then(|duration| Duration::try_from(duration).ok()),
        planned: planned.unwrap_or_default(),
        due,
        issued,
        completed,
        failed,
        cold_starts,
        in_flight,
        memory_in_flight_mib,
        target_rate,
        achieved_rate,
        lag_p99_us,
        own_lag_p99_us,
        response_p50_us,
        response_p99_us,
        saturated,
        workers: sent_by.iter().map(workers::progress).collect(),
    }
}
