//! Platforms: where the functions of a run live.
//!
//! A platform deploys functions, says where they are reached, tells their scales while the run goes, and takes away
//! exactly what the run made.

pub mod attach;
pub mod local;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::UnixMicros,
    endpoint::Endpoint,
    id::{FunctionIndex, RunId},
};

/// What a platform shall deploy for a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Deploy {
    /// The run; whatever is made carries its id.
    pub run: RunId,
    /// The functions, in the plan's order.
    pub functions: Vec<FunctionDeployment>,
    /// Endpoints that the spec names; for the platform `attach`, which deploys nothing.
    pub targets: Vec<Endpoint>,
}

/// One function of a [`Deploy`].
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDeployment {
    /// Its name: a DNS label, unique in the run.
    pub name: String,
    /// The kind of function, as `trace-func` knows it.
    pub kind: String,
    /// Most memory that an invocation asks for, in MiB.
    pub peak_memory_mib: u32,
    /// How it scales.
    pub scaling: Scaling,
}

/// How a function scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaling {
    /// Instances at the start.
    pub initial: u32,
    /// Fewest instances.
    pub min: u32,
    /// Most instances; `None`: no bound.
    pub max: Option<u32>,
    /// Invocations that an instance works on at the same time, at least 1.
    pub container_concurrency: u32,
    /// How long an instance is kept without need; `None`: the platform's setting.
    pub stable_window: Option<Duration>,
}

/// What a deployment gave.
#[derive(Debug)]
pub struct Deployment {
    /// By function, in the order of [`Deploy::functions`].
    pub endpoints: Vec<Endpoint>,
    /// The scale feed: a sample for every change, and one for each function at the start. It ends when the run is cleaned.
    pub scales: mpsc::Receiver<ScaleSample>,
}

/// A function's scale at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleSample {
    /// When it was so.
    pub at: UnixMicros,
    /// The function.
    pub function: FunctionIndex,
    /// Its scale.
    pub scale: Scale,
}

/// How many instances a function has, and how many invocations wait for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scale {
    /// Instances that the autoscaler wants.
    pub desired: u32,
    /// Instances that can take invocations.
    pub running: u32,
    /// Instances that were started and can't take invocations yet.
    pub unready: u32,
    /// Instances that wait for a place to start.
    pub pending: u32,
    /// Instances that are being taken away.
    pub terminating: u32,
    /// Invocations that wait for an instance.
    pub queue: u32,
    /// Instances that were started since the deployment began, in all.
    pub started: u64,
}

impl Scale {
    /// Whether the next invocation would find no instance, nor one on its way.
    pub fn is_zero(&self) -> bool {
        self.desired == 0 && self.running == 0 && self.unready == 0 && self.pending == 0 && self.queue == 0
    }
}

/// What went wrong on a platform.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The deployment was cancelled.
    #[error("the deployment was cancelled")]
    Cancelled,
    /// A function could not be deployed.
    #[error("function {function}: {reason}")]
    Function {
        /// The function's name.
        function: String,
        /// Why, and what can be done about it.
        reason: String,
    },
    /// The platform as a whole can't be used.
    #[error("platform {platform}: {reason}")]
    Platform {
        /// The platform's name.
        platform: &'static str,
        /// Why, and what can be done about it.
        reason: String,
    },
}

/// A place where functions live.
#[tonic::async_trait]
pub trait Platform: Send + Sync {
    /// Its name, as in a spec.
    fn name(&self) -> &'static str;

    /// Deploys the functions and waits until all can be called. `ready` is told how many can.
    ///
    /// What a failed or cancelled deployment leaves is taken away by [`Platform::clean`], which the caller then calls.
    async fn deploy(
        &self,
        deploy: Deploy,
        ready: watch::Sender<u32>,
        cancel: CancellationToken,
    ) -> Result<Deployment, PlatformError>;

    /// Takes away everything that carries the run's id, and nothing else. Idempotent; also for runs of an earlier
    /// process.
    async fn clean(&self, run: &RunId) -> Result<(), PlatformError>;

    /// Ends what the platform runs in this process. Every run's functions go away.
    async fn shutdown(&self);
}

/// The platforms that this daemon can use, by name.
pub type Platforms = HashMap<&'static str, Arc<dyn Platform>>;
