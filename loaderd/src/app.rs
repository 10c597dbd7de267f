//! The composition root: configuration → build → run → drain.

mod listeners;
mod platforms;
mod reload;
mod settings;

pub use reload::Reloader;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use futures_util::future::OptionFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::listeners::Listeners;
use crate::{
    access::{Guard, Sessions},
    clock::Clock,
    config::{Config, OnStop, Otlp},
    control::{self, Handles, Service, StudyHandles, WireCodec},
    dispatch::Heartbeat,
    http::{self, Exposed},
    listener::{Certificates, Listener},
    logging,
    metrics::Metrics,
    page::{self, Page, PageHandles, Ticker},
    platform::Platforms,
    registry::{Ends, Keeping, NeededByStudies, Registry, RegistryTask},
    run::{DrainLimits, Stations, Telemetry},
    scrape::Prometheus,
    spans::{Exporter, Tracer},
    spec::Defaults,
    store::{StateDirectory, Store, StudyStore},
    studies::{StudiesTask, StudyParts},
    supervisor::{self, Notifier},
    traces::TraceStore,
};

/// How long spans are still exported when the daemon ends; a healthy collector takes far less.
const EXPORT_GRACE: Duration = Duration::from_secs(10);

/// The daemon, built and bound, not yet running.
pub struct App {
    listeners: Listeners,
    service: Service,
    registry: (RegistryTask, Registry),
    studies: StudiesTask,
    metrics: Metrics,
    heartbeat: Heartbeat,
    platforms: Platforms,
    exporter: Option<Exporter>,
    page: Option<(Page, Ticker)>,
    reloader: Reloader,
    ready: watch::Sender<bool>,
    ends: Ends,
    state_directory: StateDirectory,
}

/// Keeps this thread, and those that it starts, off the processors of the sending threads. To be called before other threads exist.
///
/// # Errors
/// The kernel refuses the affinity.
pub fn keep_off_isolated_cpus(config: &Config) -> anyhow::Result<()> {
    settings::isolation(&config.isolation).make_room().context("isolation.cpus")
}

/// What exports spans, and what makes them; none where nothing takes them.
fn exporter(config: &Otlp, clock: Clock) -> anyhow::Result<(Option<Exporter>, Option<Tracer>)> {
    Ok(match &config.endpoint {
        Some(address) => Some(Exporter::new(address, config.sampled, clock)?).unzip(),
        None => (None, None),
    })
}

/// The studies of an earlier process, and what the API has of studies.
fn recover_studies(
    parts: StudyParts,
    needed: watch::Sender<NeededByStudies>,
    ends: &Ends,
) -> anyhow::Result<(StudiesTask, StudyHandles)> {
    let (store, hooks) = (parts.studies.clone(), parts.hooks.clone());
    let (task, studies) = StudiesTask::recover(parts, needed, ends.shutdown.clone())?;
    Ok((task, StudyHandles { studies, store, hooks }))
}

impl App {
    /// Binds every socket, opens the state directory and recovers the runs of an earlier process.
    ///
    /// # Errors
    /// What cannot be opened or bound, with its path or address.
    pub async fn build(config: Config, ends: Ends) -> anyhow::Result<Self> {
        let clock = Clock;
        let isolation = settings::isolate(&config.isolation)?;
        let metrics = Metrics::new();
        let state_directory = StateDirectory::lock(&config.state_dir)?;
        let codec = WireCodec { defaults: Defaults { platform: config.platform.clone() } };
        let store = Store::open(&config.state_dir, Arc::new(codec.clone()))?;
        let traces = TraceStore::open(&config.state_dir.join("traces"), settings::limits(&config.traces))?;
        let certificates = config.tls.files().map(Certificates::load).transpose()?;
        let listeners = Listeners::open(&config, certificates.as_ref()).await?;
        let guard = Guard::new(config.access.policy(), config.access.requests_per_second);
        let heartbeat = Heartbeat::new(clock);
        let prometheus = config.prometheus.url.as_deref().map(|url| Prometheus::new(url, config.scrape.period));
        let prometheus = prometheus.transpose()?;
        let platforms = platforms::start(&config, prometheus.clone(), clock).await?;
        let (exporter, tracer) = exporter(&config.otlp, clock)?;
        let (keep, _) = watch::channel(settings::retention(&config.retention));
        let planner = Arc::new(settings::planner(&config, &traces, &platforms));
        let stations = Stations {
            platforms: platforms.clone(),
            planner: Arc::clone(&planner),
            load: settings::load(&config.dispatch, isolation, &heartbeat),
            drain: DrainLimits { shutdown: config.shutdown_drain, skip_drain: ends.skip_drain.clone() },
            sampling_period: config.scrape.period,
            telemetry: Telemetry { metrics: metrics.clone(), tracer, clock },
        };
        let (needed, needs) = watch::channel(NeededByStudies::default());
        let keeping = Keeping { retention: keep.subscribe(), traces: traces.clone(), needed: needs };
        let registry = RegistryTask::recover(store.clone(), Arc::new(stations), keeping, ends.clone())?;
        let study_parts = StudyParts {
            registry: registry.1.clone(),
            runs: store.clone(),
            studies: StudyStore::open(&config.state_dir, Arc::new(codec.clone()))?,
            platforms: platforms.clone(),
            hooks: settings::hooks(&config.hooks),
            clock,
            draws: loader_report::statistics::DRAWS,
        };
        let (studies_task, studies) = recover_studies(study_parts, needed, &ends)?;
        let facts = settings::facts(&config, &listeners, &platforms, clock);
        let (page, entrance) = settings::page(&config, &listeners, &facts.host)
            .map(|(hosts, address)| {
                let (guard, registry, store) = (guard.clone(), registry.1.clone(), store.clone());
                let (platforms, host, sessions) = (platforms.clone(), facts.host.clone(), Sessions::default());
                Page::open(PageHandles { guard, sessions, hosts, registry, store, platforms, host, clock }, address)
            })
            .unzip();
        let service = Service::new(Handles {
            registry: registry.1.clone(),
            store,
            planner,
            codec,
            traces: traces.clone(),
            platforms: platforms.clone(),
            prometheus,
            facts,
            entrance,
            studies,
            clock,
        });
        let (ready, readiness) = watch::channel(false);
        let notifier = Notifier::start().context("cannot start the thread for sd_notify")?;
        let reloader =
            Reloader { config, guard, certificates, traces, retention: keep, notifier, ready: readiness, clock };
        Ok(Self {
            listeners,
            service,
            registry,
            studies: studies_task,
            metrics,
            heartbeat,
            platforms,
            exporter,
            page,
            reloader,
            ready,
            ends,
            state_directory,
        })
    }

