//! The settings of the daemon's parts, from its configuration.

use anyhow::Context as _;
use nix::{
    libc::MCL_ONFAULT,
    sys::mman::{MlockAllFlags, mlockall},
};
use procfs::Current as _;

use super::listeners::Listeners;
use crate::{
    clock::Clock,
    config::{self, Config},
    control::StatusFacts,
    dispatch::{Heartbeat, Isolation},
    listener::Listener,
    page::Hosts,
    platform::Platforms,
    run::{self, LoadSettings, Planner},
    scrape,
    store::Retention,
    studies::HookSettings,
    traces::{Limits, TraceStore},
    units,
};

pub(super) fn limits(config: &config::Traces) -> Limits {
    let config::Traces {
        roots: _,
        max_upload_mib,
        max_mib,
        max_mib_per_client,
        max_uploads,
        max_uploads_per_client,
        expire: config::Expiry(expire),
    } = *config;
    Limits {
        max_bytes: max_upload_mib << 20,
        max_total_bytes: max_mib << 20,
        max_client_bytes: max_mib_per_client << 20,
        max_count: max_uploads,
        max_per_client: max_uploads_per_client,
        expire,
    }
}

pub(super) fn retention(config: &config::Retention) -> Retention {
    let config::Retention { max_age, max_runs, max_mib } = *config;
    Retention { max_age, max_runs, max_bytes: max_mib.map(|mib| mib << 20) }
}

pub(super) fn hooks(config: &config::Hooks) -> HookSettings {
    let config::Hooks { directory, timeout } = config.clone();
    HookSettings { directory, timeout }
}

pub(super) fn isolation(config: &config::Isolation) -> Isolation {
    Isolation { cpus: config.cpus.0.clone(), realtime: config.realtime }
}

/// The isolation of the sending threads, checked against what the kernel allows; locks the memory of the whole daemon.
pub(super) fn isolate(config: &config::Isolation) -> anyhow::Result<Isolation> {
    let isolation = isolation(config);
    isolation.check()?;
    if config.memory == config::Memory::Locked {
        // What the allocator has only reserved takes no memory.
        let once_touched = MlockAllFlags::from_bits_retain(MCL_ONFAULT);
        mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | once_touched).context(
            "isolation.memory: the kernel refuses to lock the daemon's memory: give it CAP_IPC_LOCK or \
             LimitMEMLOCK=infinity, or leave it out",
        )?;
    }
    Ok(isolation)
}

pub(super) fn load(config: &config::Dispatch, isolation: Isolation, heartbeat: &Heartbeat) -> LoadSettings {
    LoadSettings { workers: config.workers, connections: config.connections, isolation, heartbeat: heartbeat.clone() }
}

pub(super) fn planner(config: &Config, traces: &TraceStore, platforms: &Platforms) -> Planner {
    Planner {
        traces: traces.clone(),
        trace_roots: config.traces.roots.clone(),
        platforms: platforms.clone(),
        connections: config.dispatch.connections,
        max_files: run::raise_limit(),
        memory: run::allowed_memory(),
    }
}

pub(super) fn facts(config: &Config, listeners: &Listeners, platforms: &Platforms, clock: Clock) -> StatusFacts {
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

/// The names of the page, and its address, if there is one.
pub(super) fn page(config: &Config, listeners: &Listeners, host: &str) -> Option<(Hosts, String)> {
    let (listens, listener) = (config.metrics_listen?, listeners.metrics.as_ref()?);
    if !config.http.has_page(listens) {
        return None;
    }
    let hosts = Hosts { address: listens.ip(), names: config.http.hosts.clone() };
    let address = listener.address();
    let (scheme, port) = (address.split("://").next()?, address.rsplit(':').next()?);
    let name = config.http.hosts.first().map(String::as_str).or(listens.ip().is_unspecified().then_some(host));
    let address = name.map_or_else(|| address.clone(), |name| format!("{scheme}://{name}:{port}"));
    Some((hosts, address))
}
