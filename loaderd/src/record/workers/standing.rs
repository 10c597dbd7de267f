//! What the coordinator knows of a worker, while the load goes and at its end.

use std::{collections::BTreeMap, time::Duration};

use crate::id::WorkerIndex;

/// How it stands with a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WorkerState {
    /// It was asked for, and is not ready yet.
    #[default]
    Starting,
    /// It waits for the start of the load.
    Ready,
    /// It sends, or has sent, its share.
    Ok,
    /// It has not reported for some seconds.
    Suspect,
    /// It was given up: what it had not sent was not sent.
    Lost,
    /// It was lost, and has handed over what it had sent meanwhile.
    Resumed,
}

impl WorkerState {
    /// The state as in the API and in summary.json.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Ok => "ok",
            Self::Suspect => "suspect",
            Self::Lost => "lost",
            Self::Resumed => "resumed",
        }
    }
}

/// A worker's clock compared with the coordinator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockBound {
    /// The coordinator's clock minus the worker's, in nanoseconds.
    pub offset_ns: i64,
    /// The offset lies within ± this.
    pub bound: Duration,
}

/// What is known of a worker's clock over the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerClock {
    /// Before the start of the load: by it the worker knew t0.
    pub first: ClockBound,
    /// The last one.
    pub last: ClockBound,
    /// The greatest bound of all.
    pub worst: Duration,
    /// Exchanges of time stamps in all.
    pub exchanges: u64,
}

/// How a worker stands, as the coordinator knows from its reports.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerStanding {
    /// Its number.
    pub index: WorkerIndex,
    /// The node that it runs on; empty while it is not known.
    pub node: String,
    /// Its state.
    pub state: WorkerState,
    /// Why it is not ready, or was lost; empty otherwise.
    pub reason: String,
    /// Invocations of its share that have come due.
    pub due: u64,
    /// Invocations that it has sent.
    pub issued: u64,
    /// Invocations in flight.
    pub in_flight: u64,
    /// Batches of records that it keeps until they are taken.
    pub batches_kept: u64,
    /// Its clock, as compared last; absent until then.
    pub clock: Option<ClockBound>,
}

/// What the last seconds' rows of a worker show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerLag {
    /// The worker.
    pub index: WorkerIndex,
    /// The loader's own lag, 99th percentile, in microseconds.
    pub own_lag_p99_us: Option<u64>,
}

/// How far a worker has come.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerProgress {
    /// What it reports.
    pub standing: WorkerStanding,
    /// Own lag of its rows of the last seconds, 99th percentile, in microseconds.
    pub own_lag_p99_us: Option<u64>,
}

impl WorkerProgress {
    /// What is reported and what the rows show, by index.
    pub fn of(standings: &[WorkerStanding], lags: &[WorkerLag]) -> Vec<Self> {
        let lags: BTreeMap<_, _> = lags.iter().map(|lag| (lag.index, lag.own_lag_p99_us)).collect();
        let with_lag = |standing: &WorkerStanding| Self {
            own_lag_p99_us: lags.get(&standing.index).copied().flatten(),
            standing: standing.clone(),
        };
        standings.iter().map(with_lag).collect()
    }
}

/// What the coordinator knows of a worker at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerFacts {
    /// Its number.
    pub index: WorkerIndex,
    /// The node that it ran on; empty when that is not known.
    pub node: String,
    /// Its pod; empty outside clusters.
    pub pod: String,
    /// Its clock against the coordinator's; absent when they were not compared.
    pub clock: Option<WorkerClock>,
    /// Its state at the end.
    pub state: WorkerState,
    /// Why it was lost; empty otherwise.
    pub reason: String,
    /// Batches of records that were taken from it.
    pub batches: u64,
    /// Their length as they were transferred, in bytes.
    pub bytes: u64,
}

impl WorkerFacts {
    /// A worker of which nothing is known but what its rows show.
    pub(super) fn unknown(index: WorkerIndex) -> Self {
        Self {
            index,
            node: String::new(),
            pod: String::new(),
            clock: None,
            state: WorkerState::Ok,
            reason: String::new(),
            batches: 0,
            bytes: 0,
        }
    }
}
