//! The driver: the one task that owns a run and takes it from its turn in the queue to its end.
//!
//! ```text
//! prepare ─▶ deploy ─▶ load ─▶ clean ─▶ complete ─▶ finish
//!    └──────────┴────────┴── a verdict: what was deployed is cleaned up all the same
//! ```

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Interrupts, Machine, Preparation, RunProgress, RunView, Stations, Telemetry,
    deploy::{self, Deployed, Environment, Feeds},
    disturb::{Schedule, disturbances_backup},
    failure::{Event, Failure, Verdict},
    load::{Load, LoadObserver, Outcome, WarmingUp},
    progress::{self, ProgressFacts},
    stage_spans::StageSpans,
    warmup,
    workers::{self, Assembly},
};
use crate::{
    dispatch::Phases,
    id::RunId,
    metrics::RunLabels,
    plan::{Outline, Phase, Plan, PlannedFunction, Shares},
    platform::{Deploy, Platform},
    record::{RecordError, Samples, Summary},
    spec::{RunSpec, Workers},
    store::{RunDirectory, State},
    units,
    warmup::Fit,
    workers::{Coordination, Listening, PlanFacts},
};

/// Executes one run, from its plan to its clean-up.
pub(crate) struct Driver {
    pub(super) stations: Arc<Stations>,
    pub(super) directory: RunDirectory,
    pub(super) machine: Machine<Arc<Failure>>,
    pub(super) view: watch::Sender<Arc<RunView>>,
    spans: StageSpans,
    pub(super) interrupts: Interrupts,
    /// What the clean-up left, where the run had failed before.
    pub(super) remark: String,
    /// Whether the clean-up is left to the daemon's next start.
    pub(super) is_uncleaned: bool,
}

/// A run whose load was sent and whose functions are deleted.
pub(super) struct CompletedLoad {
    pub(super) spec: RunSpec,
    pub(super) outline: Outline,
    /// Names of the functions, in the plan's order.
    pub(super) functions: Vec<String>,
    /// How the functions were scaled for a warm-up.
    pub(super) fitted: Option<Fit>,
    /// Instances that the platform started.
    pub(super) instances_started: u64,
    pub(super) outcome: Outcome,
}

impl Driver {
    /// The driver of the run in `directory`, whose `view` it changes.
    pub(crate) fn new(
        stations: Arc<Stations>,
        directory: RunDirectory,
        view: watch::Sender<Arc<RunView>>,
        interrupts: Interrupts,
    ) -> Self {
        let spans = StageSpans::new(stations.telemetry.tracer.as_ref(), &view.borrow().file.run_id);
        let (machine, remark) = (Machine::default(), String::new());
        Self { stations, directory, machine, view, spans, interrupts, remark, is_uncleaned: false }
    }

    /// Executes the run to its end, whatever happens, and cleans up what it deployed.
    pub(crate) async fn drive(mut self) {
        self.export_labels();
        self.apply(Event::Start);
        let summary = match self.prepare().await {
            Ok(preparation) => Box::pin(self.carry_out(preparation)).await,
            Err(failure) => {
                self.end(failure);
                None
            }
        };
        self.finish(summary).await;
    }

    /// Marks this run in the metrics as the active one.
    fn export_labels(&self) {
        let file = &self.view.borrow().file;
        let (mode, platform) = (file.mode.clone(), file.platform.clone());
        let labels = RunLabels { run_id: file.run_id.to_string(), mode, platform };
        self.stations.telemetry.metrics.run_started(&labels);
    }

    /// Makes the plan again: what the spec names may have been removed while the run waited.
    async fn prepare(&self) -> Result<Preparation, Failure> {
        let (planner, spec) = (Arc::clone(&self.stations.planner), Arc::clone(&self.view.borrow().spec));
        let prepare = move || planner.prepare(&*spec.checked.clone()?, &CancellationToken::new());
        let prepared = tokio::task::spawn_blocking(prepare).await;
        prepared.map_err(Failure::PreparingPanicked)?.map_err(Failure::Spec)
    }

