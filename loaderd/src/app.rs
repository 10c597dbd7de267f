//! The composition root: configuration → build → run → drain. The only file that knows everything.

mod platforms;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use nix::sys::mman::{MlockAllFlags, mlockall};
use procfs::Current as _;

use crate::{
    access::Guard,
    clock::Clock,
    config::{self, Config, OnStop},
    control::{self, Handles, Service, StatusFacts, WireCodec},
    dispatch::{Heartbeat, Isolation},
    http::{self, Exposed},
    listener::{self, Alpn, Certificates, ListenError, Listener, Security},
    logging,
    metrics::Metrics,
    platform::Platforms,
    registry::{Ends, Keeping, Registry, RegistryTask},
    run::{self, DrainLimits, LoadSettings, Planner, Stations, Telemetry},
    scrape::{self, Prometheus},
    spans::Exporter,
    spec::Defaults,
    store::{Home, Retention, Store},
    supervisor::{self, Notifier},
    traces::{Limits, TraceStore},
    units,
};

/// How long spans are still sent when the daemon ends: a collector that is well takes far less.
const LAST_SPANS: Duration = Duration::from_secs(10);

/// The daemon, built and bound, not yet running.
pub struct App {
    listeners: Listeners,
    service: Service,
    registry: (RegistryTask, Registry),
    metrics: Metrics,
    heartbeat: Heartbeat,
    platforms: Platforms,
    exporter: Option<Exporter>,
    reloader: Reloader,
    ready: watch::Sender<bool>,
    ends: Ends,
    home: Home,
}

/// What is listened on.
struct Listeners {
    control: Vec<Listener>,
    metrics: Option<Listener>,
}

/// Takes over what can change while the daemon runs.
#[derive(Debug, Clone)]
pub struct Reloader {
    config: Config,
    guard: Guard,
    certificates: Option<Certificates>,
    traces: TraceStore,
    retention: watch::Sender<Retention>,
    notifier: Notifier,
    ready: watch::Receiver<bool>,
}

impl Reloader {
    /// Reads the configuration again and takes it over. One that can't be used changes nothing.
    pub fn reload(&mut self, read: impl FnOnce() -> Result<Config, Vec<String>>) {
        // The service manager would take it for the end of the start, or of the end.
        let told = *self.ready.borrow();
        if told {
            self.notifier.reloading();
        }
        match read() {
            Ok(config) => self.take_over(&config),
            Err(faults) => faults.iter().for_each(|fault| log::error!("not reloaded: {fault}")),
        }
        if told {
            self.notifier.ready();
        }
    }

    /// Takes over the log's level, roles, tokens, limits, retention, certificates.
    fn take_over(&mut self, config: &Config) {
        logging::set_level(config.log_level);
        self.guard.replace(config.access.policy(), config.access.requests_per_second);
        self.traces.set_limits(limits(&config.traces));
        self.retention.send_replace(retention(&config.retention));
        if let Some(Err(error)) = self.certificates.as_ref().map(Certificates::reload) {
            log::error!("the certificates stay as they are: {error}");
        }
        let fixed = self.config.fixed(config);
        if fixed.is_empty() {
            log::info!("reloaded");
        } else {
            log::warn!("reloaded; these changes take a restart: {}", fixed.join(", "));
        }
    }
}

/// Keeps this thread, and what it starts, out of the way of those that send. To be called before there are others.
///
/// # Errors
/// When the kernel refuses that.
pub fn make_room(config: &Config) -> anyhow::Result<()> {
    isolation(&config.isolation).make_room().context("isolation.cpus")
}

