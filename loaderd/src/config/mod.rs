//! The daemon's configuration: a TOML file, and flags that win over it.

mod access;
mod read;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use read::Section;

pub use access::{Access, ListenerRole, Roles, Tls, Tokens};

use crate::access::Role;

/// The daemon's configuration. Every value has a default, so that no file is needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where runs and uploads are kept.
    pub state_dir: PathBuf,
    /// TCP addresses of the control API; others than loopback by TLS.
    pub listen: Vec<SocketAddr>,
    /// Unix socket of the control API.
    pub socket: Option<PathBuf>,
    /// Address of the Prometheus endpoint; another than loopback by TLS. `None`: there is none.
    pub metrics_listen: Option<SocketAddr>,
    /// The platform for specs that name none.
    pub platform: String,
    /// How much is logged.
    pub log_level: log::LevelFilter,
    /// In which form.
    pub log_format: LogFormat,
    /// How long a run's answers are awaited when the daemon ends.
    pub shutdown_drain: Duration,
    /// `[tls]`: the daemon's certificate.
    pub tls: Tls,
    /// `[access]`: who may do what.
    pub access: Access,
    /// What happens to the active run when the daemon is to end.
    pub on_stop: OnStop,
    /// `[retention]`: which runs are kept.
    pub retention: Retention,
    /// `[dispatch]`: how invocations are sent.
    pub dispatch: Dispatch,
    /// `[isolation]`: how the threads that send are kept apart from everything else.
    pub isolation: Isolation,
    /// `[traces]`: uploads, and traces on the daemon's machine.
    pub traces: Traces,
    /// `[local]`: the local platform.
    pub local: Local,
    /// `[knative]`: a Knative cluster.
    pub knative: Knative,
    /// `[scrape]`: samples of the cluster.
    pub scrape: Scrape,
    /// `[prometheus]`: a Prometheus that scrapes the cluster.
    pub prometheus: PrometheusAccess,
    /// `[otlp]`: a collector of spans.
    pub otlp: Otlp,
}

/// In which form the daemon logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// To the journal, where standard error leads there; else as text.
    #[default]
    Auto,
    /// Lines of text on standard error.
    Text,
    /// A JSON object a line on standard error.
    Json,
}

/// What happens to the active run when the daemon is to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnStop {
    /// It is interrupted: what is out is awaited for a moment, then the run is cleaned.
    #[default]
    Interrupt,
    /// It is carried to its end. A second signal interrupts it.
    Finish,
}

/// `[retention]`: which runs are kept; nothing is bounded where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end a run is kept.
    pub max_age: Option<Duration>,
    /// How many ended runs are kept.
    pub max_runs: Option<u64>,
    /// How many MiB ended runs may take, together.
    pub max_mib: Option<u64>,
}

impl Retention {
    fn read(&mut self, section: &mut Section<'_>) {
        section.take("max_age", &mut self.max_age);
        section.take("max_runs", &mut self.max_runs);
        section.take("max_mib", &mut self.max_mib);
    }
}

/// `[scrape]`: samples of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrape {
    /// From one sample of a source to the next, and how long one may take.
    pub period: Duration,
}

/// `[prometheus]`: a Prometheus that scrapes the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrometheusAccess {
    /// Where it is; none: the autoscaler's own endpoints are asked, and there is nothing to query.
    pub url: Option<String>,
}

/// `[otlp]`: a collector of spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Otlp {
    /// Where it is; none: there are no spans.
    pub endpoint: Option<String>,
    /// The share of invocations that have a span, 0 to 1.
    pub sampled: f64,
}

/// `[knative]`: a Knative cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Knative {
    /// The kubeconfig; none: that of the environment, or of the pod that the daemon runs in.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; none: its current one.
    pub context: Option<String>,
    /// Where functions are deployed; none: the context's namespace.
    pub namespace: Option<String>,
    /// The functions' image.
    pub image: Option<String>,
    /// `host:port` of the ingress; none: it is looked for.
    pub gateway: Option<String>,
    /// The authority that vouches for the ingress; none: those that this machine believes.
    pub gateway_ca: Option<PathBuf>,
    /// A manifest for functions of every kind; none: those that the daemon brings.
    pub manifest: Option<PathBuf>,
    /// Labels of the nodes that functions go to.
    pub node_selector: Labels,
}

/// Labels and their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(pub BTreeMap<String, String>);

/// `[dispatch]`: how invocations are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Worker threads.
    pub workers: usize,
    /// Connections to each address, over all workers.
    pub connections: usize,
}

/// `[isolation]`: how the threads that send are kept apart from everything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Isolation {
    /// Their processors; none: all.
    pub cpus: CpuList,
    /// The daemon's memory.
    pub memory: Memory,
    /// The pacer's real-time priority, 1 to 99.
    pub realtime: Option<u8>,
}