    /// The run from its plan to its records.
    async fn carry_out(&mut self, preparation: Preparation) -> Option<Summary> {
        let Preparation { spec, plan, outline } = preparation;
        let stations = Arc::clone(&self.stations);
        let Some(platform) = stations.platforms.get(spec.platform.as_str()) else {
            self.end(Failure::NoPlatform(spec.platform));
            return None;
        };
        let functions = plan.functions().iter().map(|function| function.name.clone()).collect();
        let mut deploy = deploy::request(self.run_id(), &spec, plan.functions(), &outline);
        let warmup = plan.warmup();
        let expected = warmup.map(|warmup| plan.expected_concurrency(warmup.profile));
        let fitted = match expected {
            Some(expected) => Some(warmup::scale(expected, &spec, &**platform, &mut deploy).await),
            None => None,
        };
        let mut feeds = Feeds::default();
        let (directory, interrupts) = (self.directory.clone(), self.interrupts.clone());
        let environment = Environment {
            platform: &**platform,
            spec: &spec,
            warmup,
            directory: &directory,
            metrics: &stations.telemetry.metrics,
            interrupts: &interrupts,
        };
        let facts = ProgressFacts::new(deploy.functions.len(), &outline);
        let outcome = match self.bring_up(&environment, deploy, plan.functions(), &mut feeds).await {
            Ok(up) => {
                let disturbances = self.disturbances(&environment, platform);
                self.load(&environment, up, (plan, &outline, facts), disturbances).await
            }
            Err(verdict) => Err(verdict),
        };
        let outcome = self.loaded(outcome);
        self.clean(&environment, fitted.is_some()).await;
        let instances_started = self.end_feeds(feeds).await;
        let outcome = outcome?;
        Some(self.complete(CompletedLoad { spec, outline, functions, fitted, instances_started, outcome }).await)
    }

    /// Deploys the plan's functions, once all that can be checked beforehand is. What its workers will connect to is there then, too.
    async fn bring_up(
        &self,
        environment: &Environment<'_>,
        deploy: Deploy,
        functions: &[PlannedFunction],
        feeds: &mut Feeds,
    ) -> Result<(Deployed, Option<Listening>), Verdict> {
        let Environment { platform, spec, interrupts, .. } = environment;
        let disturbances = &spec.disturbances;
        if let Some(disturb) = platform.disturb().filter(|_| !disturbances.is_empty()) {
            disturb.check(disturbances).await.map_err(Failure::Disturbing)?;
        }
        let listening = workers::listen(&deploy.run, spec, *platform, interrupts).await?;
        let deployed = self.deploy(environment, deploy, functions, feeds).await?;
        Ok((deployed, listening))
    }

    /// Deploys the plan's functions; the autoscaler is held first where there is a warm-up.
    async fn deploy(
        &self,
        environment: &Environment<'_>,
        deploy: Deploy,
        functions: &[PlannedFunction],
        feeds: &mut Feeds,
    ) -> Result<Deployed, Verdict> {
        if environment.warmup.is_some() {
            let backup = warmup::settings_backup(environment.directory);
            if let Some(warm_up) = environment.platform.warm_up() {
                warm_up.hold_autoscaler(&deploy.run, &backup).await.map_err(Failure::WarmUp)?;
            }
        }
        let functions_total = units::to_u32(deploy.functions.len());
        let ready = |functions_ready| {
            let progress = RunProgress { functions_ready, functions_total, ..RunProgress::default() };
            self.publish(|view| view.progress = Some(progress));
        };
        environment.deploy(deploy, functions, feeds, ready).await
    }

    /// The disturbances of the run's load, if it has some.
    fn disturbances(
        &self,
        environment: &Environment<'_>,
        platform: &Arc<dyn Platform>,
    ) -> Result<Option<Schedule>, RecordError> {
        let disturbances = environment.spec.disturbances.clone();
        if disturbances.is_empty() {
            return Ok(None);
        }
        let files = (environment.directory.path(), disturbances_backup(environment.directory));
        let of = (Arc::clone(platform), self.run_id());
        Schedule::create(of, disturbances, files, self.view.clone(), &self.stations.telemetry).map(Some)
    }

    /// Sends the plan's load, while what surrounds it is sampled.
    async fn load(
        &mut self,
        environment: &Environment<'_>,
        (deployed, listening): (Deployed, Option<Listening>),
        (plan, outline, facts): (Box<dyn Plan>, &Outline, ProgressFacts),
        disturbances: Result<Option<Schedule>, RecordError>,
    ) -> Result<Outcome, Verdict> {
        let disturbances = disturbances?;
        let (stations, run) = (Arc::clone(&self.stations), self.run_id());
        let phases = environment.warmup.map_or_else(Phases::default, |warmup| Phases::after(warmup.longest()));
        let workers = match environment.spec.workers.as_ref().zip(listening) {
            Some((workers, listening)) => {
                let shares = Shares::of(outline, plan.cold_pool(), workers.count);
                let share = (workers, PlanFacts::of(&*plan), shares);
                Some(self.workers(environment, (&deployed, listening), share, &phases).await?)
            }
            None => None,
        };
        let Stations { load: settings, drain, sampling_period, telemetry, platforms: _, planner: _ } = &*stations;
        let metrics = telemetry.metrics.clone();
        let path = environment.directory.path();
        let samples = Samples::start(environment.platform, &deployed.deploy, *sampling_period, path, metrics).await?;
        let load = Load {
            settings,
            drain,
            telemetry,
            run: &run,
            trace: self.spans.trace(),
            spec: environment.spec,
            directory: environment.directory,
            plan,
            facts,
            deployed,
            workers,
            phases,
            warmup: environment.warmup.map(|warmup| WarmingUp { warmup, platform: environment.platform }),
            disturbances,
        };
        let loaded = load.run(environment.interrupts, self).await;
        let kept = samples.finish().await;
        let mut outcome = loaded?;
        if let (Err(error), None) = (kept, &outcome.verdict) {
            outcome.verdict = Some(error.into());
        }
        Ok(outcome)
    }

