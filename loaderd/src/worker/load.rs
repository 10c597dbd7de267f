//! The load of a share under way.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::OptionFuture;
use loader_proto::worker::{
    Scales, Start, WireSlotOutcome, WorkerDone, WorkerFailed, WorkerReport, work_request, work_response::Message,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    Settings,
    assignment::Work,
    comparing::Compared,
    incoming::{End, Heard, Incoming, TERMINATED},
    outbox::Outbox,
    spool::Spool,
    spooler::Spooler,
};
use crate::{
    clock::{Anchor, Clock, UnixMicros},
    dispatch::{Counters, Dispatch, Dispatching, Lost, OutcomeExchange, Running, ScaleState},
    id::FunctionIndex,
    invoke::{ConnectionCount, Status},
    plan::{Plan, SlotOutcome},
    platform::{Scale, ScaleSample},
    record::Event,
    workers::wire,
};

/// Events that wait for the spooler.
const EVENTS: usize = 1 << 16;

/// How long calls in flight go on when the process is told to end: a pod has 30 s for all, by default.
const CALLS_GRACE: Duration = Duration::from_secs(5);

/// Outcomes that wait for the planner: it asks for one at a time.
const OUTCOMES: usize = 4;

/// How the worker stands: what it reports. Clones are the same.
#[derive(Clone)]
pub(super) struct Standing {
    compared: Compared,
    load: Arc<OnceLock<(Arc<Counters>, ConnectionCount)>>,
    /// Whether nothing more comes due.
    paced: Arc<AtomicBool>,
}

impl Standing {
    /// Of a worker without a load.
    pub(super) fn new(compared: Compared) -> Self {
        Self { compared, load: Arc::default(), paced: Arc::default() }
    }

    /// The report of this moment.
    pub(super) fn report(&self, spool: &Spool) -> WorkerReport {
        let (batches_kept, bytes_kept) = spool.kept();
        let report =
            WorkerReport { batches_kept, bytes_kept, clock: self.compared.message(), ..WorkerReport::default() };
        let Some((counters, connections)) = self.load.get() else { return report };
        // Before what came due meanwhile.
        let dispatched_until_offset_ns = counters.last_due().as_nanos();
        WorkerReport {
            due: counters.due(),
            issued: counters.issued(),
            in_flight: counters.in_flight(),
            memory_in_flight_mib: counters.memory_in_flight_mib(),
            connections_open: connections.open(),
            connections_connecting: connections.connecting(),
            dispatched_until_offset_ns,
            paced: self.paced.load(Ordering::Acquire),
            ..report
        }
    }
}

/// A share that is ready to be sent.
pub(super) struct ReadyLoad {
    dispatch: Dispatch,
    plan: Box<dyn Plan>,
    scales: Arc<ScaleState>,
    events: mpsc::Receiver<Event>,
    functions: usize,
}

impl ReadyLoad {
    /// Connects to the functions.
    ///
    /// # Errors
    /// Threads that can't be started.
    pub(super) async fn prepare(work: Work) -> Result<Self, String> {
        let Work { plan, routes, dispatch, plan_hash: _ } = work;
        let functions = routes.len();
        let scales = Arc::new(ScaleState::new(functions));
        let (sender, events) = mpsc::channel(EVENTS);
        let dispatch = Dispatch::prepare(dispatch, routes, Arc::clone(&scales), sender).await;
        let dispatch = dispatch.map_err(|error| format!("the sending threads cannot be started: {error}"))?;
        Ok(Self { dispatch, plan, scales, events, functions })
    }

    /// Begins to send, at t0.
    ///
    /// # Errors
    /// Threads that can't be started, or a start before the clocks were compared.
    pub(super) fn start(
        self,
        start: &Start,
        settings: &Settings,
        standing: &Standing,
        spool: &Arc<Spool>,
        outbox: &Arc<Outbox>,
    ) -> Result<Load, String> {
        let Self { dispatch, plan, scales, events, functions } = self;
        let estimate = standing.compared.estimate().ok_or("the load begins before the clocks were compared")?;
        let instant = settings.clock.instant(estimate.own_ns(start.t0_clock_ns));
        let t0 = Anchor { instant, unix: UnixMicros(start.t0_unix_us) };
        // Set once: a load begins once.
        let _first = standing.load.set((dispatch.counters(), dispatch.connections()));
        let (tell, failure) = mpsc::channel(1);
        let clock = settings.clock.clock();
        let spooler = Spooler { events, spool: Arc::clone(spool), clock, t0: instant, failure: tell };
        let started = |error: std::io::Error| format!("the threads of the load cannot be started: {error}");
        let spooling = Running::start("spooler", move || spooler.run()).map_err(started)?;
        let ((own, outcomes), (decide, decided)) = (mpsc::channel(OUTCOMES), mpsc::channel(OUTCOMES));
        let dispatching = dispatch.start_exchanging(plan, t0, OutcomeExchange { own, decided }).map_err(started)?;
        let (spool, outbox) = (Arc::clone(spool), Arc::clone(outbox));
        outbox.begun();
        let stage = Stage::Pacing;
        Ok(Load {
            dispatching,
            spooling,
            failure,
            outcomes,
            decide: Some(decide),
            undecided: 0,
            scales,
            functions,
            spool,
            outbox,
            paced: Arc::clone(&standing.paced),
            stage,
            stopped_by: "",
            ends_calls: None,
            clock,
        })
    }
}

/// How far a load has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is being sent.
    Pacing,
    /// What was sent is in flight.
    Draining,
    /// What came of it is being spooled.
    Spooling,
}

