//! Samples of a cluster. Unknown values are absent, never zero.

use std::time::Duration;

use crate::clock::UnixMicros;

/// The result of one scrape of a source.
#[derive(Debug)]
pub struct Sampled {
    /// The source's name, as in the metrics.
    pub source: &'static str,
    /// The time of the scrape.
    pub at: UnixMicros,
    /// How long it took.
    pub took: Duration,
    /// The sample, or the failure.
    pub outcome: Result<Sample, SourceError>,
}

/// Why a source gave no sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// This time only; the next scrape may succeed.
    #[error("{0}")]
    Failed(String),
    /// The source is disabled, and stays so until its configuration changes.
    #[error("{0}")]
    Off(String),
}

/// A sample of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub enum Sample {
    /// The cluster's nodes, and the run's pods on them.
    Nodes {
        /// All nodes of the cluster.
        nodes: Vec<NodeSample>,
        /// The pods of the run.
        pods: Vec<PodSample>,
    },
    /// The autoscaler, the activator and the scheduler.
    Autoscaler(AutoscalerSample),
}

/// The role of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A node of the control plane.
    ControlPlane,
    /// A node for workloads.
    Worker,
}

impl Role {
    /// The role as written to nodes.csv.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
        }
    }
}

/// A node at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeSample {
    /// The name of the node.
    pub node: String,
    /// The role of the node.
    pub role: Role,
    /// CPU in use, in thousandths of a processor.
    pub cpu_millicores: Option<f64>,
    /// Allocatable CPU, in thousandths of a processor.
    pub cpu_allocatable_millicores: Option<f64>,
    /// Memory in use, in MiB.
    pub memory_mib: Option<f64>,
    /// Allocatable memory, in MiB.
    pub memory_allocatable_mib: Option<f64>,
    /// Requests and limits of its pods.
    pub pods: Option<Commitments>,
}

/// Sums of the requests and limits of pods.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Commitments {
    /// Number of pods.
    pub pods: u32,
    /// CPU requests, in thousandths of a processor.
    pub cpu_requests_millicores: f64,
    /// CPU limits, in thousandths of a processor.
    pub cpu_limits_millicores: f64,
    /// Memory requests, in MiB.
    pub memory_requests_mib: f64,
    /// Memory limits, in MiB.
    pub memory_limits_mib: f64,
}

/// A pod at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct PodSample {
    /// The name of the pod.
    pub pod: String,
    /// Its function's name in the run.
    pub function: String,
    /// Its node; empty before it is scheduled.
    pub node: String,
    /// `Pending`, `Running`, `Terminating`, …
    pub phase: String,
    /// CPU in use, in thousandths of a processor.
    pub cpu_millicores: Option<f64>,
    /// Memory in use, in MiB.
    pub memory_mib: Option<f64>,
}

/// The autoscaler at an instant: sums over the run's functions, means of concurrencies, quantiles of the scheduler's times.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AutoscalerSample {
    /// Desired instances, before limits.
    pub desired_pods: Option<f64>,
    /// Instances that are not ready.
    pub unready_pods: Option<f64>,
    /// Instances that are not scheduled.
    pub pending_pods: Option<f64>,
    /// Instances that it asked for.
    pub requested_pods: Option<f64>,
    /// Instances that are running.
    pub running_pods: Option<f64>,
    /// Invocations that wait in the activator.
    pub activator_queue: Option<f64>,
    /// Invocations that the activator has passed on so far.
    pub activator_request_count: Option<f64>,
    /// Concurrency over the stable window, mean of the functions.
    pub stable_concurrency: Option<f64>,
    /// Concurrency over the panic window, likewise.
    pub panic_concurrency: Option<f64>,
    /// One round of the scheduler, median, in microseconds.
    pub scheduling_p50_us: Option<f64>,
    /// One round of the scheduler, 95th percentile, in microseconds.
    pub scheduling_p95_us: Option<f64>,
    /// From the creation of a pod to its scheduling, median, in microseconds.
    pub placement_p50_us: Option<f64>,
    /// From the creation of a pod to its scheduling, 95th percentile, in microseconds.
    pub placement_p95_us: Option<f64>,
    /// Requests per second over the stable window, mean of the functions that scale by it.
    pub stable_rps: Option<f64>,
    /// Requests per second over the panic window, likewise.
    pub panic_rps: Option<f64>,
}