/// Numbers of processors, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpuList(pub Vec<usize>);

/// What happens to the daemon's memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Memory {
    /// The kernel may page it out.
    #[default]
    Pageable,
    /// It is held in memory, so that no page fault delays a send.
    Locked,
}

/// `[traces]`: uploads, and traces on the daemon's machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// Directories below which specs may name traces by path.
    pub roots: Vec<PathBuf>,
    /// Largest upload, in MiB.
    pub max_upload_mib: u64,
    /// Most uploads.
    pub max_uploads: usize,
    /// Most uploads of one client.
    pub max_uploads_per_client: usize,
    /// How long an upload is kept that no run names.
    pub expire: Option<Duration>,
}

/// `[local]`: the local platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// The function server; `None`: `trace-func` beside `loaderd`, else on the PATH.
    pub trace_func: Option<PathBuf>,
    /// Most instances at once, over all functions.
    pub max_instances: u32,
    /// The share of the host's memory that instances may have, 0.01 to 1.
    pub memory_ratio: f64,
    /// How long an instance is kept without need.
    pub stable_window: Duration,
    /// How long an instance may take to start.
    pub start_timeout: Duration,
}

const SHORTEST_PERIOD: Duration = Duration::from_secs(1);
const LONGEST_PERIOD: Duration = Duration::from_hours(1);

/// Instances for each processor core where the configuration does not say.
const INSTANCES_PER_CORE: u32 = 8;

impl Default for Config {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            state_dir: PathBuf::from("/var/lib/loader"),
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 9470))],
            socket: None,
            metrics_listen: Some(SocketAddr::from(([127, 0, 0, 1], 9480))),
            platform: "local".to_owned(),
            log_level: log::LevelFilter::Info,
            log_format: LogFormat::default(),
            shutdown_drain: Duration::from_secs(10),
            on_stop: OnStop::default(),
            retention: Retention::default(),
            tls: Tls::default(),
            access: Access::default(),
            dispatch: Dispatch { workers: (cores / 2).clamp(1, 8), connections: 4 },
            isolation: Isolation::default(),
            traces: Traces {
                roots: Vec::new(),
                max_upload_mib: 4096,
                max_uploads: 1000,
                max_uploads_per_client: 500,
                expire: None,
            },
            local: Local {
                trace_func: None,
                max_instances: u32::try_from(cores).unwrap_or(1).saturating_mul(INSTANCES_PER_CORE),
                memory_ratio: 0.8,
                stable_window: Duration::from_secs(30),
                start_timeout: Duration::from_secs(10),
            },
            knative: Knative::default(),
            scrape: Scrape { period: Duration::from_secs(5) },
            prometheus: PrometheusAccess::default(),
            otlp: Otlp { endpoint: None, sampled: 0.01 },
        }
    }
}

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The key with its section, such as `local.max_instances`; empty for the whole file.
    pub key: String,
    /// What is wrong, and what would be right.
    pub description: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.key.is_empty() { "" } else { ": " };
        write!(f, "line {}: {}{separator}{}", self.line, self.key, self.description)
    }
}

impl Config {
    /// Reads a configuration from TOML text. What the text leaves out is at its default.
    ///
    /// # Errors
    /// Every fault, in the order of the file.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Fault>> {
        read::document(text, |section| {
            let mut config = Self::default();
            section.take("state_dir", &mut config.state_dir);
            section.take("listen", &mut config.listen);
            section.take("socket", &mut config.socket);
            section.take("metrics_listen", &mut config.metrics_listen);
            section.take("platform", &mut config.platform);
            section.take("log_level", &mut config.log_level);
            section.take("log_format", &mut config.log_format);
            section.take("shutdown_drain", &mut config.shutdown_drain);
            section.take("on_stop", &mut config.on_stop);
            section.section("tls", |section| config.tls.read(section));
            section.section("access", |section| config.access.read(section));
            section.section("retention", |section| config.retention.read(section));
            section.section("dispatch", |section| config.dispatch.read(section));
            section.section("isolation", |section| config.isolation.read(section));
            section.section("traces", |section| config.traces.read(section));
            section.section("local", |section| config.local.read(section));
            section.section("knative", |section| config.knative.read(section));
            section.section("scrape", |section| section.take("period", &mut config.scrape.period));
            section.section("prometheus", |section| section.take("url", &mut config.prometheus.url));
            section.section("otlp", |section| {
                section.take("endpoint", &mut config.otlp.endpoint);
                section.take_within("sampled", &mut config.otlp.sampled, 0.0..=1.0);
            });
            config
        })
    }

    /// What can't be allowed, whatever the values were read from.
    pub fn check(&self) -> Vec<String> {
        let mut faults = self.tls.check();
        let guarded = self.tls.files().is_some() && !(self.access.tokens.0.is_empty() && self.certified().is_empty());
        let public = self.listen.iter().chain(&self.metrics_listen).filter(|address| !address.ip().is_loopback());
        faults.extend(public.filter(|_| !guarded).map(|address| {
            format!(
                "{address} is no loopback address: that needs TLS (tls.certificate, tls.key) and authentication \
                 (access.tokens, or tls.client_ca with access.certificates)"
            )
        }));
        if !(SHORTEST_PERIOD..=LONGEST_PERIOD).contains(&self.scrape.period) {
            faults.push("scrape.period must be 1s to 1h".to_owned());
        }
        let is_http = |url: &&String| url.starts_with("http://") || url.starts_with("https://");
        if let Some(url) = self.prometheus.url.as_ref().filter(|url| !is_http(url)) {
            faults.push(format!("prometheus.url must be http://host:port or https://host:port, not {url:?}"));
        }
        if self.listen.is_empty() && self.socket.is_none() {
            faults.push("nothing to listen on: give listen or socket".to_owned());
        }
        faults
    }
}

