//! What a run asks of its platform, and what it gets: deployments, and the scales of functions while the run goes.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::{
    clock::UnixMicros,
    endpoint::{Endpoint, HttpVersion},
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

/// A deployment that came up.
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
