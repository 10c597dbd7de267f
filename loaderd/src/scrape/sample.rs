//! What scrapes of a cluster give. What is not known is absent, never zero.

use std::time::Duration;

use crate::clock::UnixMicros;

/// What a source found, or why it found nothing.
#[derive(Debug)]
pub struct Sampled {
    /// The source's name, as in the metrics.
    pub source: &'static str,
    /// When it was asked.
    pub at: UnixMicros,
    /// How long it took.
    pub took: Duration,
    /// What it gave.
    pub outcome: Result<Sample, SourceError>,
}

/// Why a source gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// This time; it may be better the next time.
    #[error("{0}")]
    Failed(String),
    /// It is switched off, and will stay so until somebody switches it on.
    #[error("{0}")]
    Off(String),
}

/// What a source gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Sample {
    /// The cluster's nodes, and the run's pods on them.
    Nodes {
        /// All nodes.
        nodes: Vec<NodeSample>,
        /// The run's pods.
        pods: Vec<PodSample>,
    },
    /// The autoscaler.
    Autoscaler(AutoscalerSample),
}

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It runs the cluster.
    ControlPlane,
    /// It runs what users deploy.
    Worker,
}

impl Role {
    /// As in nodes.csv.
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
    /// Its name.
    pub node: String,
    /// What it is for.
    pub role: Role,
    /// CPU in use, in thousandths of a processor.
    pub cpu_millicores: Option<f64>,
    /// CPU that it can give, likewise.
    pub cpu_allocatable_millicores: Option<f64>,
    /// Memory in use, in MiB.
    pub memory_mib: Option<f64>,
    /// Memory that it can give, in MiB.
    pub memory_allocatable_mib: Option<f64>,
    /// What its pods have set aside.
    pub pods: Option<Commitments>,
}

/// What pods have set aside.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Commitments {
    /// How many pods.
    pub pods: u32,
    /// CPU requests, in thousandths of a processor.
    pub cpu_requests_millicores: f64,
    /// CPU limits, likewise.
    pub cpu_limits_millicores: f64,
    /// Memory requests, in MiB.
    pub memory_requests_mib: f64,
    /// Memory limits, in MiB.
    pub memory_limits_mib: f64,
}

/// A pod at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct PodSample {
    /// Its name.
    pub pod: String,
    /// Its function's name in the run.
    pub function: String,
    /// Where it is; empty before it has a place.
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
    /// Instances that it would like, before bounds.
    pub desired_pods: Option<f64>,
    /// Instances that are not ready.
    pub unready_pods: Option<f64>,
    /// Instances without a place.
    pub pending_pods: Option<f64>,
    /// Instances that it asked for.
    pub requested_pods: Option<f64>,
    /// Instances that run.
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
    /// A pod from its creation to its place, median, in microseconds.
    pub placement_p50_us: Option<f64>,
    /// A pod from its creation to its place, 95th percentile, in microseconds.
    pub placement_p95_us: Option<f64>,
}
