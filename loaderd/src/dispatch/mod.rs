//! Dispatch: hands each invocation out at its due time, without waiting for earlier answers, and leaves a row for each.
//!
//! ```text
//! planner thread ──items──▶ dispatcher ──invocations──▶ workers ──rows──▶ recorder thread
//!   (plan, ahead)          (due times)                (connections, calls)
//!                       └─ one thread; with several workers: a thread each ─┘
//! ```
//!
//! The dispatcher waits only for time, and between slots that a plan judges until what is in flight has drained. What cannot be
//! handed out (too many invocations in flight already) becomes a row with status `not_sent`.

mod counters;
mod dispatcher;
mod exact_runtimes;
mod floor;
mod handoff;
mod heartbeat;
mod isolation;
mod memory_gauge;
mod pacer;
mod phases;
mod plan_feed;
mod scale_state;
mod sleeper;
mod slot_end;
mod tally;
mod thread;
mod worker;

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};

pub use counters::Counters;
pub use floor::pacing_floor;
pub use heartbeat::Heartbeat;
pub use isolation::{Isolation, IsolationError};
pub use phases::Phases;
pub use plan_feed::OutcomeExchange;
pub use scale_state::ScaleState;
pub use sleeper::Stop;
pub use thread::{Lost, Running};

use crate::{
    clock::{Anchor, Clock},
    id::RunId,
    invoke::{Cancellation, ConnectionCount, Policy, Route, Status},
    plan::{Plan, Rounding, Unit},
    record::Event,
    spans::RunTrace,
};
use dispatcher::Dispatcher;
use exact_runtimes::ExactRuntimes;
use handoff::Routing;
use memory_gauge::MemoryGauge;
use slot_end::SlotEnds;
use worker::{Companion, Job, Ready, Share, Worker};

/// Time limit for making a pool's connections before the load starts.
const PREPARE_TIMEOUT: Duration = Duration::from_secs(5);

/// How a run's invocations are dispatched.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Worker threads, at least 1.
    pub workers: usize,
    /// How connections are shared, over all workers; a pool has at least one connection for each worker.
    pub policy: Policy,
    /// Maximum number of invocations in flight.
    pub max_in_flight: u32,
    /// Maximum memory that the invocations in flight ask for together, in MiB; absent: no bound.
    pub max_memory_in_flight_mib: Option<u32>,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long an answer may take, counted from the send.
    pub function_timeout: Duration,
    /// The clock by which functions measure run times; absent: their own choice.
    pub runtime_clock: Option<&'static str>,
    /// The seed of the plan.
    pub seed: u64,
    /// Id of the run.
    pub run: RunId,
    /// The run's trace, where spans are exported.
    pub trace: Option<RunTrace>,
    /// Which slots are measured.
    pub phases: Phases,
    /// Processors and priority of the sending threads.
    pub isolation: Isolation,
    /// The heartbeat that the pacer updates.
    pub heartbeat: Heartbeat,
    /// The clock of all time stamps.
    pub clock: Clock,
}

/// A dispatch that is ready: its workers are connected.
pub struct Dispatch {
    settings: Settings,
    events: mpsc::Sender<Event>,
    to_workers: Vec<mpsc::Sender<Job>>,
    workers: Vec<Running<()>>,
    /// To the only worker, on whose thread the dispatcher runs; absent where the dispatcher has a thread of its own.
    companion: Option<oneshot::Sender<Companion>>,
    counters: Arc<Counters>,
    connections: ConnectionCount,
    scales: Arc<ScaleState>,
    exact: Arc<ExactRuntimes>,
    cancellation: Cancellation,
}

/// A dispatch under way.
pub struct Dispatching {
    planner: Running<Box<dyn Plan>>,
    pacer: Running<()>,
    workers: Vec<Running<()>>,
    stop: Stop,
    cancellation: Cancellation,
}

