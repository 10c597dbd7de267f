//! Messages for tests.

use loader_proto::v1::{Run, RunProgress, RunState};
use prost_types::Duration;

/// A run under way.
pub(crate) fn running() -> Run {
    Run {
        run_id: "01R".to_owned(),
        state: RunState::Running.into(),
        mode: "burst".to_owned(),
        platform: "local".to_owned(),
        directory: "/var/lib/loader/runs/01R".to_owned(),
        progress: Some(RunProgress {
            functions_ready: 3,
            functions_total: 3,
            slot: 3,
            slots_total: 14,
            elapsed: Some(Duration { seconds: 12, nanos: 340_000_000 }),
            planned_duration: Some(Duration { seconds: 125, nanos: 0 }),
            planned: 520,
            due: 101,
            issued: 100,
            completed: 95,
            failed: 2,
            cold_starts: 3,
            in_flight: 5,
            target_rate: 8.0,
            achieved_rate: 7.92,
            lag_p99_us: 85,
            response_p50_us: 51_200,
            response_p99_us: 1_234_567,
            saturated: false,
        }),
        ..Run::default()
    }
}
