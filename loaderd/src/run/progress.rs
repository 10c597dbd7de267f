//! How far a run has come.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::{
    dispatch::Counters,
    metrics::WorkerFigures,
    plan::Outline,
    record::{Progress, WorkerProgress, WorkerStanding, WorkerState},
    units,
};

/// The window of the achieved rate.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// How far a run has come. While it is deployed, only the functions count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunProgress {
    /// Functions that are deployed.
    pub functions_ready: u32,
    /// Functions of the plan.
    pub functions_total: u32,
    /// The slot under way, from 0.
    pub slot: u32,
    /// Slots of the plan; absent when the plan is open-ended.
    pub slots_total: Option<u32>,
    /// Time since the first invocation was due; absent before the load.
    pub elapsed: Option<Duration>,
    /// How long the load lasts; absent when the plan is open-ended.
    pub planned_duration: Option<Duration>,
    /// Invocations of the whole plan; absent when the plan is open-ended.
    pub planned: Option<u64>,
    /// Invocations that have come due.
    pub due: u64,
    /// Invocations that were sent.
    pub issued: u64,
    /// Invocations that have ended, in whatever way.
    pub completed: u64,
    /// Of those, the ones that failed.
    pub failed: u64,
    /// Invocations that found a cold instance.
    pub cold_starts: u64,
    /// Invocations in flight now.
    pub in_flight: u64,
    /// Memory that they asked for, in MiB.
    pub memory_in_flight_mib: u64,
    /// The rate asked for in this slot, in invocations per second.
    pub target_rate: f64,
    /// The rate sent over the last seconds, in invocations per second.
    pub achieved_rate: f64,
    /// Dispatch lag of the last seconds, 99th percentile, in microseconds.
    pub lag_p99_us: Option<u64>,
    /// The loader's own lag of the last seconds, 99th percentile, in microseconds.
    pub own_lag_p99_us: Option<u64>,
    /// Response time of the last seconds, median, in microseconds.
    pub response_p50_us: Option<u64>,
    /// Response time of the last seconds, 99th percentile, in microseconds.
    pub response_p99_us: Option<u64>,
    /// Whether the loader was saturated in any slot so far.
    pub saturated: bool,
    /// The run's workers, by index; empty of a run without them.
    pub workers: Vec<WorkerProgress>,
}

/// What is known of a load in addition to its figures.
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
    pub(super) fn new(functions: usize, outline: &Outline) -> Self {
        let known = !outline.open_ended;
        Self {
            functions: units::to_u32(functions),
            slots: known.then(|| units::to_u32(outline.slots.len())),
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

/// The workers of a run as the metrics have them.
pub(super) fn exported(workers: &[WorkerProgress]) -> Vec<WorkerFigures> {
    let figures = |WorkerProgress { standing, own_lag_p99_us }: &WorkerProgress| WorkerFigures {
        worker: standing.index.0,
        is_up: matches!(standing.state, WorkerState::Ready | WorkerState::Ok | WorkerState::Resumed),
        is_lost: standing.state == WorkerState::Lost,
        due: standing.due,
        sent: standing.issued,
        in_flight: standing.in_flight,
        own_lag_p99: own_lag_p99_us.map(Duration::from_micros),
        clock_bound: standing.clock.map(|clock| clock.bound),
    };
    workers.iter().map(figures).collect()
}

/// Combines facts, counters, what workers report, and figures into a run's progress.
pub(super) fn progress(
    facts: &mut ProgressFacts,
    now: Instant,
    counters: &Counters,
    workers: &[WorkerStanding],
    figures: Progress,
) -> RunProgress {
    let Progress {
        missed: _,
        slot,
        phase: _,
        target_rate,
        completed,
        failed,
        cold_starts,
        lag_p99_us,
        own_lag_p99_us,
        response_p50_us,
        response_p99_us,
        saturated,
        workers: lags,
    } = figures;
    let issued = counters.issued();
    let elapsed = facts.t0.map_or(Duration::ZERO, |t0| now.saturating_duration_since(t0));
    RunProgress {
        functions_ready: facts.functions,
        functions_total: facts.functions,
        slot,
        slots_total: facts.slots,
        elapsed: Some(elapsed),
        planned_duration: facts.duration,
        planned: facts.planned,
        due: counters.due(),
        issued,
        completed,
        failed,
        cold_starts,
        in_flight: counters.in_flight(),
        memory_in_flight_mib: counters.memory_in_flight_mib(),
        target_rate,
        achieved_rate: facts.achieved_rate(now, issued),
        lag_p99_us,
        own_lag_p99_us,
        response_p50_us,
        response_p99_us,
        saturated,
        workers: WorkerProgress::of(workers, &lags),
    }
}
