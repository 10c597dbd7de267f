//! The load of a run: from the first due invocation to the last answer, with records, progress and the loader's own host
//! watched meanwhile.

mod settings;

use std::{sync::Arc, time::Duration};

use loader_proto::v1;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use self::settings::Watched;
use super::{
    Context, RunDirectory,
    host::{HostRecorder, Occupancy},
    view::{ProgressFacts, progress},
    warmup::{Conducted, Conductor, ledger},
};
use crate::{
    clock::{Anchor, ClockChanges, Clocks},
    dispatch::{Counters, Dispatch, Dispatching, Phases, Running, ScaleState, Settings},
    id::RunId,
    invoke::{ConnectionCount, Route, Status},
    plan::{Phase, Plan, Warmup},
    platform::{Deploy, Platform, PlatformError},
    record::{Event, Latencies, Progress, Recorded, Recorder, RowSpans},
    spans::RunTrace,
    spec::RunSpec,
};

/// From everything being ready to the first due time: enough for the threads to have settled in.
const LEAD: Duration = Duration::from_millis(100);

/// Events that may wait for the recorder.
const EVENTS: usize = 1 << 16;

/// How often records are flushed and progress is shown.
const TICK: Duration = Duration::from_millis(250);

/// How the load ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was carried out.
    Complete,
    /// It could not be carried out.
    Failed(String),
    /// A user cancelled it.
    Cancelled,
    /// The daemon ends.
    Shutdown,
}

/// What the load left.
pub(super) struct Outcome {
    pub(super) ended: Ended,
    pub(super) t0: Anchor,
    /// What happened to the clocks until all answers were there.
    pub(super) clock_changes: Option<ClockChanges>,
    pub(super) recorded: Recorded,
    pub(super) clamped: u64,
    /// What the warm-up came to, and when the measured part began, from t0.
    pub(super) warmed_up: Option<(Conducted, Duration)>,
}

/// What ends a load early.
pub(super) struct Interrupts<'a> {
    /// A user cancels the run.
    pub(super) cancel: &'a CancellationToken,
    /// The daemon ends.
    pub(super) shutdown: &'a CancellationToken,
}

/// Where the load's stages and figures are shown.
pub(super) trait Show {
    /// The first invocation is about to be due; of a warm-up, or of what is measured.
    fn began(&mut self, phase: Phase);
    /// What is measured has begun, after a warm-up.
    fn measuring(&mut self);
    /// The last invocation was handed out.
    fn paced(&mut self);
    /// New figures.
    fn progress(&mut self, progress: v1::RunProgress);
}

/// A plan whose functions can be called.
pub(super) struct Deployed {
    pub(super) deploy: Deploy,
    pub(super) plan: Box<dyn Plan>,
    pub(super) facts: ProgressFacts,
    pub(super) names: Arc<[String]>,
    pub(super) routes: Arc<[Option<Route>]>,
    pub(super) board: Arc<ScaleState>,
}

/// A load that is ready to go.
pub(super) struct Load<'a> {
    pub(super) context: &'a Context,
    pub(super) run: &'a RunId,
    /// Its trace, where spans are exported.
    pub(super) trace: Option<RunTrace>,
    pub(super) spec: &'a RunSpec,
    pub(super) directory: &'a RunDirectory,
    pub(super) deployed: Deployed,
    pub(super) warmup: Option<WarmingUp<'a>>,
}

/// A warm-up that the load begins with.
pub(super) struct WarmingUp<'a> {
    pub(super) warmup: Warmup,
    pub(super) platform: &'a dyn Platform,
}

/// A load under way.
struct UnderWay<'a> {
    context: &'a Context,
    spec: &'a RunSpec,
    facts: ProgressFacts,
    dispatching: Dispatching,
    events: mpsc::Sender<Event>,
    counters: Arc<Counters>,
    connections: ConnectionCount,
    progress: watch::Receiver<Progress>,
    failure: watch::Receiver<Option<String>>,
    host: HostRecorder,
    /// How many invocations the metrics know to have come due.
    scheduled: u64,
    /// Whether the load is still in its warm-up.
    warming: bool,
}

