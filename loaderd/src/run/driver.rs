//! The driver: the one task that owns a run and takes it from its turn in the queue to its end.

use std::{path::PathBuf, sync::Arc, time::Duration};

use loader_proto::v1;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    Event, Machine, Preparation, Retention, RunDirectory, RunView, State, Verdict, deployment,
    load::{Deployed, Ended, Interrupts, Load, Outcome, Show, WarmingUp},
    prepare,
    samples::Samples,
    scales::Scales,
    starts::Starts,
    story::Story,
    view::ProgressFacts,
    warmup,
};
use crate::{
    clock::Clock,
    dispatch::{Isolation, Pulse, ScaleBoard},
    endpoint::Endpoint,
    id::RunId,
    invoke::{Protocol, Route},
    plan::{Outline, Phase, Plan},
    platform::{Deployment, Platform, Platforms},
    record::{RecordError, SummaryFacts, summarise},
    scrape::Prometheus,
    spans::Tracer,
    spec::{Defaults, Mode, PlatformKind, RunSpec},
    telemetry::{Metrics, RunLabels},
    traces::TraceStore,
    warmup::Fit,
    words,
};

/// What runs work with.
pub struct Context {
    /// Platforms by name.
    pub platforms: Platforms,
    /// What specs leave out.
    pub defaults: Defaults,
    /// Uploaded traces.
    pub traces: TraceStore,
    /// Directories below which specs may name traces on this machine.
    pub trace_roots: Vec<PathBuf>,
    /// Worker threads of a run.
    pub workers: usize,
    /// Connections to each address.
    pub connections: usize,
    /// Most files that may be open.
    pub max_files: u64,
    /// What the threads get that send.
    pub isolation: Isolation,
    /// Where the pacer shows that it lives.
    pub pulse: Pulse,
    /// How long a run's answers are awaited when the daemon ends.
    pub shutdown_drain: Duration,
    /// The daemon is to end without awaiting answers.
    pub hurry: CancellationToken,
    /// Who is asked for metrics.
    pub prometheus: Option<Prometheus>,
    /// From one sample of a cluster to the next.
    pub scrape_period: Duration,
    /// Who takes spans, if anybody does.
    pub tracer: Option<Tracer>,
    /// Which runs are kept.
    pub retention: watch::Receiver<Retention>,
    /// Exported figures.
    pub metrics: Metrics,
    /// The clock.
    pub clock: Clock,
}

/// Carries one run out.
pub(super) struct Driver {
    pub(super) context: Arc<Context>,
    pub(super) directory: RunDirectory,
    pub(super) machine: Machine,
    pub(super) view: watch::Sender<Arc<RunView>>,
    pub(super) story: Story,
    /// A user cancels the run.
    pub(super) cancel: CancellationToken,
    /// The daemon ends.
    pub(super) shutdown: CancellationToken,
}

/// What the scale feed told to its end: how many instances were started, and what could not be recorded.
pub(super) type Followed = (u64, Result<(), RecordError>);

impl Driver {
    /// Carries the run out, whatever happens, and takes away what it made.
    pub(super) async fn drive(mut self) {
        self.announce();
        self.apply(Event::Start);
        let summary = match self.prepare().await {
            Ok(preparation) => self.carry_out(preparation).await,
            Err(reason) => {
                self.apply(Event::End(Verdict::Failed(reason)));
                None
            }
        };
        self.finish(summary).await;
    }

    /// Tells the metrics that this is the active run.
    fn announce(&self) {
        let file = &self.view.borrow().file;
        let (mode, platform) = (file.mode.clone(), file.platform.clone());
        self.context.metrics.run_started(&RunLabels { run_id: file.run_id.to_string(), mode, platform });
    }

    async fn prepare(&self) -> Result<Preparation, String> {
        let (context, spec) = (Arc::clone(&self.context), Arc::clone(&self.view.borrow().spec));
        match tokio::task::spawn_blocking(move || prepare(&spec, &context)).await {
            Ok(Ok(preparation)) => Ok(preparation),
            Ok(Err(violations)) => {
                let faults: Vec<_> = violations.iter().map(ToString::to_string).collect();
                Err(faults.join("; "))
            }
            Err(broken) => Err(format!("preparing the plan broke: {broken}")),
        }
    }

