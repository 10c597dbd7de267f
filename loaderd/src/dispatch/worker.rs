//! A worker: a thread with its own connections that makes the calls handed to it, and may run a companion in addition.

use std::{pin::Pin, rc::Rc, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::LocalSet,
};
use tokio_util::task::TaskTracker;

use super::{counters::Counters, exact_runtimes::ExactRuntimes, scale_state::ScaleState, tally::SlotTally};
use crate::{
    clock::Clock,
    invoke::{Call, Cancellation, ConnectionCount, Connections, Invoker, Outcome, Policy, Route, Sending, Status},
    plan::{Mark, PlannedInvocation},
    record::{Event, Flight, Row},
    spans::RunTrace,
};

/// How long closing the connections may take when the run is over.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Dropped by a worker when it is connected.
pub(super) struct Ready {
    /// How long that may take for each function.
    pub(super) within: Duration,
    pub(super) _connected: mpsc::Sender<()>,
}

/// Work that shares a worker's thread with its calls, which it has made at once. It is made where it is to run, so only its making
/// crosses threads.
pub(super) type Companion = Box<dyn FnOnce(Calls) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Makes a call on the thread that it is given to.
pub(super) type Calls = Box<dyn Fn(Job)>;

/// Which functions a worker calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// Its index among the workers.
    pub(super) worker: usize,
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

/// An invocation to make.
pub(super) struct Job {
    pub(super) planned: PlannedInvocation,
    /// Of its slot; absent in a plan that judges none.
    pub(super) tally: Option<Arc<SlotTally>>,
}

/// The settings and shared state of a worker.
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
    pub(super) scales: Arc<ScaleState>,
    pub(super) exact: Arc<ExactRuntimes>,
    pub(super) cancellation: Cancellation,
    pub(super) events: mpsc::Sender<Event>,
}

impl Worker {
    /// Connects, drops `ready`, and makes the calls that come, until no more can come and all have ended; in the meantime it
    /// runs the companion, if it is sent one.
    pub(super) fn run(self, due: mpsc::Receiver<Job>, companion: Option<oneshot::Receiver<Companion>>, ready: Ready) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => LocalSet::new().block_on(&runtime, self.work(due, companion, ready)),
            // Without a runtime no call can be made. The channel closes, so that each invocation becomes a row not_sent.
            Err(error) => log::error!("a worker cannot start: {error}"),
        }
    }

    async fn work(self, mut due: mpsc::Receiver<Job>, companion: Option<oneshot::Receiver<Companion>>, ready: Ready) {
        let drivers = TaskTracker::new();
        let connections = Connections::new(self.policy, drivers.clone(), self.count.clone(), self.clock);
        let invoker = Invoker::new(connections, self.clock);
        for (_, route) in self.routes.iter().enumerate().filter(|(function, _)| self.share.has(*function)) {
            let Some(route) = route else { continue };
            invoker.prepare(route, ready.within).await;
        }
        drop(ready);

        let (calls, shared) = (TaskTracker::new(), Rc::new((self, invoker)));
        let make = {
            let (calls, shared) = (calls.clone(), Rc::downgrade(&shared));
            move |job| {
                let Some(shared) = shared.upgrade() else { return };
                calls.spawn_local(async move {
                    let (worker, invoker) = &*shared;
                    // Boxed where it is made: a future that is spawned is copied some times on its way.
                    Box::pin(worker.make(invoker, job)).await;
                });
            }
        };
        if let Some(companion) = companion {
            let make = Box::new(make.clone());
            calls.spawn_local(async {
                // A run that is cancelled before its load starts sends none.
                if let Ok(companion) = companion.await {
                    companion(make).await;
                }
            });
        }
        while let Some(job) = due.recv().await {
            make(job);
        }
        calls.close();
        calls.wait().await;
        drop(shared);
        drivers.close();
        // A peer that does not close its side is left to the operating system.
        let _closed = tokio::time::timeout(CLOSE_TIMEOUT, drivers.wait()).await;
    }

    /// Makes one call and leaves its row.
    async fn make(&self, invoker: &Invoker, Job { planned, tally }: Job) {
        let noted = |sending: &Sending| tally.iter().for_each(|tally| tally.sent(&planned, sending));
        let outcome = match self.routes.get(planned.function.as_usize()).and_then(Option::as_ref) {
            Some(route) => invoker.call_noted(route, self.call(&planned), &self.cancellation, noted).await,
            None => Outcome::bare(Status::NotSent, "the function was not deployed"),
        };
        let outcome = self.exact.settle(&planned, outcome);
        let now = self.clock.now();
        let row = Box::new(Row { planned, outcome, flight: Flight::Until(now), worker: None });
        if planned.mark == Mark::Cold {
            self.scales.release(planned.function);
        }
        if let Some(tally) = &tally {
            tally.ended(&planned, &row.outcome, now);
        }
        self.counters.ended(planned.memory_mib);
        // The recorder outlives the workers. Waiting for room here delays no send.
        let _recorded = self.events.send(Event::Row(row)).await;
    }

    fn call(&self, planned: &PlannedInvocation) -> Call {
        Call {
            runtime_ms: planned.runtime_ms,
            exact_runtime_us: planned.exact_runtime_us(),
            memory_mib: planned.memory_mib,
            clock: self.runtime_clock,
            span: self.trace.and_then(|trace| trace.invocation(planned.id.unit, planned.id.number)),
            connect_timeout: self.connect_timeout,
            function_timeout: self.function_timeout,
        }
    }
}