impl Load<'_> {
    /// Sends the load and awaits its answers.
    ///
    /// # Errors
    /// Why it could not begin, or broke. What was recorded until then stays.
    pub(super) async fn run(self, interrupts: Interrupts<'_>, show: &mut impl Show) -> anyhow::Result<Outcome> {
        let Self { context, run, trace, spec, directory, deployed, warmup } = self;
        let phases = warmup.as_ref().map_or_else(Phases::default, |it| Phases::after(it.warmup.longest()));
        let latencies = Latencies::default();
        let Deployed { deploy: _, plan, facts, names, routes, board } = deployed;
        let (events, receive_events) = mpsc::channel(EVENTS);
        let settings = Settings { trace, ..settings::of_dispatch(context, run, spec, phases.clone()) };
        let dispatch = Dispatch::prepare(settings, routes, board, events.clone()).await?;
        let (now, clocks) = (context.clock.anchor(), Clocks::now(context.clock));
        let t0 = Anchor { instant: now.instant + LEAD, unix: now.unix.plus(LEAD) };

        let (show_progress, progress) = watch::channel(Progress::default());
        let (tell_failure, failure) = watch::channel(None);
        let spans = context.tracer.clone().zip(trace).map(|(tracer, trace)| RowSpans { tracer, trace });
        let collector = plan.collector();
        let watched = Watched { collector, latencies: latencies.clone(), progress: show_progress, spans };
        let settings = settings::of_recorder(context, run, spec, (names, t0), watched);
        let recorder = Recorder::create(directory.path(), settings, tell_failure)?;
        let mut recorder = Running::start("recorder", move || recorder.run(receive_events))?;

        let (counters, connections) = (dispatch.counters(), dispatch.connections());
        let host = HostRecorder::create(directory.path(), run.clone(), context.metrics.clone(), context.clock)?;
        show.began(if warmup.is_some() { Phase::Warmup } else { Phase::Measure });
        let dispatching = dispatch.start(plan, t0)?;
        let mut under_way = UnderWay {
            context,
            spec,
            facts: ProgressFacts { t0: Some(t0.instant), ..facts },
            dispatching,
            events,
            counters,
            connections,
            progress,
            failure,
            host,
            scheduled: 0,
            warming: warmup.is_some(),
        };
        let conductor = warmup.map(|WarmingUp { warmup, platform }| Conductor {
            warmup,
            platform,
            run,
            ledger: ledger(directory.path()),
            phases: phases.clone(),
            latencies,
            clock: context.clock,
        });
        let mut conducted = None;
        let mut ended =
            under_way.pace(&interrupts, conductor.map(|it| it.conduct(t0.instant)), &mut conducted, show).await?;
        show.paced();
        under_way.drain(&interrupts, &mut ended, show).await?;
        under_way.export_scheduled();
        let clock_changes = clocks.changes(&Clocks::now(context.clock));
        if let Some(changes) = clock_changes {
            log::warn!(RUN_ID = run.as_str(); "while the load went, {changes}");
        }
        let (recorded, dispatching, host) = under_way.recorded(&mut recorder, show).await?;
        context.metrics.in_flight(0);
        context.metrics.connections(0, 0);
        let watched = host.finish();
        if let (Ended::Complete, Some(error)) = (&ended, recorded.error.as_ref().or(watched.as_ref().err())) {
            ended = Ended::Failed(error.to_string());
        }
        let plan = dispatching.into_plan().await?;
        let warmed_up = conducted.map(|conducted| (conducted, phases.measured_from()));
        Ok(Outcome { ended, t0, clock_changes, recorded, clamped: plan.clamped(), warmed_up })
    }
}