/// A share that is being sent.
pub(super) struct Load {
    dispatching: Dispatching,
    spooling: Running<()>,
    failure: mpsc::Receiver<String>,
    /// What became of slots here.
    outcomes: mpsc::Receiver<SlotOutcome>,
    /// To the planner; absent when nothing more is to be sent.
    decide: Option<mpsc::Sender<SlotOutcome>>,
    /// The first slot that it has got no outcome of.
    undecided: u32,
    scales: Arc<ScaleState>,
    functions: usize,
    spool: Arc<Spool>,
    outbox: Arc<Outbox>,
    /// Whether nothing more comes due, for reports.
    paced: Arc<AtomicBool>,
    stage: Stage,
    /// Why it sends nothing more, other than that the coordinator has said so; empty: it does.
    stopped_by: &'static str,
    /// When what is in flight ends; absent: when it does so by itself.
    ends_calls: Option<Instant>,
    clock: Clock,
}

impl Load {
    /// Sends all of it, and spools what comes of it, as far as the coordinator lets it. What it has to say is in the outbox then.
    ///
    /// # Errors
    /// The reason why it ended before; nothing more of it is to be waited for.
    pub(super) async fn run(mut self, incoming: &mut Incoming) -> Result<(), End> {
        loop {
            tokio::select! {
                biased;
                heard = incoming.next() => self.take(heard)?,
                Some(reason) = self.failure.recv() => self.fail(reason),
                Some(()) = OptionFuture::from(self.ends_calls.map(sleep_until)) => {
                    self.ends_calls = None;
                    self.dispatching.cancel_calls(Status::Unfinished);
                }
                Some(outcome) = self.outcomes.recv() => self.outbox.outcome(wire::from_outcome(&outcome)),
                ended = ended(&mut self.dispatching, &mut self.spooling, self.stage) => {
                    ended.map_err(lost)?;
                    self.paced.store(true, Ordering::Release);
                    self.stage = match self.stage {
                        Stage::Pacing => Stage::Draining,
                        Stage::Draining => Stage::Spooling,
                        Stage::Spooling => break,
                    };
                }
            }
        }
        self.stop();
        self.dispatching.into_plan().await.map_err(lost)?;
        if let Ok(reason) = self.failure.try_recv() {
            self.outbox.end(work_request::Message::Failed(WorkerFailed { reason }));
        }
        let (_, batches) = self.spool.range();
        self.outbox.end(work_request::Message::Done(WorkerDone { batches, reason: self.stopped_by.to_owned() }));
        Ok(())
    }

    /// Does what the coordinator says.
    fn take(&mut self, heard: Result<Heard, End>) -> Result<(), End> {
        match heard {
            Ok(Heard::Said(Message::Outcome(outcome))) => self.decided(outcome),
            Ok(Heard::Said(Message::Scales(scales))) => self.scaled(&scales),
            Ok(Heard::Said(Message::Stop(_)) | Heard::Silence) => self.stop(),
            Ok(Heard::Terminated) => {
                self.stop();
                if self.stage == Stage::Pacing {
                    self.stopped_by = TERMINATED;
                }
                self.ends_calls = Some(self.clock.now() + CALLS_GRACE);
            }
            Ok(Heard::Said(Message::EndCalls(end))) => {
                let status = Status::named(&end.status).filter(|status| *status == Status::Cancelled);
                self.dispatching.cancel_calls(status.unwrap_or(Status::Unfinished));
            }
            // Said again on a new stream.
            Ok(Heard::Said(
                Message::Assignment(_) | Message::Start(_) | Message::Acknowledged(_) | Message::Dismissed(_),
            )) => {}
            Err(end) => {
                self.stop();
                self.dispatching.cancel_calls(Status::Cancelled);
                return Err(end);
            }
        }
        Ok(())
    }

    /// Sends nothing more.
    fn stop(&mut self) {
        self.dispatching.stop();
        // The planner may wait for an outcome that nobody decides.
        self.decide = None;
    }

    /// Nothing more can be kept, so nothing more is sent.
    fn fail(&mut self, reason: String) {
        self.stop();
        self.outbox.end(work_request::Message::Failed(WorkerFailed { reason }));
    }

    /// A slot's outcome in all shares. One that is said again, on another stream, is not taken again.
    fn decided(&mut self, message: WireSlotOutcome) {
        match wire::outcome(message) {
            Ok(outcome) if outcome.slot < self.undecided => {}
            Ok(outcome) => {
                self.undecided = outcome.slot.saturating_add(1);
                if let Some(decide) = &self.decide {
                    // The planner may have ended.
                    let _ended = decide.try_send(outcome);
                }
            }
            Err(error) => self.fail(format!("the outcome of a slot: {error}")),
        }
    }

    fn scaled(&self, scales: &Scales) {
        let Scales { zero, up } = scales;
        let of = |running: u32| move |function: &u32| (*function, running);
        for (function, running) in zero.iter().map(of(0)).chain(up.iter().map(of(1))) {
            if (function as usize) < self.functions {
                let scale = Scale { running, ..Scale::default() };
                let at = UnixMicros::default();
                self.scales.update(&ScaleSample { at, function: FunctionIndex(function), scale, source: None });
            }
        }
    }
}

/// Waits for the end of a stage.
async fn ended(dispatching: &mut Dispatching, spooling: &mut Running<()>, stage: Stage) -> Result<(), Lost> {
    match stage {
        Stage::Pacing => dispatching.paced().await,
        Stage::Draining => dispatching.drained().await,
        Stage::Spooling => spooling.wait().await,
    }
}

fn lost(error: Lost) -> End {
    End::Failed(error.to_string())
}