    async fn carry_out(&mut self, preparation: Preparation) -> Option<v1::RunSummary> {
        let Preparation { spec, plan, outline } = preparation;
        let Some(platform) = self.context.platforms.get(spec.platform.as_str()).cloned() else {
            let reason = format!("this daemon has no platform {}", spec.platform.as_str());
            self.apply(Event::End(Verdict::Failed(reason)));
            return None;
        };
        let mut following = JoinSet::new();
        let functions: Vec<_> = plan.functions().iter().map(|function| function.name.clone()).collect();
        let mut fitted = None;
        let loaded = match self.deploy(&*platform, &spec, plan, &outline, (&mut following, &mut fitted)).await {
            Ok(deployed) => self.load(&spec, &*platform, deployed).await,
            Err(verdict) => Err(verdict),
        };
        let loaded = match loaded {
            Ok(outcome) => {
                self.apply(verdict(&outcome.ended).map_or(Event::Drained, Event::End));
                Some(outcome)
            }
            Err(verdict) => {
                self.apply(Event::End(verdict));
                None
            }
        };
        let run = self.run_id();
        if fitted.is_some()
            && let Err(error) = platform.settle(&run, &warmup::ledger(self.directory.path())).await
        {
            self.apply(Event::End(Verdict::Failed(format!("putting the autoscaler's settings back: {error}"))));
        }
        let cleaned = if spec.deploy.keep { platform.release(&run).await } else { platform.clean(&run).await };
        if let Err(error) = cleaned {
            self.apply(Event::End(Verdict::Failed(format!("cleaning up: {error}"))));
        }
        let instances_started = self.followed(following).await;
        let Outcome { ended: _, t0, clock_changes, recorded, findings, clamped, warmed_up } = loaded?;
        self.fill_in(recorded.first_replies).await;
        self.finish_records(spec.output).await;
        let facts = SummaryFacts {
            start: t0.unix,
            clock_changes,
            functions,
            instances_started,
            findings,
            burst: matches!(spec.mode, Mode::Burst(_)),
            clamped,
            dropped_functions: outline.dropped_functions,
            warmup: fitted.map(|fitted| {
                let (conducted, measured_from) = warmed_up.unzip();
                warmup::findings(conducted.unwrap_or_default(), &fitted, measured_from)
            }),
        };
        let summary = summarise(recorded.statistics, facts);
        Some(v1::RunSummary { seed: spec.seed, ..summary })
    }

