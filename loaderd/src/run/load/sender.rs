//! Who sends a load: threads of this process, or the workers of the run. Both are started, stopped and awaited in the same way.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    clock::{Anchor, Clock},
    dispatch::{Counters, Dispatch, Dispatching},
    invoke::{ConnectionCount, Status},
    plan::Plan,
    record::{Event, WorkerFacts, WorkerStanding},
    run::failure::LoadError,
    workers::Coordination,
};

/// From everything being ready to the first due time: enough for all threads to be running.
const START_DELAY: Duration = Duration::from_millis(100);

/// A sender that is ready.
pub(super) enum Prepared {
    /// Threads of this process.
    Here(Box<Dispatch>),
    /// Workers.
    ByWorkers(Box<Coordination>),
}

/// A sender at work.
pub(super) enum Sender {
    /// Threads of this process.
    Here(Box<Dispatching>),
    /// Workers.
    ByWorkers(Box<Coordination>),
}

impl Prepared {
    /// When the load may begin.
    pub(super) fn t0(&self, clock: Clock) -> Anchor {
        match self {
            Self::Here(_) => {
                let now = clock.anchor();
                Anchor { instant: now.instant + START_DELAY, unix: now.unix.plus(START_DELAY) }
            }
            Self::ByWorkers(workers) => workers.t0(),
        }
    }

    /// The counters, which are updated while the load runs.
    pub(super) fn counters(&self) -> Arc<Counters> {
        match self {
            Self::Here(dispatch) => dispatch.counters(),
            Self::ByWorkers(workers) => workers.counters(),
        }
    }

    /// The number of connections.
    pub(super) fn connections(&self) -> ConnectionCount {
        match self {
            Self::Here(dispatch) => dispatch.connections(),
            Self::ByWorkers(workers) => workers.connections(),
        }
    }

    /// Starts the load: offsets of the plan count from `t0`. Workers have made the plan themselves, and their events go to `events`.
    pub(super) async fn start(
        self,
        plan: Box<dyn Plan>,
        t0: Anchor,
        events: &mpsc::Sender<Event>,
    ) -> Result<Sender, LoadError> {
        match self {
            Self::Here(dispatch) => {
                let dispatching = dispatch.start(plan, t0).map_err(LoadError::Pacing)?;
                Ok(Sender::Here(Box::new(dispatching)))
            }
            Self::ByWorkers(workers) => {
                workers.start(t0, events.clone()).await;
                Ok(Sender::ByWorkers(workers))
            }
        }
    }
}

impl Sender {
    /// Stops sending; calls in flight continue.
    pub(super) fn stop(&self) {
        match self {
            Self::Here(dispatching) => dispatching.stop(),
            Self::ByWorkers(workers) => workers.stop(),
        }
    }

    /// Ends every call in flight with `status`.
    pub(super) fn cancel_calls(&self, status: Status) {
        match self {
            Self::Here(dispatching) => dispatching.cancel_calls(status),
            Self::ByWorkers(workers) => workers.end_calls(status),
        }
    }

    /// What is not recorded here soon is given up. Threads of this process record at once.
    pub(super) fn hurry(&self) {
        match self {
            Self::Here(_) => {}
            Self::ByWorkers(workers) => workers.hurry(),
        }
    }

    /// Waits until the last invocation was handed out; the inner error is why the load can't go on without a worker.
    pub(super) async fn paced(&mut self) -> Result<Result<(), String>, LoadError> {
        match self {
            Self::Here(dispatching) => dispatching.paced().await?,
            Self::ByWorkers(workers) => return Ok(workers.paced_or_failed().await?),
        }
        Ok(Ok(()))
    }

    /// Waits until everything is handed out that still may be, once it was stopped.
    pub(super) async fn stopped(&mut self) -> Result<(), LoadError> {
        match self {
            Self::Here(dispatching) => Ok(dispatching.paced().await?),
            Self::ByWorkers(workers) => Ok(workers.paced().await?),
        }
    }

    /// Waits until everything that was sent has ended. Call [`Sender::paced`] first.
    pub(super) async fn drained(&mut self) -> Result<(), LoadError> {
        match self {
            Self::Here(dispatching) => Ok(dispatching.drained().await?),
            Self::ByWorkers(workers) => Ok(workers.drained().await?),
        }
    }

    /// How each worker stands.
    pub(super) fn standings(&self) -> Arc<[WorkerStanding]> {
        match self {
            Self::Here(_) => Arc::from([]),
            Self::ByWorkers(workers) => workers.standings(),
        }
    }

    /// Waits until the sender has ended; what is known of the workers.
    pub(super) async fn ended(self) -> Result<Vec<WorkerFacts>, LoadError> {
        match self {
            Self::Here(dispatching) => dispatching.into_plan().await.map(|_| Vec::new()).map_err(LoadError::from),
            Self::ByWorkers(workers) => {
                let facts = workers.facts();
                workers.finish().await;
                Ok(facts)
            }
        }
    }
}
