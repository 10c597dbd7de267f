//! A run as it is shown.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use loader_proto::v1;
use tokio::time::Instant;

use super::{RunFile, State};
use crate::{dispatch::Counters, plan::Outline, record::Progress};

/// Over how long the achieved rate is taken.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// A run as it is shown: changes are published whole.
#[derive(Debug, Clone)]
pub struct RunView {
    /// Identity and state.
    pub file: RunFile,
    /// The spec as it was submitted.
    pub spec: Arc<v1::RunSpec>,
    /// How far it has come; absent before its load starts.
    pub progress: Option<v1::RunProgress>,
    /// What came out; present when its load had started and it ended in this process. That of an earlier process is in
    /// its directory.
    pub summary: Option<Arc<v1::RunSummary>>,
}

impl From<State> for v1::RunState {
    fn from(state: State) -> Self {
        match state {
            State::Queued => Self::Queued,
            State::Deploying => Self::Deploying,
            State::WarmingUp => Self::WarmingUp,
            State::Running => Self::Running,
            State::Draining => Self::Draining,
            State::Cleaning => Self::Cleaning,
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
            State::Interrupted => Self::Interrupted,
        }
    }
}

/// What is known of a load beside its figures.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgressFacts {
    pub(super) functions: u32,
    pub(super) slots: Option<u32>,
    pub(super) planned: Option<u64>,
    pub(super) duration: Option<Duration>,
    pub(super) t0: Option<Instant>,
    pub(super) issued: VecDeque<(Instant, u64)>,
}

impl ProgressFacts {
    /// What is known before the load begins. The whole of an open-ended plan is not known.
    pub(super) fn new(functions: u32, outline: &Outline) -> Self {
        let known = !outline.open_ended;
        Self {
            functions,
            slots: known.then(|| u32::try_from(outline.slots.len()).unwrap_or(u32::MAX)),
            planned: known.then(|| outline.invocations()),
            duration: known.then(|| outline.duration()),
            ..Self::default()
        }
    }

    /// Sends per second, over the window that ends now.
    fn achieved_rate(&mut self, now: Instant, issued: u64) -> f64 {
        self.issued.push_back((now, issued));
        while self.issued.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= RATE_WINDOW) {
            self.issued.pop_front();
        }
        let Some(&(from, before)) = self.issued.front() else { return 0.0 };
        let seconds = now.duration_since(from).as_secs_f64();
        if seconds > 0.0 { issued.saturating_sub(before) as f64 / seconds } else { 0.0 }
    }
}

/// Puts a run's progress together.
pub(super) fn progress(
    facts: &mut ProgressFacts,
    now: Instant,
    counters: &Counters,
    figures: Progress,
) -> v1::RunProgress {
    let Progress {
        slot,
        phase: _,
        target_rate,
        completed,
        failed,
        cold_starts,
        lag_p99_us,
        response_p50_us,
        response_p99_us,
        saturated,
    } = figures;
    let issued = counters.issued();
    let elapsed = facts.t0.map_or(Duration::ZERO, |t0| now.saturating_duration_since(t0));
    v1::RunProgress {
        functions_ready: facts.functions,
        functions_total: facts.functions,
        slot,
        slots_total: facts.slots.unwrap_or_default(),
        elapsed: prost_types::Duration::try_from(elapsed).ok(),
        planned_duration: facts.duration.and_then(|duration| prost_types::Duration::try_from(duration).ok()),
        planned: facts.planned.unwrap_or_default(),
        due: counters.due(),
        issued,
        completed,
        failed,
        cold_starts,
        in_flight: counters.in_flight(),
        target_rate,
        achieved_rate: facts.achieved_rate(now, issued),
        lag_p99_us,
        response_p50_us,
        response_p99_us,
        saturated,
    }
}
