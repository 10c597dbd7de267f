//! The daemon's status.

use std::sync::Arc;

use loader_proto::v1;

use super::time::timestamp;
use crate::{clock::UnixMicros, platform::Fact, registry::Activity, run::RunView};

/// The part of the status that never changes.
#[derive(Debug, Clone, Default)]
pub struct StatusFacts {
    /// When the daemon was started.
    pub started: UnixMicros,
    /// The name of the daemon's host.
    pub host: String,
    /// The path of the state directory.
    pub state_directory: String,
    /// The platform for specs that name none.
    pub default_platform: String,
    /// Names of all platforms, sorted.
    pub platforms: Vec<String>,
    /// Addresses of the control API.
    pub listen: Vec<String>,
    /// Address of the metrics; empty when they are not served.
    pub metrics_listen: String,
    /// Processor cores of the host.
    pub cores: u32,
    /// The host's memory, in MiB.
    pub memory_mib: u64,
}

/// The clean-up of a run, which waits.
fn waiting(view: &RunView) -> v1::WaitingCleanUp {
    v1::WaitingCleanUp { run_id: view.file.run_id.to_string(), waiting_for: view.waiting_for.clone() }
}

/// The status, with the runs that are being cleaned up, and the facts of the platforms.
pub(in crate::control) fn status(
    facts: &StatusFacts,
    activity: Activity,
    cleaning: &[Arc<RunView>],
    of_platforms: impl Iterator<Item = (&'static str, Fact)>,
) -> v1::GetStatusResponse {
    let StatusFacts {
        started: UnixMicros(started),
        host,
        state_directory,
        default_platform,
        platforms,
        listen,
        metrics_listen,
        cores,
        memory_mib,
    } = facts.clone();
    let Activity { active, queued } = activity;
    let fact = |(platform, Fact { name, value }): (&str, Fact)| v1::PlatformFact {
        platform: platform.to_owned(),
        name: name.to_owned(),
        value,
    };
    v1::GetStatusResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: Some(timestamp(started)),
        host,
        state_directory,
        default_platform,
        platforms,
        active_run_id: active.map(|id| id.to_string()).unwrap_or_default(),
        queued_runs: queued,
        listen,
        metrics_listen,
        cores,
        memory_mib,
        platform_facts: of_platforms.map(fact).collect(),
        waiting: cleaning.iter().filter(|view| !view.waiting_for.is_empty()).map(|view| waiting(view)).collect(),
    }
}
