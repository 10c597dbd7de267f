//! What a function is, and what it uses of its surroundings.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    capacity::{Capacity, Demand},
    feed::Feed,
    instance::{Launch, Launcher},
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
    /// Its place in the run.
    pub(super) index: FunctionIndex,
    /// Its name.
    pub(super) name: String,
    /// The kind of function.
    pub(super) kind: String,
    /// Most memory that an invocation asks for, in MiB.
    pub(super) peak_memory_mib: u32,
    /// How it scales.
    pub(super) rule: Rule,
}

impl Spec {
    /// The function that is to be deployed as the run's `index`th.
    pub(super) fn new(index: FunctionIndex, deployment: &FunctionDeployment, settings: &Settings) -> Self {
        let FunctionDeployment { name, kind, http: _, peak_memory_mib, scaling, autoscaling: _, resources: _ } =
            deployment;
        Self {
            index,
            name: name.clone(),
            kind: kind.clone(),
            peak_memory_mib: *peak_memory_mib,
            rule: Rule::new(scaling, settings.stable_window),
        }
    }

    /// What must be there at once for the function to come up.
    pub(super) fn demand(&self) -> Demand {
        Demand { instances: self.rule.initial, peak_memory_mib: self.peak_memory_mib }
    }

    /// How an instance of it is launched for a run.
    pub(super) fn launch(&self, run: &RunId, instance: InstanceId) -> Launch {
        Launch {
            run: run.clone(),
            function: self.name.clone(),
            kind: self.kind.clone(),
            instance: format!("{}-{}", self.name, instance.0),
        }
    }
}

/// What a function uses.
#[derive(Clone)]
pub(super) struct FunctionContext {
    /// Whose function it is.
    pub(super) run: RunId,
    /// Makes instances.
    pub(super) launcher: Arc<dyn Launcher>,
    /// Gives them room.
    pub(super) capacity: Arc<Capacity>,
    /// How long an instance may take until it can be called.
    pub(super) start_timeout: Duration,
    /// The time.
    pub(super) clock: Clock,
    /// The run's instant on both clocks.
    pub(super) anchor: Anchor,
    /// Takes the scale.
    pub(super) feed: Arc<Feed>,
    /// Whether the run's instances are kept, needed or not; it changes once, when they no longer are.
    pub(super) held: watch::Receiver<bool>,
    /// Ends the function.
    pub(super) stop: CancellationToken,
}