impl Dispatch {
    /// Starts the workers and lets them connect to `routes`, one for each function of the plan.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub async fn prepare(
        settings: Settings,
        routes: Arc<[Option<Route>]>,
        scales: Arc<ScaleState>,
        events: mpsc::Sender<Event>,
    ) -> std::io::Result<Self> {
        let counters = Arc::new(Counters::default());
        let connections = ConnectionCount::default();
        let cancellation = Cancellation::default();
        let exact = Arc::new(ExactRuntimes::unknown(routes.len()));
        let count = settings.workers.max(1);
        let (prepared, mut all_prepared) = mpsc::channel(count);
        let (mut to_workers, mut workers) = (Vec::new(), Vec::new());
        let (companion, mut companioned) = if count == 1 { Some(oneshot::channel()).unzip() } else { (None, None) };
        for index in 0..count {
            // As many as may be in flight at all, so that the channel is never full.
            let (sender, receiver) = mpsc::channel(settings.max_in_flight as usize);
            let worker = Worker {
                routes: Arc::clone(&routes),
                share: Share { worker: index, of: count, by_function: settings.policy == Policy::PerFunction },
                policy: match settings.policy {
                    Policy::Pooled(connections) => Policy::Pooled(connections.div_ceil(count)),
                    policy @ (Policy::PerFunction | Policy::PerInvocation) => policy,
                },
                connect_timeout: settings.connect_timeout,
                function_timeout: settings.function_timeout,
                runtime_clock: settings.runtime_clock,
                trace: settings.trace,
                clock: settings.clock,
                count: connections.clone(),
                counters: Arc::clone(&counters),
                scales: Arc::clone(&scales),
                exact: Arc::clone(&exact),
                cancellation: cancellation.clone(),
                events: events.clone(),
            };
            let ready = Ready { within: PREPARE_TIMEOUT, _connected: prepared.clone() };
            let (run, isolation, companion) = (settings.run.clone(), settings.isolation.clone(), companioned.take());
            let run = move || {
                warn_if_refused(
                    &run,
                    if companion.is_some() { isolation.isolate_pacer() } else { isolation.isolate_worker() },
                );
                worker.run(receiver, companion, ready);
            };
            workers.push(Running::start(&format!("worker-{index}"), run)?);
            to_workers.push(sender);
        }
        drop(prepared);
        while all_prepared.recv().await.is_some() {}
        Ok(Self {
            settings,
            events,
            to_workers,
            workers,
            companion,
            counters,
            connections,
            scales,
            exact,
            cancellation,
        })
    }

    /// The counters, which are updated while the load runs.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The number of connections.
    pub fn connections(&self) -> ConnectionCount {
        self.connections.clone()
    }

    /// Starts the load: offsets of the plan count from `t0`.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start(self, plan: Box<dyn Plan>, t0: Anchor) -> std::io::Result<Dispatching> {
        self.start_exchanging(plan, t0, OutcomeExchange::direct())
    }

    /// The same of a share of a plan, which gets the outcomes of its slots as `exchange` says.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start_exchanging(
        self,
        plan: Box<dyn Plan>,
        t0: Anchor,
        exchange: OutcomeExchange,
    ) -> std::io::Result<Dispatching> {
        let Self {
            settings,
            events,
            to_workers,
            workers,
            companion,
            counters,
            connections,
            scales,
            exact,
            cancellation,
        } = self;
        let unit: Unit = plan.unit();
        let outcomes_wanted = plan.needs_outcomes();
        let judging = plan.judging();
        let cold_pool = plan.cold_pool();
        let rounding = Rounding::new(settings.seed, plan.functions().iter().map(|function| function.name.as_str()));
        let OutcomeExchange { own: outcomes, decided } = exchange;
        let (planner_end, feed) = plan_feed::feed(settings.phases.clone(), decided);
        let planner = Running::start("planner", move || planner_end.run(plan))?;
        let stop = Stop::default();
        let slot_ends =
            judging.map(|judging| SlotEnds::new(judging, t0.instant, settings.clock, stop.clone(), connections));
        let routing = Routing {
            workers: to_workers,
            events,
            counters,
            scales,
            exact,
            rounding,
            cold_pool,
            max_in_flight: settings.max_in_flight.into(),
            memory: MemoryGauge::new(settings.max_memory_in_flight_mib, settings.clock),
            by_function: settings.policy == Policy::PerFunction,
            slot_ends,
            outcomes: outcomes_wanted.then_some(outcomes),
        };
        let (paced, pacer) = Running::reported_by("pacer");
        let (clock, heartbeat) = (settings.clock, settings.heartbeat);
        let dispatcher = Dispatcher { feed, unit, t0, clock, stop: stop.clone(), heartbeat, routing, paced };
        match companion {
            // A worker that panicked has dropped its end; the pacer then counts as lost.
            Some(worker) => drop(worker.send(Box::new(move |here| Box::pin(dispatcher.dispatch(Some(here)))))),
            None => {
                let thread = std::thread::Builder::new().name("pacer".to_owned());
                thread.spawn(move || {
                    warn_if_refused(&settings.run, settings.isolation.isolate_pacer());
                    if let Err(error) = dispatcher.dispatch_here() {
                        log::error!(RUN_ID = settings.run.as_str(); "the pacer cannot start: {error}");
                    }
                })?;
            }
        }
        Ok(Dispatching { planner, pacer, workers, stop, cancellation })
    }
}

/// Isolation that was allowed when the daemon started may be refused now. The run goes on; its lag shows the effect.
fn warn_if_refused(run: &RunId, isolated: Result<(), IsolationError>) {
    if let Err(error) = isolated {
        log::warn!(RUN_ID = run.as_str(); "{error}");
    }
}

impl Dispatching {
    /// Stops sending; calls in flight continue.
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// Ends every call in flight with `status`.
    pub fn cancel_calls(&self, status: Status) {
        self.cancellation.cancel(status);
    }

    /// Waits until the last invocation was handed out.
    ///
    /// # Errors
    /// A thread that panicked.
    pub async fn paced(&mut self) -> Result<(), Lost> {
        self.pacer.wait().await
    }

    /// Waits until everything that was sent has ended. Call [`Dispatching::paced`] first.
    ///
    /// # Errors
    /// A thread that panicked.
    pub async fn drained(&mut self) -> Result<(), Lost> {
        for worker in &mut self.workers {
            worker.wait().await?;
        }
        Ok(())
    }

    /// The plan, with its counts. Call [`Dispatching::paced`] first.
    ///
    /// # Errors
    /// A thread that panicked.
    pub async fn into_plan(mut self) -> Result<Box<dyn Plan>, Lost> {
        self.planner.take().await
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
