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

/// A worker of the active run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorkerFigures {
    /// Its number.
    pub worker: u16,
    /// Whether it reports.
    pub is_up: bool,
    /// Whether it was given up.
    pub is_lost: bool,
    /// Invocations of its share that came due.
    pub due: u64,
    /// Those that it has sent.
    pub sent: u64,
    /// Invocations in flight.
    pub in_flight: u64,
    /// Own lag of the last seconds, 99th percentile; absent of too few.
    pub own_lag_p99: Option<Duration>,
    /// How well its clock is known; absent until it was compared.
    pub clock_bound: Option<Duration>,
}

/// The population of an invocation, as in the summary: its distributions are those of [`Population::Measure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Population {
    /// Of the warm-up before the measured phase.
    Warmup,
    /// Of the unmeasured begin of a step of mode `rps`.
    StepWarmup,
    /// Measured.
    Measure,
}

impl Population {
    /// All of them, in the order of a run.
    pub(super) const ALL: [Self; 3] = [Self::Warmup, Self::StepWarmup, Self::Measure];

    /// The value of the label `phase`.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::StepWarmup => "step_warmup",
            Self::Measure => "measure",
        }
    }
}

/// Whether an invocation was a cold start, as reported by the instance; `None`: unknown.
pub(super) const COLD_STARTS: [Option<bool>; 3] = [Some(true), Some(false), None];

/// The value of the label `cold_start`.
pub(super) const fn temperature(cold_start: Option<bool>) -> &'static str {
    match cold_start {
        Some(true) => "true",
        Some(false) => "false",
        None => "unknown",
    }
}

/// The side of the loader on which a stall was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Invocations were sent late.
    Send,
    /// Answers were read late.
    Receive,
}

impl Side {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Send, Self::Receive];

    /// The value of the label `side`.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// How an invocation came to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// The population to which it belongs.
    pub population: Population,
    /// From due to sent.
    pub lag: Duration,
    /// The part of the lag that is the loader's.
    pub own_lag: Duration,
    /// The part that was spent waiting for a connection; absent when one was open.
    pub connect: Option<Duration>,
    /// The part that was spent waiting for a free stream; absent when there was one.
    pub stream_wait: Option<Duration>,
}

/// An invocation that ended.
#[derive(Debug, Clone, Copy)]
pub struct Completed<'a> {
    /// The population to which it belongs.
    pub population: Population,
    /// Its outcome, as in invocations.csv.
    pub status: &'a str,
    /// Whether it was a cold start, as reported by the instance.
    pub cold_start: Option<bool>,
    /// From the send to the arrival of the answer; absent unless the invocation succeeded, as in the summary.
    pub response: Option<Duration>,
    /// From the arrival of the answer until it was read; absent when there was none.
    pub receive_lag: Option<Duration>,
    /// Response time minus execution time; absent when either is unknown.
    pub scheduling_latency: Option<Duration>,
    /// Response over requested run time; absent where none was requested.
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
