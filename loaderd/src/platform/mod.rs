//! Platforms: where the functions of a run live.
//!
//! A platform deploys functions, says where they are reached, tells their scales while the run goes, and takes away
//! exactly what the run made.

pub mod attach;
pub mod knative;
pub mod local;
#[cfg(any(test, fuzzing))]
pub(crate) mod testkit;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::UnixMicros,
    endpoint::{Endpoint, HttpVersion},
    id::{FunctionIndex, RunId},
    scrape::Sampled,
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
    /// The functions' image; absent: the platform's.
    pub image: Option<String>,
    /// How long all of them may take to be ready.
    pub timeout: Duration,
    /// How many may fail to deploy.
    pub allow_failures: u32,
    /// How long an invocation may take.
    pub function_timeout: Duration,
}

/// One function of a [`Deploy`].
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDeployment {
    /// Its name: a DNS label, unique in the run.
    pub name: String,
    /// The kind of function, as `trace-func` knows it.
    pub kind: String,
    /// The version of HTTP that its invocations come by.
    pub http: HttpVersion,
    /// Most memory that an invocation asks for, in MiB.
    pub peak_memory_mib: u32,
    /// How it scales.
    pub scaling: Scaling,
    /// How a cluster's autoscaler decides.
    pub autoscaling: Autoscaling,
    /// What an instance gets.
    pub resources: Resources,
}

/// How a cluster's autoscaler decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Autoscaling {
    /// Which autoscaler: `kpa` or `hpa`.
    pub class: &'static str,
    /// What it goes by: `concurrency` or `rps`.
    pub metric: &'static str,
    /// How much of the metric an instance takes.
    pub target: f64,
    /// The panic window, as a percentage of the stable one.
    pub panic_window_percentage: f64,
    /// The load at which it panics, as a percentage of the target.
    pub panic_threshold_percentage: f64,
}

/// What an instance gets of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// CPU that is set aside for it, in thousandths of a processor.
    pub cpu_request_millicores: u32,
    /// CPU that it may use.
    pub cpu_limit_millicores: u32,
    /// Memory that is set aside for it, which is also what it may use, in MiB.
    pub memory_mib: u32,
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
    /// By function, in the order of [`Deploy::functions`]; or why there is none, where some may fail.
    pub endpoints: Vec<Result<Endpoint, String>>,
    /// The scale feed: a sample for every change, and one for each function at the start. It ends when the run is cleaned.
    pub scales: mpsc::Receiver<ScaleSample>,
    /// Instances as they come up, where the platform can tell their stages.
    pub starts: Option<mpsc::Receiver<InstanceStart>>,
}

/// The stages of an instance's start, each as it was seen by this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceStart {
    /// Of which function.
    pub function: FunctionIndex,
    /// The instance's name, by which its answers call it.
    pub instance: String,
    /// When the autoscaler last wanted more instances.
    pub desired: Option<UnixMicros>,
    /// When it was created.
    pub created: UnixMicros,
    /// When it had a place.
    pub scheduled: Option<UnixMicros>,
    /// When its container ran.
    pub started: Option<UnixMicros>,
    /// When it was ready.
    pub ready: Option<UnixMicros>,
}

/// Room for instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// So many, of whatever kind.
    Instances(u64),
    /// So much CPU that they may set aside, in thousandths of a processor; and how much each sets aside beside its function.
    Millicores {
        /// In all.
        free: u64,
        /// Of an instance, for what goes with it.
        beside: u64,
    },
}

/// How a run's surroundings are sampled.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// From one sample of a source to the next, and how long one may take.
    pub period: Duration,
    /// Where samples go.
    pub out: mpsc::Sender<Sampled>,
    /// When it is over.
    pub stop: CancellationToken,
}

/// Something that a platform says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Of what.
    pub name: &'static str,
    /// What.
    pub value: String,
}

impl Fact {
    /// One.
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into() }
    }
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
    /// Invocations that wait for an instance, where that is known.
    pub queue: Option<u32>,
    /// Instances that were started since the deployment began, in all.
    pub started: u64,
}

impl Scale {
    /// Whether the next invocation would find no instance, nor one on its way.
    pub fn is_zero(&self) -> bool {
        self.desired == 0 && self.running == 0 && self.unready == 0 && self.pending == 0 && self.queue.unwrap_or(0) == 0
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

    /// Lets what the run made be, and ends its scale feed. A platform whose functions can't outlive the run takes them away.
    async fn release(&self, run: &RunId) -> Result<(), PlatformError> {
        self.clean(run).await
    }

    /// The runs of which something is there, and how many functions of each.
    async fn left_behind(&self) -> Result<BTreeMap<RunId, usize>, PlatformError> {
        Ok(BTreeMap::new())
    }

    /// How much room there is for instances; nothing where that has no bound that is known.
    async fn room(&self) -> Result<Option<Room>, PlatformError> {
        Ok(None)
    }

    /// Open files that the platform's own part of this process needs for so many instances and connections to functions.
    fn open_files(&self, _instances: u64, _connections: u64) -> u64 {
        0
    }

    /// Keeps the autoscaler from taking the instances of a run away that will be deployed next. Settings of others that this
    /// changes are noted in `ledger` first.
    async fn hold(&self, _run: &RunId, _ledger: &Path) -> Result<(), PlatformError> {
        Ok(())
    }

    /// Puts back what [`Platform::hold`] changed. Idempotent; also for runs of an earlier process.
    async fn settle(&self, _run: &RunId, _ledger: &Path) -> Result<(), PlatformError> {
        Ok(())
    }

    /// Tasks that sample what surrounds a deployment, each on its own clock, until they are told to stop.
    async fn sources(&self, _deploy: &Deploy, _sampling: Sampling) -> Vec<BoxFuture<'static, ()>> {
        Vec::new()
    }

    /// What an operator should know of it.
    async fn facts(&self) -> Vec<Fact> {
        Vec::new()
    }

    /// Ends what the platform runs in this process. Every run's functions go away.
    async fn shutdown(&self);
}

/// The platforms that this daemon can use, by name.
pub type Platforms = HashMap<&'static str, Arc<dyn Platform>>;
