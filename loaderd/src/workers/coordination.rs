//! The workers of a run, for its load: the same as a dispatch in this process, but that others send.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    Assigned, NotReady, PlanFacts, Times, Token, TraceFiles,
    bounds::{DECODED, START_LEAD},
    coordinator::{Coordinator, Heard, PlanAgain, Published, Settings, Stage},
    merge::Merge,
    messages::{Message, Orders},
    serve::Listening,
    service::Service,
    session::Handle,
    waiting::{first_reason, missing},
};
use crate::{
    clock::{Anchor, Clock},
    dispatch::{Counters, Phases, ScaleState},
    id::RunId,
    invoke::{ConnectionCount, Status},
    platform::WorkerNews,
    record::{Event, WorkerFacts, WorkerStanding},
    spec::Workers,
};

/// Messages of all sessions that wait for the coordinator.
const MESSAGES: usize = 256;

/// News of the platform that wait for the coordinator.
const NEWS: usize = 64;

/// How long workers may take to leave once the run is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// A run that is coordinated.
pub struct Coordinated<'a> {
    /// Its id.
    pub run: &'a RunId,
    /// Its workers, as the spec has them.
    pub workers: &'a Workers,
    /// The seed of its plan.
    pub seed: u64,
    /// Facts of its plan.
    pub facts: PlanFacts,
    /// Makes the plan again, should a worker be lost.
    pub plan_again: PlanAgain,
    /// What its workers do.
    pub assigned: Assigned,
    /// Its trace; absent without one.
    pub trace: Option<TraceFiles>,
    /// Which slots are measured.
    pub phases: Phases,
    /// The scales of its functions.
    pub scales: Arc<ScaleState>,
    /// When a worker counts as what.
    pub times: Times,
    /// Events that wait for the recorder; beyond them no batch is taken.
    pub most_pending: usize,
    /// The clock of all time stamps.
    pub clock: Clock,
}

/// The workers of a run, from before they are started to after they have left.
pub struct Coordination {
    /// The coordinator and its server; they end with this value.
    tasks: JoinSet<()>,
    pub(super) handle: Handle,
    news: mpsc::Sender<WorkerNews>,
    orders: watch::Sender<Orders>,
    stage: watch::Receiver<Stage>,
    standings: watch::Receiver<Arc<[WorkerStanding]>>,
    facts: watch::Receiver<Vec<WorkerFacts>>,
    counters: Arc<Counters>,
    connections: ConnectionCount,
    address: String,
    ca_pem: Option<String>,
    token: Token,
    end: CancellationToken,
    /// Sessions end with this value, however it ends.
    _end: DropGuard,
    sessions: TaskTracker,
    clock: Clock,
}

