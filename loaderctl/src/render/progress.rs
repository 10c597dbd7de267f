//! How far a run has come, for the live view and for logs.

use std::time::Duration;

use loader_proto::v1::{Run, RunProgress, RunState};

use super::{
    units::{duration, known, mib, micros, part, rate, wire_duration},
    workers,
};

/// The name of a state, as in `RUNNING`.
pub(crate) fn state_name(state: RunState) -> &'static str {
    let name = state.as_str_name();
    name.strip_prefix("RUN_STATE_").unwrap_or(name)
}

/// How long the load has lasted.
pub(crate) fn elapsed(run: &Run) -> Duration {
    wire_duration(run.progress.as_ref().and_then(|progress| progress.elapsed)).unwrap_or_default()
}

/// How long the load will last, where that is known.
pub(crate) fn planned(run: &Run) -> Option<Duration> {
    wire_duration(run.progress.as_ref().and_then(|progress| progress.planned_duration))
}

/// The state, with the position in the queue, the functions or the slot.
pub(crate) fn stage(run: &Run) -> String {
    let state = state_name(run.state());
    match (run.state(), &run.progress) {
        (RunState::Cleaning, _) if !run.waiting_for.is_empty() => format!("{state}  waits: {}", run.waiting_for),
        (RunState::Queued, _) => format!("{state}  position {} in the queue", run.queue_position),
        (RunState::Deploying, Some(progress)) => {
            format!("{state}  functions {}/{}", progress.functions_ready, progress.functions_total)
        }
        (_, Some(RunProgress { slot, slots_total: 0, .. })) => format!("{state}  slot {}", slot.saturating_add(1)),
        (_, Some(RunProgress { slot, slots_total, .. })) => {
            format!("{state}  slot {}/{slots_total}", slot.saturating_add(1))
        }
        (_, None) => state.to_owned(),
    }
}

/// Elapsed and planned time.
pub(crate) fn time(run: &Run) -> String {
    let elapsed = duration(elapsed(run));
    planned(run).map_or_else(|| elapsed.clone(), |planned| format!("{elapsed}/{}", duration(planned)))
}

/// The figures of the last seconds, load, counts and latencies on a line each, and how many workers are in which state, where there are
/// some, none longer than 76 columns; none before the load starts.
pub(crate) fn figures(run: &Run) -> Vec<String> {
    let Some(progress) = &run.progress else { return Vec::new() };
    let load = format!(
        "target {}  achieved {}  in flight {} ({})",
        rate(progress.target_rate),
        rate(progress.achieved_rate),
        progress.in_flight,
        mib(progress.memory_in_flight_mib as f64),
    );
    let ended = format!(
        "completed {}  failed {} ({})  cold {}",
        progress.completed,
        progress.failed,
        part(progress.failed, progress.completed),
        progress.cold_starts,
    );
    let latencies = format!(
        "lag p99 {}  response p50 {} p99 {}{}",
        known(progress.lag_p99_us, micros),
        known(progress.response_p50_us, micros),
        known(progress.response_p99_us, micros),
        if progress.saturated { "  THE LOADER IS THE BOTTLENECK" } else { "" },
    );
    let mut lines = vec![load, ended, latencies];
    lines.extend(workers::standing(&progress.workers));
    lines
}

/// All of it on one line.
pub(crate) fn line(run: &Run) -> String {
    let stage = stage(run);
    match (run.state(), &run.progress) {
        (RunState::Queued | RunState::Deploying, _) | (_, None) => format!("{}  {stage}", run.run_id),
        (_, Some(_)) => format!("{}  {stage}  {}  {}", run.run_id, time(run), figures(run).join("  ")),
    }
}
