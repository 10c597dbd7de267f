//! A worker: a thread with its own connections that makes the calls handed to it.

use std::{rc::Rc, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::LocalSet,
};
use tokio_util::task::TaskTracker;

use super::{Counters, ScaleBoard, lead::Lead};
use crate::{
    clock::Clock,
    invoke::{Abandon, Call, ConnectionCount, Connections, Invoker, Outcome, Policy, Route, Status},
    plan::Mark,
    record::{Event, Planned, Row},
    spans::RunTrace,
};

/// How long closing the connections may take when the run is over.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How a worker tells that it is connected: by dropping this.
pub(super) struct Ready {
    /// How long that may take for each function.
    pub(super) within: Duration,
    pub(super) _told: mpsc::Sender<()>,
}

/// One invocation to make, now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) planned: Planned,
}

/// Which functions a worker calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// Its place among the workers.
    pub(super) worker: usize,
    /// How many workers there are.
    pub(super) of: usize,
    /// Whether each function has one worker; otherwise each worker calls all functions.
    pub(super) by_function: bool,
}

impl Share {
    /// Whether this worker calls this function.
    fn has(self, function: usize) -> bool {
        !self.by_function || function % self.of == self.worker
    }
}

/// What a worker works with.
pub(super) struct Worker {
    /// By function; none where it was not deployed.
    pub(super) routes: Arc<[Option<Route>]>,
    pub(super) share: Share,
    pub(super) policy: Policy,
    pub(super) connect_timeout: Duration,
    pub(super) function_timeout: Duration,
    pub(super) runtime_clock: Option<&'static str>,
    pub(super) trace: Option<RunTrace>,
    pub(super) clock: Clock,
    pub(super) count: ConnectionCount,
    pub(super) counters: Arc<Counters>,
    pub(super) board: Arc<ScaleBoard>,
    pub(super) abandon: Abandon,
    pub(super) events: mpsc::Sender<Event>,
}

impl Worker {
    /// Connects, drops `prepared`, paces what `lead` brings, and makes calls until there are no more jobs and all calls have ended.
    pub(super) fn run(self, jobs: mpsc::Receiver<Job>, lead: Option<oneshot::Receiver<Lead>>, ready: Ready) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => LocalSet::new().block_on(&runtime, self.work(jobs, lead, ready)),
            // Without a runtime no call can be made. The jobs' channel closes, so that each becomes a row not_sent.
            Err(error) => log::error!("a worker cannot start: {error}"),
        }
    }

    async fn work(self, mut jobs: mpsc::Receiver<Job>, lead: Option<oneshot::Receiver<Lead>>, ready: Ready) {
        let drivers = TaskTracker::new();
        let connections = Connections::new(self.policy, drivers.clone(), self.count.clone(), self.clock);
        let invoker = Invoker::new(connections, self.clock);
        for (_, route) in self.routes.iter().enumerate().filter(|(function, _)| self.share.has(*function)) {
            let Some(route) = route else { continue };
            invoker.prepare(route, ready.within).await;
        }
        drop(ready);

        let calls = TaskTracker::new();
        if let Some(lead) = lead {
            calls.spawn_local(async {
                // A run that is given up before it starts brings none.
                if let Ok(lead) = lead.await {
                    lead.pace().await;
                }
            });
        }
        let shared = Rc::new((self, invoker));
        while let Some(job) = jobs.recv().await {
            let shared = Rc::clone(&shared);
            calls.spawn_local(async move {
                let (worker, invoker) = &*shared;
                worker.make(invoker, job).await;
            });
        }
        calls.close();
        calls.wait().await;
        drop(shared);
        drivers.close();
        // A peer that does not close its side is left to the operating system.
        let _closed = tokio::time::timeout(CLOSE_TIMEOUT, drivers.wait()).await;
    }

    /// Makes one call and leaves its row.
    async fn make(&self, invoker: &Invoker, Job { planned }: Job) {
        let outcome = match self.routes.get(planned.function.as_usize()).and_then(Option::as_ref) {
            Some(route) => invoker.call(route, self.call(&planned), &self.abandon).await,
            None => Outcome::bare(Status::NotSent, "the function was not deployed"),
        };
        let row = Box::new(Row { planned, outcome });
        if planned.mark == Mark::Cold {
            self.board.settle(planned.function);
        }
        self.counters.ended(planned.counts(), row.succeeded());
        // The recorder outlives the workers. Waiting for room here holds up no send.
        let _recorded = self.events.send(Event::Row(row)).await;
    }

    fn call(&self, planned: &Planned) -> Call {
        Call {
            runtime_ms: planned.runtime_us.saturating_add(500) / 1000,
            memory_mib: planned.memory_mib,
            clock: self.runtime_clock,
            span: self.trace.and_then(|trace| trace.invocation(planned.id.unit, planned.id.number)),
            connect_timeout: self.connect_timeout,
            function_timeout: self.function_timeout,
        }
    }
}
