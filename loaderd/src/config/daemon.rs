//! The whole configuration: its top-level keys and its sections.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use toml::de::DeValue;

use super::{
    access::{Access, Tls},
    dispatch::{Dispatch, Isolation},
    hooks::Hooks,
    http::Http,
    platforms::PlatformSections,
    read::{self, Fault, FromToml},
    storage::{Retention, Traces},
    telemetry::{LogFormat, Otlp, PrometheusAccess, Scrape},
};

/// The daemon's configuration. Every value has a default, so that no file is needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The state directory: runs and uploads.
    pub state_dir: PathBuf,
    /// TCP addresses of the control API; with TLS, except loopback.
    pub listen: Vec<SocketAddr>,
    /// Unix socket of the control API.
    pub socket: Option<PathBuf>,
    /// Address of the Prometheus endpoint; with TLS, except loopback. `None`: not served.
    pub metrics_listen: Option<SocketAddr>,
    /// The platform for specs that name none.
    pub platform: String,
    /// The level from which on messages are logged.
    pub log_level: log::LevelFilter,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// How long responses of the active run are awaited at shutdown.
    pub shutdown_drain: Duration,
    /// `[tls]`: the daemon's certificate.
    pub tls: Tls,
    /// `[access]`: who may do what.
    pub access: Access,
    /// What happens to the active run at shutdown.
    pub on_stop: OnStop,
    /// `[retention]`: which runs are kept.
    pub retention: Retention,
    /// `[dispatch]`: how invocations are sent.
    pub dispatch: Dispatch,
    /// `[isolation]`: isolation of the sending threads.
    pub isolation: Isolation,
    /// `[traces]`: uploads, and traces on the daemon's machine.
    pub traces: Traces,
    /// `[hooks]`: executables that studies run on this machine.
    pub hooks: Hooks,
    /// The sections of the platforms.
    pub platforms: PlatformSections,
    /// `[scrape]`: samples of the cluster.
    pub scrape: Scrape,
    /// `[prometheus]`: a Prometheus that scrapes the cluster.
    pub prometheus: PrometheusAccess,
    /// `[otlp]`: a collector of spans.
    pub otlp: Otlp,
    /// `[http]`: the live page.
    pub http: Http,
}

/// What happens to the active run at shutdown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnStop {
    /// It is interrupted: responses in flight are awaited for `shutdown_drain`, then the run is cleaned up.
    #[default]
    Interrupt,
    /// It is finished. A second signal interrupts it.
    Finish,
}

impl FromToml for OnStop {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        match value.as_str() {
            Some("interrupt") => Ok(Self::Interrupt),
            Some("finish") => Ok(Self::Finish),
            Some(_) | None => Err("\"interrupt\" or \"finish\""),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
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
            dispatch: Dispatch::default(),
            isolation: Isolation::default(),
            traces: Traces::default(),
            hooks: Hooks::default(),
            platforms: PlatformSections::default(),
            scrape: Scrape::default(),
            prometheus: PrometheusAccess::default(),
            otlp: Otlp::default(),
            http: Http::default(),
        }
    }
}

impl Config {
    /// Reads a configuration from TOML text. Missing keys have their defaults.
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
            section.section("hooks", |section| config.hooks.read(section));
            config.platforms.read(section);
            section.section("scrape", |section| config.scrape.read(section));
            section.section("prometheus", |section| config.prometheus.read(section));
            section.section("otlp", |section| config.otlp.read(section));
            section.section("http", |section| config.http.read(section));
            config
        })
    }

    /// Whether it has a secret itself: credentials in a URL. Tokens are there by their hash, keys by their file.
    pub fn holds_secrets(&self) -> bool {
        let urls = [&self.prometheus.url, &self.otlp.endpoint];
        urls.into_iter().flatten().any(|url| {
            let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
        })
    }

    /// What is wrong with the values together, whether they are from the file or from flags.
    pub fn check(&self) -> Vec<String> {
        let mut faults = self.tls.check();
        let guarded = self.authenticates();
        let public = self.listen.iter().chain(&self.metrics_listen).filter(|address| !address.ip().is_loopback());
        faults.extend(public.filter(|_| !guarded).map(|address| {
            format!(
                "{address} is no loopback address: that needs TLS (tls.certificate, tls.key) and authentication \
                 (access.tokens, or tls.client_ca with access.certificates)"
            )
        }));
        faults.extend(self.hooks.check());
        faults.extend(self.platforms.check());
        faults.extend(self.scrape.check());
        faults.extend(self.prometheus.check());
        faults.extend(self.http.check(self.metrics_listen));
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
            traces:
                Traces {
                    roots,
                    max_upload_mib: _,
                    max_mib: _,
                    max_mib_per_client: _,
                    max_uploads: _,
                    max_uploads_per_client: _,
                    expire: _,
                },
            hooks,
            platforms,
            scrape,
            prometheus,
            otlp,
            http,
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
            ("[hooks]", *hooks != new.hooks),
        ];
        let after = [
            ("[scrape]", *scrape != new.scrape),
            ("[prometheus]", *prometheus != new.prometheus),
            ("[otlp]", *otlp != new.otlp),
            ("[http]", *http != new.http),
        ];
        differs
            .into_iter()
            .chain(platforms.differences(&new.platforms))
            .chain(after)
            .filter(|(_, differs)| *differs)
            .map(|(key, _)| key)
            .collect()
    }

    /// Whether there is TLS, and a way to authenticate: tokens, or certificates of a known CA.
    fn authenticates(&self) -> bool {
        let by_certificate = self.tls.client_ca.is_some() && !self.access.certificates.0.is_empty();
        self.tls.files().is_some() && (by_certificate || !self.access.tokens.0.is_empty())
    }
}
