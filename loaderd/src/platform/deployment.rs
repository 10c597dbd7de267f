//! A run's request to its platform, and the result: deployments, and the scales of functions while the run goes.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::{
    clock::UnixMicros,
    endpoint::{Endpoint, HttpVersion},
    id::{FunctionIndex, RunId},
};

/// What a platform is to deploy for a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Deploy {
    /// The run; everything that is deployed carries its id.
    pub run: RunId,
    /// The functions, in the plan's order.
    pub functions: Vec<FunctionDeployment>,
    /// Endpoints that the spec names; for the platform `attach`, which deploys nothing.
    pub targets: Vec<Endpoint>,
    /// The functions' image; absent: the platform's.
    pub image: Option<String>,
    /// Maximum time until all of them are ready.
    pub timeout: Duration,
    /// Number of functions that are allowed to fail.
    pub allow_failures: u32,
    /// Whether a clean-up waits for the instances to be gone, rather than for what runs them.
    pub await_pods: bool,
    /// Maximum time of an invocation.
    pub function_timeout: Duration,
}

/// One function of a [`Deploy`].
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDeployment {
    /// Its name: a DNS label, unique in the run.
    pub name: String,
    /// The kind of function, as `trace-func` knows it.
    pub kind: String,
    /// The version of HTTP of its invocations.
    pub http: HttpVersion,
    /// How long an instance is busy before it serves; whole milliseconds, zero for not at all.
    pub startup_busy_loop: Duration,
    /// Most memory that an invocation requests, in MiB.
    pub peak_memory_mib: u32,
    /// Its bounds of scale.
    pub scaling: Scaling,
    /// The settings of a cluster's autoscaler.
    pub autoscaling: Autoscaling,
    /// The resources of an instance.
    pub resources: Resources,
}

/// The settings of a cluster's autoscaler.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Autoscaling {
    /// The autoscaler's class: `kpa` or `hpa`.
    pub class: &'static str,
    /// Its metric: `concurrency` or `rps`.
    pub metric: &'static str,
    /// The metric's target per instance.
    pub target: f64,
    /// The panic window, as a percentage of the stable one.
    pub panic_window_percentage: f64,
    /// The load at which it panics, as a percentage of the target.
    pub panic_threshold_percentage: f64,
}

/// The resources of an instance on a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resources {
    /// Requested CPU, in thousandths of a processor.
    pub cpu_request_millicores: u32,
    /// Limit of CPU, in thousandths of a processor.
    pub cpu_limit_millicores: u32,
    /// Requested memory, which is also its limit, in MiB.
    pub memory_mib: u32,
}

/// The bounds of a function's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaling {
    /// Instances at the start.
    pub initial: u32,
    /// Minimum number of instances.
    pub min: u32,
    /// Most instances; `None`: no bound.
    pub max: Option<u32>,
    /// Invocations that an instance works on at the same time, at least 1.
    pub container_concurrency: u32,
    /// How long an idle instance is kept; `None`: the platform's setting.
    pub stable_window: Option<Duration>,
}

/// A deployment whose functions can be called.
#[derive(Debug)]
pub struct Deployment {
    /// By function, in the order of [`Deploy::functions`]; or why it failed, where failures are allowed.
    pub endpoints: Vec<Result<Endpoint, String>>,
    /// The scale feed: a sample for every change, and one for each function at the start. It ends when the run is cleaned.
    pub scales: mpsc::Receiver<ScaleSample>,
    /// Instances as they start; absent where the platform does not know their stages.
    pub starts: Option<mpsc::Receiver<InstanceStart>>,
}

/// How the time of a change is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeSource {
    /// It was observed as it happened.
    Watch,
    /// It was learned later: the time is the object's own, a whole second.
    Object,
}

impl TimeSource {
    /// Its name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Object => "object",
        }
    }
}

/// The stages of an instance's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceStart {
    /// The function that the instance serves.
    pub function: FunctionIndex,
    /// The instance's name, as in its replies.
    pub instance: String,
    /// When the autoscaler raised the desired scale for it; absent when that was not seen before it was created.
    pub desired: Option<UnixMicros>,
    /// When it was created.
    pub created: UnixMicros,
    /// When it was scheduled to a node.
    pub scheduled: Option<UnixMicros>,
    /// When its container was started.
    pub started: Option<UnixMicros>,
    /// When it became ready.
    pub ready: Option<UnixMicros>,
    /// How these times are known: [`TimeSource::Object`] if any of them is.
    pub source: TimeSource,
}

/// A function's scale at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleSample {
    /// When the function had this scale.
    pub at: UnixMicros,
    /// The function that was observed.
    pub function: FunctionIndex,
    /// The function's scale at that instant.
    pub scale: Scale,
    /// How that is known; absent where the platform reports its own changes.
    pub source: Option<TimeSource>,
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
    /// Instances that wait for capacity to start.
    pub pending: u32,
    /// Instances that are being stopped.
    pub terminating: u32,
    /// Invocations that wait for an instance, where that is known.
    pub queue: Option<u32>,
    /// Instances that were started since the deployment began, in all.
    pub started: u64,
}

impl Scale {
    /// Whether there is no instance for the next invocation, nor one that is starting.
    pub fn is_zero(&self) -> bool {
        self.desired == 0 && self.running == 0 && self.unready == 0 && self.pending == 0 && self.queue.unwrap_or(0) == 0
    }
}
