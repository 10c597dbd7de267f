//! The composition root: configuration → build → run → drain. The only file that knows everything.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use loader_proto::v1;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

use nix::sys::mman::{MlockAllFlags, mlockall};
use procfs::Current as _;

use crate::{
    clock::Clock,
    config::{self, Config},
    control::{Bound, Listeners, Service, StatusFacts},
    dispatch::Isolation,
    platform::{Platform, Platforms, attach::Attach, knative, local},
    run::{self, RegistryTask, Store},
    scrape::Prometheus,
    spec::Defaults,
    telemetry::{self, Metrics},
    traces::{Limits, TraceStore},
};

/// The daemon, built and bound, not yet running.
pub struct App {
    bound: Bound,
    service: Service,
    registry: RegistryTask,
    metrics: Metrics,
    metrics_listener: Option<TcpListener>,
    platforms: Platforms,
    shutdown: CancellationToken,
}

impl App {
    /// Binds every socket, opens the state directory and takes up what an earlier process left.
    ///
    /// # Errors
    /// What can't be opened or bound, with its path or address.
    pub async fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Self> {
        let clock = Clock;
        let isolation = isolate(&config.isolation)?;
        let metrics = Metrics::new();
        let store = Store::open(&config.state_dir)?;
        let max_bytes = config.traces.max_upload_mib << 20;
        let traces = TraceStore::open(&config.state_dir.join("traces"), Limits { max_bytes })?;
        let listeners = Listeners { tcp: config.listen.clone(), unix: config.socket.clone() };
        let bound = listeners.bind().await?;
        let metrics_listener = match config.metrics_listen {
            Some(address) => Some(
                TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} for metrics"))?,
            ),
            None => None,
        };
        let prometheus = config.prometheus.url.as_deref().map(|url| Prometheus::new(url, config.scrape.period));
        let prometheus = prometheus.transpose()?;
        let platforms = platforms(&config, prometheus.clone(), clock).await?;
        let context = Arc::new(run::Context {
            platforms: platforms.clone(),
            defaults: Defaults { platform: config.platform.clone() },
            traces,
            trace_roots: config.traces.roots.clone(),
            workers: config.dispatch.workers,
            connections: config.dispatch.connections,
            isolation,
            shutdown_drain: config.shutdown_drain,
            prometheus,
            scrape_period: config.scrape.period,
            metrics: metrics.clone(),
            clock,
        });
        let (registry_task, registry) =
            RegistryTask::recover(Arc::clone(&context), store.clone(), shutdown.clone()).await?;
        let facts = facts(&config, &bound, metrics_listener.as_ref(), &platforms, clock);
        let service = Service::new(context, registry, store, facts);
        Ok(Self { bound, service, registry: registry_task, metrics, metrics_listener, platforms, shutdown })
    }

    /// Serves until `shutdown`, then drains: refuses new runs, ends the active one, takes away what it made.
    ///
    /// # Errors
    /// A server that can't be set up.
    pub async fn run(self) -> anyhow::Result<()> {
        let Self { bound, service, registry, metrics, metrics_listener, platforms, shutdown } = self;
        for address in bound.addresses() {
            log::info!("control API on {address}");
        }
        let (ready, readiness) = watch::channel(true);
        let drained = CancellationToken::new();
        let endpoint = async {
            if let Some(listener) = metrics_listener {
                if let Ok(address) = listener.local_addr() {
                    log::info!("metrics on http://{address}/metrics");
                }
                telemetry::endpoint::serve(listener, metrics, readiness, drained.clone()).await;
            }
        };
        let serve = bound.serve(service, drained.clone());
        let work = async {
            registry.run().await;
            ready.send_replace(false);
            for platform in platforms.values() {
                platform.shutdown().await;
            }
            log::info!("drained");
            drained.cancel();
        };
        let (served, (), ()) = tokio::join!(serve, work, endpoint);
        shutdown.cancel();
        Ok(served?)
    }
}

/// What the threads get that send, once it is known that it can be had. Memory is locked for the whole daemon.
fn isolate(config: &config::Isolation) -> anyhow::Result<Isolation> {
    let isolation = Isolation { cpus: config.cpus.0.clone(), realtime: config.realtime };
    isolation.check()?;
    if config.memory == config::Memory::Locked {
        let all = MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE;
        mlockall(all).context(
            "isolation.memory: the kernel refuses to lock the daemon's memory: give it CAP_IPC_LOCK or \
             LimitMEMLOCK=infinity, or leave it out",
        )?;
    }
    Ok(isolation)
}

async fn platforms(config: &Config, prometheus: Option<Prometheus>, clock: Clock) -> anyhow::Result<Platforms> {
    let Config { local: config, knative, .. } = config;
    let settings = local::Settings {
        trace_func: config.trace_func.clone().unwrap_or_else(trace_func),
        max_instances: config.max_instances,
        memory_ratio: config.memory_ratio,
        stable_window: config.stable_window,
        start_timeout: config.start_timeout,
        ..local::Settings::default()
    };
    let local: Arc<dyn Platform> = Arc::new(local::Local::start(settings, clock).await.context("the local platform")?);
    let attach: Arc<dyn Platform> = Arc::new(Attach);
    let knative: Arc<dyn Platform> = Arc::new(knative::Knative::new(knative_settings(knative, prometheus), clock));
    Ok([local, attach, knative].map(|platform| (platform.name(), platform)).into())
}

fn knative_settings(config: &config::Knative, prometheus: Option<Prometheus>) -> knative::Settings {
    let config::Knative { kubeconfig, context, namespace, image, gateway, gateway_ca, manifest, node_selector } =
        config.clone();
    knative::Settings {
        access: knative::Access { kubeconfig, context },
        namespace,
        image,
        gateway,
        gateway_ca,
        manifest,
        node_selector: node_selector.0,
        prometheus,
    }
}

/// The function server that was built with this daemon, or the one on the PATH.
fn trace_func() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("trace-func")));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("trace-func"))
}

fn facts(
    config: &Config,
    bound: &Bound,
    metrics: Option<&TcpListener>,
    platforms: &Platforms,
    clock: Clock,
) -> StatusFacts {
    let mut names: Vec<_> = platforms.keys().map(|name| (*name).to_owned()).collect();
    names.sort();
    let started = clock.unix().0;
    let memory = procfs::Meminfo::current().map_or(0, |memory| memory.mem_total >> 20);
    let message = v1::GetStatusResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: Some(crate::control::timestamp(started)),
        host: nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default(),
        state_directory: config.state_dir.display().to_string(),
        default_platform: config.platform.clone(),
        platforms: names,
        active_run_id: String::new(),
        queued_runs: 0,
        listen: bound.addresses(),
        metrics_listen: metrics.and_then(|it| it.local_addr().ok()).map(|it| it.to_string()).unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(0, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
        memory_mib: memory,
        platform_facts: Vec::new(),
    };
    StatusFacts { message }
}