impl UnderWay<'_> {
    /// Until the last invocation was handed out, or the load is ended early. Meanwhile the warm-up is conducted.
    async fn pace(
        &mut self,
        interrupts: &Interrupts<'_>,
        warmup: Option<impl Future<Output = Result<Conducted, PlatformError>>>,
        conducted: &mut Option<Conducted>,
        show: &mut impl Show,
    ) -> anyhow::Result<Ended> {
        let mut conducting = std::pin::pin!(async {
            match warmup {
                Some(warmup) => warmup.await,
                None => std::future::pending().await,
            }
        });
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            tokio::select! {
                biased;
                () = interrupts.cancel.cancelled() => break Ended::Cancelled,
                () = interrupts.shutdown.cancelled() => break Ended::Shutdown,
                failure = failed(&mut self.failure) => break Ended::Failed(failure),
                paced = self.dispatching.paced() => {
                    paced?;
                    return Ok(Ended::Complete);
                }
                told = &mut conducting, if conducted.is_none() => match told {
                    Ok(told) => *conducted = Some(told),
                    Err(error) => break Ended::Failed(format!("warm-up: {error}")),
                },
                _ = tick.tick() => {
                    self.tick(show);
                    if self.spec.saturation.abort && self.progress.borrow().saturated {
                        break Ended::Failed("the loader itself is the bottleneck (saturation.abort)".to_owned());
                    }
                }
            }
        };
        self.dispatching.stop();
        self.dispatching.paced().await?;
        Ok(ended)
    }

    /// Until everything that was sent has ended. Who ends the run early waits for less, or for nothing.
    async fn drain(
        &mut self,
        interrupts: &Interrupts<'_>,
        ended: &mut Ended,
        show: &mut impl Show,
    ) -> anyhow::Result<()> {
        let begun = self.context.clock.now();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = begun + self.patience(ended);
            tokio::select! {
                biased;
                drained = self.dispatching.drained() => return Ok(drained?),
                () = interrupts.cancel.cancelled(), if *ended != Ended::Cancelled => *ended = Ended::Cancelled,
                () = interrupts.shutdown.cancelled(), if *ended == Ended::Complete => *ended = Ended::Shutdown,
                () = self.context.hurry.cancelled() => break,
                () = tokio::time::sleep_until(deadline) => break,
                _ = tick.tick() => self.tick(show),
            }
        }
        self.dispatching.give_up(if *ended == Ended::Cancelled { Status::Cancelled } else { Status::Unfinished });
        Ok(self.dispatching.drained().await?)
    }

    /// Until all is written, which a slow disk delays.
    async fn recorded(
        self,
        recorder: &mut Running<Recorded>,
        show: &mut impl Show,
    ) -> anyhow::Result<(Recorded, Dispatching, HostRecorder)> {
        let Self { context, mut facts, dispatching, events, counters, progress: figures, host, .. } = self;
        // The recorder ends with its last sender.
        drop(events);
        let now = context.clock.now();
        let mut show = || show.progress(progress(&mut facts, now, &counters, figures.borrow().clone()));
        let mut taken = std::pin::pin!(recorder.take());
        let mut tick = tokio::time::interval(TICK);
        let recorded = loop {
            tokio::select! {
                biased;
                recorded = &mut taken => break recorded?,
                _ = tick.tick() => show(),
            }
        };
        show();
        Ok((recorded, dispatching, host))
    }

    /// How long answers are awaited after the last send.
    fn patience(&self, ended: &Ended) -> Duration {
        match ended {
            Ended::Complete => self.spec.timeouts.drain,
            Ended::Shutdown => self.spec.timeouts.drain.min(self.context.shutdown_drain),
            Ended::Failed(_) | Ended::Cancelled => Duration::ZERO,
        }
    }

    /// Tells the metrics what came due since it last did.
    fn export_scheduled(&mut self) {
        let due = self.counters.due();
        self.context.metrics.scheduled(due - self.scheduled);
        self.scheduled = due;
    }

    fn tick(&mut self, show: &mut impl Show) {
        self.export_scheduled();
        // A recorder that is behind flushes anyway.
        let _behind = self.events.try_send(Event::Tick);
        let metrics = &self.context.metrics;
        let in_flight = self.counters.in_flight();
        metrics.in_flight(in_flight);
        metrics.connections(self.connections.open(), self.connections.connecting());
        let queued = (EVENTS - self.events.capacity()) as u64;
        let open_connections = self.connections.open();
        self.host.tick(Occupancy { in_flight, open_connections, records_queued: queued });
        let now: Instant = self.context.clock.now();
        let figures = self.progress.borrow().clone();
        if self.warming && figures.phase == Some(Phase::Measure) {
            self.warming = false;
            show.measuring();
        }
        show.progress(progress(&mut self.facts, now, &self.counters, figures));
    }
}

/// Waits until a record could not be written.
async fn failed(failure: &mut watch::Receiver<Option<String>>) -> String {
    let told = failure.wait_for(Option::is_some).await.ok().and_then(|failure| failure.clone());
    match told {
        Some(failure) => failure,
        // The recorder has ended without a failure.
        None => std::future::pending().await,
    }
}
