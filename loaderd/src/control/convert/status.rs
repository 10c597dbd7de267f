//! The daemon's status.

use loader_proto::v1;

use super::time::timestamp;
use crate::{clock::UnixMicros, platform::Fact, registry::Activity};

/// What the daemon says of itself that never changes.
#[derive(Debug, Clone, Default)]
pub struct StatusFacts {
    /// When it was started.
    pub started: UnixMicros,
    /// The host's name.
    pub host: String,
    /// Where it keeps its state.
    pub state_directory: String,
    /// The platform of specs that name none.
    pub default_platform: String,
    /// Names of all platforms, in order.
    pub platforms: Vec<String>,
    /// Addresses of the control API.
    pub listen: Vec<String>,
    /// Address of the metrics; empty where there are none.
    pub metrics_listen: String,
    /// Processors.
    pub cores: u32,
    /// The host's memory.
    pub memory_mib: u64,
}

/// The status, with what the platforms say of themselves, each by its name.
pub(in crate::control) fn status(
    facts: &StatusFacts,
    activity: Activity,
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
    }
}
