//! The load of a run: from the first due invocation to the last answer, with records and progress kept and the loader's own host
//! sampled meanwhile.

mod observer;
mod outcome;
mod sender;
mod settings;
mod under_way;

use tokio::sync::{mpsc, watch};

pub(super) use self::{observer::LoadObserver, outcome::Outcome};
use self::{
    sender::Prepared,
    settings::RecorderOutputs,
    under_way::{EVENTS, UnderWay},
};
use super::{
    DrainLimits, Interrupts, LoadSettings, Telemetry,
    deploy::Deployed,
    disturb::{Disturbing, Schedule},
    failure::LoadError,
    progress::ProgressFacts,
    warmup::{WarmupController, settings_backup},
};
use crate::{
    clock::{Anchor, Clocks},
    dispatch::{Dispatch, Phases, Running, Settings},
    id::RunId,
    plan::{Phase, Plan, Warmup},
    platform::Platform,
    record::{Aborts, HostRecorder, Latencies, Progress, Recorded, Recorder, RowSpans},
    spans::RunTrace,
    spec::RunSpec,
    store::RunDirectory,
    workers::Coordination,
};

/// A load that is ready to go.
pub(super) struct Load<'a> {
    pub(super) settings: &'a LoadSettings,
    pub(super) drain: &'a DrainLimits,
    pub(super) telemetry: &'a Telemetry,
    pub(super) run: &'a RunId,
    /// The run's trace; absent when spans are not exported.
    pub(super) trace: Option<RunTrace>,
    pub(super) spec: &'a RunSpec,
    pub(super) directory: &'a RunDirectory,
    pub(super) plan: Box<dyn Plan>,
    pub(super) facts: ProgressFacts,
    pub(super) deployed: Deployed,
    /// The workers that send it, all ready; absent: this process sends it.
    pub(super) workers: Option<Coordination>,
    /// Which slots are measured.
    pub(super) phases: Phases,
    pub(super) warmup: Option<WarmingUp<'a>>,
    /// What is done to the platform meanwhile; absent: nothing.
    pub(super) disturbances: Option<Schedule>,
}

/// A warm-up that the load begins with.
pub(super) struct WarmingUp<'a> {
    pub(super) warmup: Warmup,
    pub(super) platform: &'a dyn Platform,
}

/// A load that has begun.
struct Begun<'a> {
    under_way: UnderWay<'a>,
    recorder: Running<Recorded>,
    controller: Option<WarmupController<'a>>,
    disturbing: Option<Disturbing>,
    phases: Phases,
    t0: Anchor,
    /// All clocks at `t0`, to find out later whether they were set.
    clocks: Clocks,
}

impl<'a> Load<'a> {
    /// Sends the load and awaits its answers.
    ///
    /// # Errors
    /// Why it could not begin, or was aborted. What was recorded until then stays.
    pub(super) async fn run(
        self,
        interrupts: &Interrupts,
        observer: &mut impl LoadObserver,
    ) -> Result<Outcome, LoadError> {
        let (run, Telemetry { metrics, clock, tracer: _ }) = (self.run, self.telemetry);
        let Begun { mut under_way, mut recorder, controller, disturbing, phases, t0, clocks } =
            self.begin(observer).await?;
        let mut warmup_outcome = None;
        let warming_up = controller.map(|it| it.run(t0.instant));
        let mut ended = under_way.pace(interrupts, warming_up, &mut warmup_outcome, observer).await?;
        observer.load_dispatched();
        disturbing.iter().for_each(Disturbing::stop);
        under_way.drain(interrupts, &mut ended, observer).await?;
        let (events, logged) = match disturbing {
            Some(disturbing) => disturbing.ended().await,
            None => (Vec::new(), Ok(())),
        };
        under_way.export_scheduled();
        let clock_changes = clocks.changes(&Clocks::now(*clock));
        if let Some(changes) = clock_changes {
            log::warn!(RUN_ID = run.as_str(); "while the load went, {changes}");
        }
        let (mut recorded, sender, host) = under_way.recorded(&mut recorder, observer).await?;
        metrics.in_flight(0);
        metrics.memory_in_flight(0);
        metrics.connections(0, 0);
        let lost = recorded.error.take().or(host.finish().err()).or(logged.err());
        let workers = sender.ended().await?;
        Ok(Outcome {
            verdict: ended.verdict(lost),
            t0,
            clock_changes,
            recorded,
            events,
            warmup: warmup_outcome.map(|warmup_outcome| (warmup_outcome, phases.measured_from())),
            workers,
        })
    }