    /// Deploys the plan's functions and follows their scales.
    async fn deploy(
        &mut self,
        platform: &dyn Platform,
        spec: &RunSpec,
        plan: Box<dyn Plan>,
        outline: &Outline,
        (following, fitted): (&mut JoinSet<Followed>, &mut Option<Fit>),
    ) -> Result<Deployed, Verdict> {
        let failed = |error: &dyn std::fmt::Display| Verdict::Failed(error.to_string());
        let mut deploy = deployment::request(self.run_id(), spec, plan.functions(), outline);
        if let Some(warmup) = warmup::asked(spec) {
            let expected = plan.expected_concurrency(warmup.profile);
            *fitted = Some(warmup::scale(expected, spec, platform, &mut deploy).await);
            let held = platform.hold(&deploy.run, &warmup::ledger(self.directory.path())).await;
            held.map_err(|error| Verdict::Failed(format!("warm-up: {error}")))?;
        }
        let total = u32::try_from(deploy.functions.len()).unwrap_or(u32::MAX);
        let (ready, mut readiness) = watch::channel(0);
        let mut deploying = platform.deploy(deploy.clone(), ready, self.cancel.child_token());
        let deployment = loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Err(stopped()),
                deployment = &mut deploying => break deployment,
                Ok(()) = readiness.changed() => {
                    let functions_ready = *readiness.borrow_and_update();
                    let progress = v1::RunProgress { functions_ready, functions_total: total, ..Default::default() };
                    self.publish(|view| view.progress = Some(progress));
                }
            }
        };
        drop(deploying);
        let Deployment { endpoints, scales, starts } = match deployment {
            Ok(deployment) => deployment,
            Err(_) if self.cancel.is_cancelled() => return Err(Verdict::Cancelled),
            Err(error) => return Err(failed(&error)),
        };
        let names: Arc<[String]> = plan.functions().iter().map(|function| function.name.clone()).collect();
        let board = Arc::new(ScaleBoard::new(names.len()));
        let metrics = self.context.metrics.clone();
        let follower = Scales::create(self.directory.path(), Arc::clone(&names), Arc::clone(&board), metrics);
        following.spawn(follower.map_err(|error| failed(&error))?.follow(scales));
        if let Some(starts) = starts {
            let follower = Starts::create(self.directory.path(), Arc::clone(&names));
            following.spawn(follower.map_err(|error| failed(&error))?.follow(starts));
        }
        self.tell_failures(&names, &endpoints);
        let on_cluster = spec.platform == PlatformKind::Knative;
        let rows = deployment::FunctionRows {
            functions: plan.functions(),
            deploy: &deploy,
            on_cluster,
            endpoints: &endpoints,
        };
        rows.write(self.directory.path()).map_err(|error| failed(&error))?;
        let route = |(name, endpoint): (&String, &Result<Endpoint, String>)| match endpoint {
            Ok(endpoint) => Route::new(endpoint, Protocol::of(spec.kind, &spec.protocol, name)).map(Some),
            Err(_) => Ok(None),
        };
        let routes: Result<Arc<[Option<Route>]>, _> = names.iter().zip(&endpoints).map(route).collect();
        let facts = ProgressFacts::new(total, outline);
        Ok(Deployed { deploy, plan, facts, names, routes: routes.map_err(|error| failed(&error))?, board })
    }

    async fn load(&mut self, spec: &RunSpec, platform: &dyn Platform, deployed: Deployed) -> Result<Outcome, Verdict> {
        let (context, directory, run) = (Arc::clone(&self.context), self.directory.clone(), self.run_id());
        let (cancel, shutdown) = (self.cancel.clone(), self.shutdown.clone());
        let warmup = warmup::asked(spec).map(|warmup| WarmingUp { warmup, platform });
        let (period, metrics) = (context.scrape_period, context.metrics.clone());
        let samples = Samples::start(platform, &deployed.deploy, period, directory.path(), metrics).await;
        let samples = samples.map_err(|error| Verdict::Failed(error.to_string()))?;
        let load = Load {
            context: &context,
            run: &run,
            trace: self.story.trace(),
            spec,
            directory: &directory,
            deployed,
            warmup,
        };
        let interrupts = Interrupts { cancel: &cancel, shutdown: &shutdown };
        let loaded = load.run(interrupts, self).await;
        let kept = samples.finish().await;
        let mut outcome = loaded.map_err(|error| Verdict::Failed(words::of(error.as_ref())))?;
        if let (Err(error), Ended::Complete) = (kept, &outcome.ended) {
            outcome.ended = Ended::Failed(error.to_string());
        }
        Ok(outcome)
    }

    /// Says which functions are not there, where some may fail.
    fn tell_failures(&self, names: &[String], endpoints: &[Result<Endpoint, String>]) {
        for (function, endpoint) in names.iter().zip(endpoints) {
            if let Err(reason) = endpoint {
                let run = self.run_id();
                log::warn!(RUN_ID = run.as_str(), FUNCTION = function.as_str(); "function {function} failed: {reason}");
            }
        }
    }

    pub(super) fn run_id(&self) -> RunId {
        self.view.borrow().file.run_id.clone()
    }

    /// Takes an event; the new state is on disk before it is shown.
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
        let now = self.context.clock.unix();
        let mut file = self.view.borrow().file.clone();
        file.state = state;
        file.reason = self.machine.reason().to_owned();
        if state == State::Deploying {
            file.started_unix_us = Some(now.0);
        }
        if state.is_terminal() {
            file.finished_unix_us = Some(now.0);
        } else {
            self.context.metrics.phase(Some(state.as_str()));
        }
        if let Err(error) = self.directory.save(&file) {
            log::error!(RUN_ID = file.run_id.as_str(); "the run's state is not on disk: {error}");
        }
        log::info!(RUN_ID = file.run_id.as_str(), PHASE = state.as_str(); "{}{}", state.as_str(), because(&file.reason));
        self.story.passed(before, &file, now);
        self.publish(|view| view.file = file);
    }

    pub(super) fn publish(&self, change: impl FnOnce(&mut RunView)) {
        self.view.send_modify(|view| change(Arc::make_mut(view)));
    }
}

impl Show for Driver {
    fn began(&mut self, phase: Phase) {
        self.apply(match phase {
            Phase::Warmup => Event::WarmUp,
            Phase::Measure => Event::Measure,
        });
    }

    fn measuring(&mut self) {
        self.apply(Event::Measure);
    }

    fn paced(&mut self) {
        self.apply(Event::LoadEnded);
    }

    fn progress(&mut self, progress: v1::RunProgress) {
        self.publish(|view| view.progress = Some(progress));
    }
}

fn verdict(ended: &Ended) -> Option<Verdict> {
    match ended {
        Ended::Complete => None,
        Ended::Failed(reason) => Some(Verdict::Failed(reason.clone())),
        Ended::Cancelled => Some(Verdict::Cancelled),
        Ended::Shutdown => Some(stopped()),
    }
}

fn stopped() -> Verdict {
    Verdict::Interrupted("the daemon was stopped".to_owned())
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}
