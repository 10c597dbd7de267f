//! The settings of the daemon's parts, from its configuration.

use anyhow::Context as _;
use nix::sys::mman::{MlockAllFlags, mlockall};
use procfs::Current as _;

use super::listeners::Listeners;
use crate::{
    clock::Clock,
    config::{self, Config},
    control::StatusFacts,
    dispatch::Isolation,
    listener::Listener,
    platform::Platforms,
    run::{self, Planner},
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
        let all = MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE;
        mlockall(all).context(
            "isolation.memory: the kernel refuses to lock the daemon's memory: give it CAP_IPC_LOCK or \
             LimitMEMLOCK=infinity, or leave it out",
        )?;
    }
    Ok(isolation)
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