    /// The workers that send the load, all ready.
    async fn workers(
        &self,
        environment: &Environment<'_>,
        (deployed, listening): (&Deployed, Listening),
        (workers, facts, shares): (&Workers, PlanFacts, Shares),
        phases: &Phases,
    ) -> Result<Coordination, Verdict> {
        let (run, submitted) = (self.run_id(), Arc::clone(&self.view.borrow().spec));
        let assembly = Assembly {
            run: &run,
            spec: environment.spec,
            workers,
            submitted: &submitted,
            platform: environment.platform,
            planner: &self.stations.planner,
            facts,
            shares,
            deployed,
            load: &self.stations.load,
            phases: phases.clone(),
            listening,
            clock: self.stations.telemetry.clock,
        };
        let waiting = |what| self.publish(|view| view.waiting_for = what);
        let assembled = assembly.assemble(environment.interrupts, waiting).await;
        self.publish(|view| view.waiting_for = String::new());
        assembled
    }

    /// Applies how the load ended.
    fn loaded(&mut self, loaded: Result<Outcome, Verdict>) -> Option<Outcome> {
        match loaded {
            Ok(mut outcome) => {
                self.apply(outcome.verdict.take().map_or(Event::Drained, Event::End));
                Some(outcome)
            }
            Err(verdict) => {
                self.apply(Event::End(verdict));
                None
            }
        }
    }

    /// Why the run ends early, and what its clean-up left; empty otherwise.
    pub(super) fn reason(&self) -> String {
        self.machine.reason() + &self.remark
    }

    pub(super) fn run_id(&self) -> RunId {
        self.view.borrow().file.run_id.clone()
    }

    /// The run fails, unless it has failed before.
    pub(super) fn end(&mut self, failure: impl Into<Failure>) {
        self.apply(Event::End(failure.into().into()));
    }

    /// Applies an event; the new state is on disk before it is published.
    pub(super) fn apply(&mut self, event: Event) {
        let before = self.machine.state();
        if let Err(forbidden) = self.machine.apply(event) {
            log::error!(RUN_ID = self.run_id().as_str(); "{forbidden}");
            return;
        }
        let state = self.machine.state();
        if state == before {
            return;
        }
        let Telemetry { metrics, clock, tracer: _ } = &self.stations.telemetry;
        let now = clock.unix();
        let mut file = self.view.borrow().file.clone();
        file.state = state;
        file.reason = self.reason();
        if state == State::Deploying {
            file.started_unix_us = Some(now.0);
        }
        if state.is_terminal() {
            file.finished_unix_us = Some(now.0);
        } else {
            metrics.phase(Some(state.as_str()));
        }
        if let Err(error) = self.directory.save(&file) {
            log::error!(RUN_ID = file.run_id.as_str(); "cannot save the run's state: {error}");
        }
        log::info!(RUN_ID = file.run_id.as_str(), PHASE = state.as_str(); "{}{}", state.as_str(), reason_suffix(&file.reason));
        self.spans.state_changed(before, &file, now);
        self.publish(|view| view.file = file);
    }

    pub(super) fn publish(&self, change: impl FnOnce(&mut RunView)) {
        self.view.send_modify(|view| change(Arc::make_mut(view)));
    }
}

impl LoadObserver for Driver {
    fn load_started(&mut self, phase: Phase) {
        self.apply(match phase {
            Phase::Warmup => Event::WarmUp,
            Phase::Measure => Event::Measure,
        });
    }

    fn measurement_started(&mut self) {
        self.apply(Event::Measure);
    }

    fn load_dispatched(&mut self) {
        self.apply(Event::LoadEnded);
    }

    fn progress(&mut self, progress: RunProgress) {
        if !progress.workers.is_empty() {
            self.stations.telemetry.metrics.workers(&progress::exported(&progress.workers));
        }
        self.publish(|view| view.progress = Some(progress));
    }
}

fn reason_suffix(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}
