//! The spec of a function, and the context in which it runs.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    capacity::{Capacity, Demand},
    feed::Feed,
    instance::{Launch, Launcher},
    live::LiveInstances,
    rule::Rule,
    scaler::InstanceId,
    settings::Settings,
};
use crate::{
    clock::{Anchor, Clock},
    id::{FunctionIndex, RunId},
    platform::FunctionDeployment,
};

/// One function of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    /// Its index in the run.
    pub(super) index: FunctionIndex,
    pub(super) name: String,
    /// The kind of function.
    pub(super) kind: String,
    /// How long an instance is busy before it serves.
    pub(super) startup_busy_loop: Duration,
    /// Most memory that an invocation asks for, in MiB.
    pub(super) peak_memory_mib: u32,
    /// The bounds of its scale, and how long an idle instance is kept.
    pub(super) rule: Rule,
}

impl Spec {
    /// The function that is to be deployed as the run's `index`th.
    pub(super) fn new(index: FunctionIndex, deployment: &FunctionDeployment, settings: &Settings) -> Self {
        let FunctionDeployment {
            name,
            kind,
            http: _,
            startup_busy_loop,
            peak_memory_mib,
            scaling,
            autoscaling: _,
            resources: _,
        } = deployment;
        Self {
            index,
            name: name.clone(),
            kind: kind.clone(),
            startup_busy_loop: *startup_busy_loop,
            peak_memory_mib: *peak_memory_mib,
            rule: Rule::new(scaling, settings.stable_window),
        }
    }

    /// The instances that its deployment needs at the same time.
    pub(super) fn demand(&self) -> Demand {
        Demand { instances: self.rule.initial, peak_memory_mib: self.peak_memory_mib }
    }

    /// How an instance of it is launched for a run.
    pub(super) fn launch(&self, run: &RunId, instance: InstanceId) -> Launch {
        Launch {
            run: run.clone(),
            function: self.name.clone(),
            kind: self.kind.clone(),
            startup_busy_loop: self.startup_busy_loop,
            instance: format!("{}-{}", self.name, instance.0),
        }
    }
}

/// The context of a function.
#[derive(Clone)]
pub(super) struct FunctionContext {
    pub(super) run: RunId,
    pub(super) launcher: Arc<dyn Launcher>,
    /// Bounds the number of instances and their memory.
    pub(super) capacity: Arc<Capacity>,
    /// Maximum time until an instance can be called.
    pub(super) start_timeout: Duration,
    pub(super) clock: Clock,
    /// The run's instant on both clocks.
    pub(super) anchor: Anchor,
    /// The scale feed, which gets each change of the function's scale.
    pub(super) feed: Arc<Feed>,
    /// Whether the run's instances are kept even when idle; it changes once, to false.
    pub(super) held: watch::Receiver<bool>,
    /// The live instances of all functions of the run.
    pub(super) instances: Arc<LiveInstances>,
    /// Whether no instance is started.
    pub(super) starts_refused: watch::Receiver<bool>,
    /// Cancelled when the function shall end.
    pub(super) stop: CancellationToken,
}
