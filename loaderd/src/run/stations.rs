//! What runs are executed with: a part for each station.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::Planner;
use crate::{
    clock::Clock,
    dispatch::{Heartbeat, Isolation},
    metrics::Metrics,
    platform::Platforms,
    spans::Tracer,
};

/// What the driver works with. It hands each station its own part.
pub struct Stations {
    /// The platforms, by name.
    pub platforms: Platforms,
    /// Makes plans of specs.
    pub planner: Arc<Planner>,
    /// How loads are sent.
    pub load: LoadSettings,
    /// What ends a drain early.
    pub drain: DrainLimits,
    /// The period of samples of a cluster.
    pub sampling_period: Duration,
    /// Where a run is reported.
    pub telemetry: Telemetry,
}

/// How loads are sent, where the spec does not say.
#[derive(Debug, Clone)]
pub struct LoadSettings {
    /// Worker threads of a run.
    pub workers: usize,
    /// Connections to each address.
    pub connections: usize,
    /// CPUs and scheduling class of the threads that send.
    pub isolation: Isolation,
    /// The pacer's heartbeat, for the watchdog.
    pub heartbeat: Heartbeat,
}

/// How long answers are awaited when the daemon ends.
#[derive(Debug, Clone)]
pub struct DrainLimits {
    /// Maximum time, counted from the last send.
    pub shutdown: Duration,
    /// When cancelled, responses are no longer awaited.
    pub skip_drain: CancellationToken,
}

/// Where a run is reported, and by which clock.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// The metrics that the daemon exports.
    pub metrics: Metrics,
    /// Exports spans; absent when they are not exported.
    pub tracer: Option<Tracer>,
    /// The clock of all time stamps.
    pub clock: Clock,
}

/// What ends a run early.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupts {
    /// A user cancels the run.
    pub(crate) cancel: CancellationToken,
    /// The daemon is shutting down.
    pub(crate) shutdown: CancellationToken,
    /// A user gives up the clean-up, which waits for its platform.
    pub(crate) give_up: CancellationToken,
}
