//! Applies a changed configuration while the daemon runs.

use tokio::sync::watch;

use super::settings;
use crate::{
    access::Guard, clock::Clock, config::Config, listener::Certificates, logging, store::Retention,
    supervisor::Notifier, traces::TraceStore,
};

/// Applies the settings that can change while the daemon runs.
#[derive(Debug, Clone)]
pub struct Reloader {
    pub(super) config: Config,
    pub(super) guard: Guard,
    pub(super) certificates: Option<Certificates>,
    pub(super) traces: TraceStore,
    pub(super) retention: watch::Sender<Retention>,
    pub(super) notifier: Notifier,
    pub(super) ready: watch::Receiver<bool>,
    pub(super) clock: Clock,
}

impl Reloader {
    /// Reads the configuration again and applies it. An invalid one changes nothing.
    pub fn reload(&mut self, read: impl FnOnce() -> Result<Config, Vec<String>>) {
        // During start and shutdown the service manager would take READY=1 for their end.
        let notify = *self.ready.borrow();
        if notify {
            self.notifier.reloading();
        }
        match read() {
            Ok(config) => self.apply(&config),
            Err(faults) => faults.iter().for_each(|fault| log::error!("not reloaded: {fault}")),
        }
        if notify {
            self.notifier.ready();
        }
    }

    /// Applies the log level, roles, tokens, limits, retention, certificates.
    fn apply(&mut self, config: &Config) {
        logging::set_level(config.log_level);
        self.guard.replace(config.access.policy(), config.access.requests_per_second);
        self.traces.set_limits(settings::limits(&config.traces));
        self.retention.send_replace(settings::retention(&config.retention));
        if let Some(Err(error)) = self.certificates.as_ref().map(|it| it.reload(self.clock.unix())) {
            log::error!("the certificates are not replaced, the old ones stay: {error}");
        }
        let fixed = self.config.fixed(config);
        if fixed.is_empty() {
            log::info!("reloaded");
        } else {
            log::warn!("reloaded; these changes take a restart: {}", fixed.join(", "));
        }
    }
}