impl App {
    /// Binds every socket, opens the state directory and takes up what an earlier process left.
    ///
    /// # Errors
    /// What can't be opened or bound, with its path or address.
    pub async fn build(config: Config, ends: Ends) -> anyhow::Result<Self> {
        let clock = Clock;
        let isolation = isolate(&config.isolation)?;
        let metrics = Metrics::new();
        let home = Home::take(&config.state_dir)?;
        let codec = WireCodec { defaults: Defaults { platform: config.platform.clone() } };
        let store = Store::open(&config.state_dir, Arc::new(codec.clone()))?;
        let traces = TraceStore::open(&config.state_dir.join("traces"), limits(&config.traces))?;
        let certificates = config.tls.files().map(Certificates::load).transpose()?;
        let listeners = Listeners::open(&config, certificates.as_ref()).await?;
        let guard = Guard::new(config.access.policy(), config.access.requests_per_second);
        let heartbeat = Heartbeat::new(clock);
        let prometheus = config.prometheus.url.as_deref().map(|url| Prometheus::new(url, config.scrape.period));
        let prometheus = prometheus.transpose()?;
        let platforms = platforms::start(&config, prometheus.clone(), clock).await?;
        let (exporter, tracer) = match &config.otlp.endpoint {
            Some(address) => Some(Exporter::new(address, config.otlp.sampled, clock)?).unzip(),
            None => (None, None),
        };
        let (keep, _) = watch::channel(retention(&config.retention));
        let planner = Arc::new(planner(&config, &traces, &platforms));
        let stations = Stations {
            platforms: platforms.clone(),
            planner: Arc::clone(&planner),
            load: LoadSettings {
                workers: config.dispatch.workers,
                connections: config.dispatch.connections,
                isolation,
                heartbeat: heartbeat.clone(),
            },
            drain: DrainLimits { shutdown: config.shutdown_drain, skip_drain: ends.skip_drain.clone() },
            sampling_period: config.scrape.period,
            telemetry: Telemetry { metrics: metrics.clone(), tracer, clock },
        };
        let keeping = Keeping { retention: keep.subscribe(), traces: traces.clone() };
        let registry = RegistryTask::recover(store.clone(), Arc::new(stations), keeping, ends.clone())?;
        let facts = facts(&config, &listeners, &platforms, clock);
        let service = Service::new(Handles {
            registry: registry.1.clone(),
            store,
            planner,
            codec,
            traces: traces.clone(),
            platforms: platforms.clone(),
            prometheus,
            facts,
            clock,
        });
        let (ready, readiness) = watch::channel(false);
        let notifier = Notifier::start().context("cannot start the thread that tells the service manager")?;
        let reloader = Reloader { config, guard, certificates, traces, retention: keep, notifier, ready: readiness };
        Ok(Self { listeners, service, registry, metrics, heartbeat, platforms, exporter, reloader, ready, ends, home })
    }

    /// What takes over a configuration that was read again.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Serves until it is to end, then drains: refuses new runs, ends the active one, takes away what it made.
    ///
    /// # Errors
    /// A server that can't be set up.
    pub async fn run(self) -> anyhow::Result<()> {
        let Self { listeners, service, registry, metrics, heartbeat, platforms, exporter, reloader, ready, ends, home } =
            self;
        let (registry_task, registry) = registry;
        let notifier = reloader.notifier.clone();
        for listener in &listeners.control {
            log::info!("control API on {}", listener.address());
        }
        let mut recovered = registry_task.recovered();
        let drained = CancellationToken::new();
        let endpoint = async {
            if let Some(listener) = listeners.metrics {
                log::info!("metrics on {}/metrics", listener.address());
                let Reloader { ready, guard, .. } = reloader.clone();
                let exposed = Exposed { metrics, ready, guard };
                http::serve(listener, http::router(exposed), drained.clone()).await;
            }
        };
        let serve = control::serve(listeners.control, service, reloader.guard.clone(), drained.clone());
        let tell_ready = async {
            tokio::select! {
                biased;
                () = ends.shutdown.cancelled() => {}
                // A registry that ended has recovered nothing more.
                Ok(_) = recovered.wait_for(|recovered| *recovered) => {
                    ready.send_replace(true);
                    notifier.ready();
                }
            }
        };
        let work = async {
            registry_task.run().await;
            for platform in platforms.values() {
                platform.shutdown().await;
            }
            log::info!("drained");
            drained.cancel();
        };
        // Only a run that is finished may take as long as it likes.
        let patience =
            if reloader.config.on_stop == OnStop::Finish { ends.shutdown.clone() } else { CancellationToken::new() };
        let attend = supervisor::attend(&notifier, registry, heartbeat, patience, drained.clone());
        let stop = async {
            ends.shutdown.cancelled().await;
            ready.send_replace(false);
            notifier.stopping();
        };
        let export = async {
            let Some(exporter) = exporter else { return };
            let ended = async {
                drained.cancelled().await;
                tokio::time::sleep(LAST_SPANS).await;
            };
            tokio::select! {
                () = exporter.run() => {}
                () = ended => {}
            }
        };
        let sum_up = logging::sum_up(drained.clone());
        // In this order: connections are taken before the daemon is said to be ready.
        let (served, ..) = tokio::join!(serve, tell_ready, work, endpoint, attend, stop, export, sum_up);
        notifier.flush().await;
        drop(home);
        Ok(served?)
    }
}

