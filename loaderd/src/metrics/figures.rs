//! What the parts of the daemon report to the metrics.

use std::time::Duration;

/// The labels of the active run's series.
#[derive(Debug, Clone)]
pub struct RunLabels {
    /// The run's id.
    pub run_id: String,
    /// The run's mode.
    pub mode: String,
    /// The run's platform.
    pub platform: String,
}

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeFigures {
    /// The node's name.
    pub node: String,
    /// `control-plane` or `worker`.
    pub role: &'static str,
    /// CPU in use, of what it can give.
    pub cpu_ratio: Option<f64>,
    /// Memory in use, of what it can give.
    pub memory_ratio: Option<f64>,
    /// Number of pods on the node; absent when it is unknown.
    pub pods: Option<u32>,
}

/// An invocation that ended.
#[derive(Debug, Clone, Copy)]
pub struct Completed<'a> {
    /// Its outcome, as in invocations.csv.
    pub status: &'a str,
    /// Whether it was a cold start, as reported by the instance.
    pub cold_start: Option<bool>,
    /// From the send to the answer.
    pub response: Option<Duration>,
    /// Response time minus execution time; absent when either is unknown.
    pub scheduling_latency: Option<Duration>,
    /// Response over requested run time.
    pub slowdown: Option<f64>,
}

/// Instances of the active run, by state, and what waits for one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pods {
    /// Instances that the autoscaler wants.
    pub desired: u32,
    /// Instances that can take invocations.
    pub running: u32,
    /// Instances that were started and can't take invocations yet.
    pub unready: u32,
    /// Instances that wait to be scheduled.
    pub pending: u32,
    /// Instances that are terminating.
    pub terminating: u32,
    /// Invocations that wait for an instance.
    pub queue: u32,
}