impl fmt::Debug for Coordination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coordination").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Coordination {
    /// Coordinates the workers of a run, by a listener for them.
    pub fn serve(run: Coordinated<'_>, listening: Listening) -> Self {
        let (mut coordination, service) = Self::begin(run);
        coordination.address.clone_from(&listening.address);
        coordination.ca_pem.clone_from(&listening.ca_pem);
        let end = coordination.end.clone();
        coordination.tasks.spawn(listening.serve(service, end));
        coordination
    }

    /// Starts the coordinator, without a listener.
    pub(super) fn begin(run: Coordinated<'_>) -> (Self, Service) {
        let Coordinated {
            run,
            workers,
            seed,
            facts,
            plan_again,
            assigned,
            trace,
            phases,
            scales,
            times,
            most_pending,
            clock,
        } = run;
        let (origin, trace) = (clock.anchor(), trace.map(Arc::new));
        let (counters, connections) = (Arc::<Counters>::default(), ConnectionCount::default());
        let merge = Merge::new(workers.count as usize, facts.functions, phases);
        let (messages, receive_messages) = mpsc::channel(MESSAGES);
        let (batches, receive_batches) = mpsc::channel(DECODED);
        let (news, receive_news) = mpsc::channel(NEWS);
        let (orders, receive_orders) = watch::channel(Orders::default());
        let (stage, show_stage) = watch::channel(Stage::default());
        let (standings, show_standings) = watch::channel(Arc::from([]));
        let (publish_facts, show_facts) = watch::channel(Vec::new());
        let (t0, show_t0) = watch::channel(None);
        let published = Published { stage, standings, facts: publish_facts, t0 };
        let heard =
            Heard { messages: receive_messages, batches: receive_batches, orders: receive_orders, news: receive_news };
        let (end, sessions) = (CancellationToken::new(), TaskTracker::new());
        let settings = Settings {
            workers: workers.clone(),
            run: run.clone(),
            version: env!("CARGO_PKG_VERSION"),
            assigned,
            trace: trace.clone(),
            seed,
            plan_again,
            needs_outcomes: facts.needs_outcomes,
            scales: facts.has_cold_pool.then_some(scales),
            counters: Arc::clone(&counters),
            connections: connections.clone(),
            times,
            most_pending,
            clock,
            origin,
            end: end.clone(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(Coordinator::new(settings, merge, published).run(heard));
        let decoding = Arc::new(Semaphore::new(DECODED));
        let handle = Handle { messages, batches, decoding, t0: show_t0, decoder: Arc::new(facts.decoder) };
        let token = Token::drawn();
        let service =
            Service { token: token.clone(), handle: handle.clone(), sessions: sessions.clone(), trace, clock, origin };
        let coordination = Self {
            tasks,
            handle,
            news,
            orders,
            stage: show_stage,
            standings: show_standings,
            facts: show_facts,
            counters,
            connections,
            address: String::new(),
            ca_pem: None,
            token,
            _end: end.clone().drop_guard(),
            end,
            sessions,
            clock,
        };
        (coordination, service)
    }

    /// `host:port` by which workers reach the coordinator.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The certificate of the coordinator's CA (PEM); absent without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The secret that workers present.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Where the platform reports what becomes of workers.
    pub fn news(&self) -> mpsc::Sender<WorkerNews> {
        self.news.clone()
    }

    /// Waits until all workers are ready; `waiting` gets the number of those that are, and what the first of the others waits for, as far as
    /// that is known.
    ///
    /// # Errors
    /// Those that are not within this time, or can't be.
    pub async fn ready(&mut self, count: u32, within: Duration, waiting: impl Fn(usize, &str)) -> Result<(), NotReady> {
        let ready = async {
            let mut shown = None;
            loop {
                let Stage { ready, failure, .. } = self.stage.borrow_and_update().clone();
                if let Some(failure) = failure {
                    return Err(NotReady::Failed(failure));
                }
                let reason = first_reason(&self.standings.borrow_and_update());
                if shown.as_ref() != Some(&(ready, reason.clone())) {
                    waiting(ready, &reason);
                    shown = Some((ready, reason));
                }
                if ready >= count as usize {
                    return Ok(());
                }
                let changed = tokio::select! {
                    changed = self.stage.changed() => changed,
                    changed = self.standings.changed() => changed,
                };
                changed.map_err(|_| NotReady::Ended)?;
            }
        };
        match timeout(within, ready).await {
            Ok(ready) => ready,
            Err(_) => Err(NotReady::TimedOut { within, missing: missing(&self.standings.borrow()) }),
        }
    }

    /// When a load may begin that each worker is to hear of in time.
    pub fn t0(&self) -> Anchor {
        let lead = START_LEAD.max(10 * self.stage.borrow().round_trip);
        let now = self.clock.anchor();
        Anchor { instant: now.instant + lead, unix: now.unix.plus(lead) }
    }

    /// Starts the load: workers send from `t0` on, and what they record goes to `events`.
    pub async fn start(&self, t0: Anchor, events: mpsc::Sender<Event>) {
        // A coordinator that has ended shows in what is awaited next.
        let _ended = self.handle.messages.send(Message::Start(t0, events)).await;
    }

    /// The counters, which are updated while the load runs.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The number of connections.
    pub fn connections(&self) -> ConnectionCount {
        self.connections.clone()
    }

    /// How each worker stands.
    pub fn standings(&self) -> Arc<[WorkerStanding]> {
        self.standings.borrow().clone()
    }

    /// What is known of each worker.
    pub fn facts(&self) -> Vec<WorkerFacts> {
        self.facts.borrow().clone()
    }

    /// Stops sending; calls in flight continue.
    pub fn stop(&self) {
        self.orders.send_modify(|orders| orders.stop = true);
    }

    /// Ends every call in flight with `status`.
    pub fn end_calls(&self, status: Status) {
        self.orders.send_modify(|orders| orders.end_calls = Some(status));
    }

    /// What workers do not hand over within some seconds is given up: the run is ended early.
    pub fn hurry(&self) {
        self.orders.send_if_modified(|orders| !std::mem::replace(&mut orders.hurry, true));
    }

    /// Waits until the last invocation was handed out.
    ///
    /// # Errors
    /// A coordinator that has ended.
    pub async fn paced(&mut self) -> Result<(), NotReady> {
        self.stage.wait_for(|stage| stage.paced).await.map(drop).map_err(|_| NotReady::Ended)
    }

    /// The same, or until the load can't go on: why.
    ///
    /// # Errors
    /// A coordinator that has ended.
    pub async fn paced_or_failed(&mut self) -> Result<Result<(), String>, NotReady> {
        let stage = self.stage.wait_for(|stage| stage.paced || stage.failure.is_some()).await;
        let stage = stage.map_err(|_| NotReady::Ended)?;
        Ok(stage.failure.clone().map_or(Ok(()), Err))
    }

    /// Waits until everything that was sent has ended, and the recorder has all of it.
    ///
    /// # Errors
    /// A coordinator that has ended.
    pub async fn drained(&mut self) -> Result<(), NotReady> {
        self.stage.wait_for(|stage| stage.drained).await.map(drop).map_err(|_| NotReady::Ended)
    }

    /// Lets workers leave, and closes the listener.
    pub async fn finish(mut self) {
        self.end.cancel();
        self.sessions.close();
        let left = async {
            self.sessions.wait().await;
            // The coordinator goes on: workers that come late are to be told that they are not needed.
            while self.tasks.len() > 1 && self.tasks.join_next().await.is_some() {}
        };
        if timeout(FAREWELL, left).await.is_err() {
            log::debug!("workers have not left within {}", humantime::format_duration(FAREWELL));
        }
        self.tasks.shutdown().await;
    }
}