impl Listeners {
    /// Takes the sockets that the service manager hands over, and opens what the configuration names besides.
    async fn open(config: &Config, certificates: Option<&Certificates>) -> Result<Self, ListenError> {
        let secured = |address: &SocketAddr, alpn| match certificates {
            // The configuration was refused if another address had no TLS.
            Some(certificates) if config.tls.loopback || !address.ip().is_loopback() => {
                Security::Tls(certificates.clone(), alpn)
            }
            _ => Security::Plain,
        };
        let mut control = listener::inherited(certificates)?;
        let handed_over = control.iter().any(Listener::is_unix);
        for address in &config.listen {
            control.push(Listener::tcp(*address, secured(address, Alpn::Http2)).await?);
        }
        if let Some(path) = config.socket.as_ref().filter(|_| !handed_over) {
            control.push(Listener::unix(path)?);
        }
        let metrics = match &config.metrics_listen {
            Some(address) => Some(Listener::tcp(*address, secured(address, Alpn::Http1)).await?),
            None => None,
        };
        Ok(Self { control, metrics })
    }
}

fn limits(config: &config::Traces) -> Limits {
    let config::Traces { roots: _, max_upload_mib, max_uploads, max_uploads_per_client, expire } = *config;
    Limits { max_bytes: max_upload_mib << 20, max_count: max_uploads, max_per_client: max_uploads_per_client, expire }
}

fn retention(config: &config::Retention) -> Retention {
    let config::Retention { max_age, max_runs, max_mib } = *config;
    Retention { max_age, max_runs, max_bytes: max_mib.map(|mib| mib << 20) }
}

fn isolation(config: &config::Isolation) -> Isolation {
    Isolation { cpus: config.cpus.0.clone(), realtime: config.realtime }
}

/// What the threads get that send, once it is known that it can be had. Memory is locked for the whole daemon.
fn isolate(config: &config::Isolation) -> anyhow::Result<Isolation> {
    let isolation = isolation(config);
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

fn planner(config: &Config, traces: &TraceStore, platforms: &Platforms) -> Planner {
    Planner {
        traces: traces.clone(),
        trace_roots: config.traces.roots.clone(),
        platforms: platforms.clone(),
        connections: config.dispatch.connections,
        max_files: run::raise_limit(),
    }
}

fn facts(config: &Config, listeners: &Listeners, platforms: &Platforms, clock: Clock) -> StatusFacts {
    let mut names: Vec<_> = platforms.keys().map(|name| (*name).to_owned()).collect();
    names.sort();
    StatusFacts {
        started: clock.unix(),
        host: nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default(),
        state_directory: config.state_dir.display().to_string(),
        default_platform: config.platform.clone(),
        platforms: names,
        listen: listeners.control.iter().map(Listener::address).collect(),
        metrics_listen: listeners.metrics.as_ref().map(Listener::address).unwrap_or_default(),
        cores: scrape::cores().map_or(0, units::to_u32),
        memory_mib: procfs::Meminfo::current().map_or(0, |memory| memory.mem_total >> 20),
    }
}