    /// Applies a configuration that was read again.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Serves until shutdown, then drains: refuses new runs, ends the active one, cleans up.
    ///
    /// # Errors
    /// A server that cannot be set up.
    pub async fn run(self) -> anyhow::Result<()> {
        let Self {
            listeners,
            service,
            registry,
            studies,
            metrics,
            heartbeat,
            platforms,
            exporter,
            page,
            reloader,
            ready,
            ends,
            state_directory,
        } = self;
        let (registry_task, registry) = registry;
        let notifier = reloader.notifier.clone();
        for listener in &listeners.control {
            log::info!("control API on {}", listener.address());
        }
        let mut untried = registry_task.untried();
        let drained = CancellationToken::new();
        let Reloader { ready: readiness, guard, .. } = reloader.clone();
        let exposed = Exposed { metrics, ready: readiness, guard };
        let endpoint = serve_http(listeners.metrics, exposed, page, drained.clone());
        let serve = control::serve(listeners.control, service, reloader.guard.clone(), drained.clone());
        let announce_ready = async {
            tokio::select! {
                biased;
                () = ends.shutdown.cancelled() => {}
                // Fails when the registry has ended.
                Ok(_) = untried.wait_for(|untried| *untried == 0) => {
                    ready.send_replace(true);
                    notifier.ready();
                }
            }
        };
        let work = async {
            tokio::join!(registry_task.run(), studies.run());
            for platform in platforms.values() {
                platform.shutdown().await;
            }
            log::info!("drained");
            drained.cancel();
        };
        // Only finishing a run can take longer than the service manager's stop timeout.
        let extend_timeout =
            if reloader.config.on_stop == OnStop::Finish { ends.shutdown.clone() } else { CancellationToken::new() };
        let report = supervisor::report(&notifier, registry, heartbeat, extend_timeout, drained.clone());
        let stop = async {
            ends.shutdown.cancelled().await;
            ready.send_replace(false);
            notifier.stopping();
        };
        let export = async {
            let Some(exporter) = exporter else { return };
            let ended = async {
                drained.cancelled().await;
                tokio::time::sleep(EXPORT_GRACE).await;
            };
            tokio::select! {
                () = exporter.run() => {}
                () = ended => {}
            }
        };
        let summarize = logging::summarize(drained.clone());
        let watch_validity = async {
            if let Some(certificates) = &reloader.certificates {
                certificates.watch_validity(reloader.clock, drained.clone()).await;
            }
        };
        // In this order: connections are accepted before readiness is announced.
        let (served, ..) =
            tokio::join!(serve, announce_ready, work, endpoint, report, stop, export, summarize, watch_validity);
        notifier.flush().await;
        drop(state_directory);
        Ok(served?)
    }
}

/// Serves the metrics and the page, if there are any, until `end`.
async fn serve_http(
    listener: Option<Listener>,
    exposed: Exposed,
    page: Option<(Page, Ticker)>,
    end: CancellationToken,
) {
    let Some(listener) = listener else { return };
    log::info!("metrics on {}/metrics", listener.address());
    let (mut router, mut look) = (http::router(exposed), None);
    if let Some((page, ticker)) = page {
        log::info!("page on {}/", listener.address());
        router = router.merge(page::router(page));
        look = Some(ticker.run(end.clone()));
    }
    let serve = async {
        match http::serve_apart(listener, router, end) {
            Ok(mut serving) => {
                if let Err(lost) = serving.wait().await {
                    log::error!("metrics and page are served no more: {lost}");
                }
            }
            Err(error) => log::error!("metrics and page are not served: {error}"),
        }
    };
    tokio::join!(serve, OptionFuture::from(look));
}