    /// Starts all threads of the load. The first invocation is due a little later.
    async fn begin(self, observer: &mut impl LoadObserver) -> Result<Begun<'a>, LoadError> {
        let Self {
            settings,
            drain,
            telemetry,
            run,
            trace,
            spec,
            directory,
            plan,
            facts,
            deployed,
            workers,
            phases,
            warmup,
            disturbances,
        } = self;
        let Telemetry { metrics, tracer, clock } = telemetry;
        let latencies = Latencies::default();
        let Deployed { deploy: _, names, endpoints: _, routes, scale_state, scale_history } = deployed;
        let (events, receive_events) = mpsc::channel(EVENTS);
        let prepared = if let Some(workers) = workers {
            Prepared::ByWorkers(Box::new(workers))
        } else {
            let dispatch = settings::dispatch_settings(settings, *clock, run, spec, phases.clone());
            let dispatch = Dispatch::prepare(Settings { trace, ..dispatch }, routes, scale_state, events.clone()).await;
            Prepared::Here(Box::new(dispatch.map_err(LoadError::Workers)?))
        };
        let (t0, clocks) = (prepared.t0(*clock), Clocks::now(*clock));

        let (send_progress, progress) = watch::channel(Progress::default());
        let (send_failure, failure) = watch::channel(None);
        let spans = tracer.clone().zip(trace).map(|(tracer, trace)| RowSpans { tracer, trace });
        let arrivals = settings::asked_arrivals(spec, &*plan);
        let collector = plan.collector();
        let figures = directory.clone();
        let aborts = Aborts::of(&spec.expectations, move |load| figures.figures(load));
        let outputs = RecorderOutputs {
            arrivals,
            collector,
            latencies: latencies.clone(),
            progress: send_progress,
            spans,
            aborts,
        };
        let settings = settings::recorder_settings(telemetry, run, spec, (names, t0), scale_history, outputs);
        let recorder = Recorder::create(directory.path(), settings, send_failure)?;
        let recorder = Running::start("recorder", move || recorder.run(receive_events));
        let recorder = recorder.map_err(LoadError::Recorder)?;

        let (counters, connections) = (prepared.counters(), prepared.connections());
        let host = HostRecorder::create(directory.path(), run.clone(), metrics.clone(), *clock)?;
        let warming = warmup.is_some();
        observer.load_started(if warming { Phase::Warmup } else { Phase::Measure });
        let sender = prepared.start(plan, t0, &events).await?;
        let disturbing = disturbances.map(|disturbances| disturbances.begin(t0));
        let facts = ProgressFacts { t0: Some(t0.instant), ..facts };
        let under_way = UnderWay {
            drain,
            telemetry,
            spec,
            facts,
            sender,
            events,
            counters,
            connections,
            progress,
            failure,
            host,
            scheduled: 0,
            warming,
        };
        let (backup, clock) = (settings_backup(directory), *clock);
        let control = |WarmingUp { warmup, platform }| {
            let phases = phases.clone();
            WarmupController { warmup, platform, run, backup, phases, latencies, clock }
        };
        let controller = warmup.map(control);
        Ok(Begun { under_way, recorder, controller, disturbing, phases, t0, clocks })
    }
}