impl Config {
    /// The keys, or sections, in which `new` differs and which only a restart changes.
    pub fn fixed(&self, new: &Self) -> Vec<&'static str> {
        let Self {
            state_dir,
            listen,
            socket,
            metrics_listen,
            platform,
            log_level: _,
            log_format,
            shutdown_drain,
            on_stop,
            retention: _,
            tls,
            access: _,
            dispatch,
            isolation,
            traces: Traces { roots, max_upload_mib: _, max_uploads: _, max_uploads_per_client: _, expire: _ },
            local,
            knative,
            scrape,
            prometheus,
            otlp,
        } = self;
        let differs = [
            ("state_dir", *state_dir != new.state_dir),
            ("listen", *listen != new.listen),
            ("socket", *socket != new.socket),
            ("metrics_listen", *metrics_listen != new.metrics_listen),
            ("platform", *platform != new.platform),
            ("log_format", *log_format != new.log_format),
            ("shutdown_drain", *shutdown_drain != new.shutdown_drain),
            ("on_stop", *on_stop != new.on_stop),
            ("[tls]", *tls != new.tls),
            ("[dispatch]", *dispatch != new.dispatch),
            ("[isolation]", *isolation != new.isolation),
            ("traces.roots", *roots != new.traces.roots),
            ("[local]", *local != new.local),
            ("[knative]", *knative != new.knative),
            ("[scrape]", *scrape != new.scrape),
            ("[prometheus]", *prometheus != new.prometheus),
            ("[otlp]", *otlp != new.otlp),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// Names in certificates that somebody vouches for.
    fn certified(&self) -> &BTreeMap<String, Role> {
        static NONE: BTreeMap<String, Role> = BTreeMap::new();
        if self.tls.client_ca.is_some() { &self.access.certificates.0 } else { &NONE }
    }
}

impl Dispatch {
    fn read(&mut self, section: &mut Section<'_>) {
        section.take_within("workers", &mut self.workers, 1..=256);
        section.take_within("connections", &mut self.connections, 1..=4096);
    }
}

impl Isolation {
    fn read(&mut self, section: &mut Section<'_>) {
        section.take("cpus", &mut self.cpus);
        section.take("memory", &mut self.memory);
        let mut realtime = 0_u32;
        section.take_within("realtime", &mut realtime, 1..=99);
        self.realtime = u8::try_from(realtime).ok().filter(|priority| *priority > 0);
    }
}

impl Traces {
    fn read(&mut self, section: &mut Section<'_>) {
        section.take("roots", &mut self.roots);
        section.take_within("max_upload_mib", &mut self.max_upload_mib, 1..=1 << 20);
        section.take_within("max_uploads", &mut self.max_uploads, 1..=1_000_000);
        section.take_within("max_uploads_per_client", &mut self.max_uploads_per_client, 1..=1_000_000);
        section.take("expire", &mut self.expire);
    }
}

impl Knative {
    fn read(&mut self, section: &mut Section<'_>) {
        section.take("kubeconfig", &mut self.kubeconfig);
        section.take("context", &mut self.context);
        section.take("namespace", &mut self.namespace);
        section.take("image", &mut self.image);
        section.take("gateway", &mut self.gateway);
        section.take("gateway_ca", &mut self.gateway_ca);
        section.take("manifest", &mut self.manifest);
        section.take("node_selector", &mut self.node_selector);
    }
}

impl Local {
    fn read(&mut self, section: &mut Section<'_>) {
        section.take("trace_func", &mut self.trace_func);
        section.take_within("max_instances", &mut self.max_instances, 1..=100_000);
        section.take_within("memory_ratio", &mut self.memory_ratio, 0.01..=1.0);
        section.take("stable_window", &mut self.stable_window);
        section.take("start_timeout", &mut self.start_timeout);
    }
}

#[cfg(test)]
mod tests;
