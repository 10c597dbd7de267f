//! Limits and options of a run: timeouts, overload, saturation, scaling, connections, output.

use std::time::Duration;

use super::deployment::Autoscaling;

/// Maximum number of instances of a function, unless the spec sets another.
pub const DEFAULT_MAX_SCALE: u32 = 200;

/// Timeouts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// An invocation, from its send.
    pub function: Duration,
    /// Maximum time for making a connection.
    pub connect: Duration,
    /// Answers, after the last invocation was sent.
    pub drain: Duration,
}

/// When a slot counts as overloaded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overload {
    /// Maximum failure ratio of the invocations due in it; above 0, up to 1.
    pub failure_ratio: f64,
    /// How many overloaded slots end the run; at least 1.
    pub tolerance: u32,
}

/// The service-level objective of a run's functions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// The response time that is accepted.
    pub response: Duration,
    /// The share of a rate's invocations that must be within it from their due time; above 0, below 1.
    pub share: f64,
}

/// When the loader itself counts as the bottleneck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saturation {
    /// Maximum 99th percentile of a slot's dispatch lag.
    pub lag: Duration,
    /// Whether a saturated run fails at once.
    pub abort: bool,
}

/// How the platform scales each function; what is absent is left to the mode and the platform.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScalingOverrides {
    /// Instances at the start.
    pub initial_scale: Option<u32>,
    /// Minimum number of instances.
    pub min_scale: Option<u32>,
    /// Most instances; 0: no bound. Absent: [`DEFAULT_MAX_SCALE`].
    pub max_scale: Option<u32>,
    /// Invocations that an instance works on at the same time, at least 1.
    pub container_concurrency: Option<u32>,
    /// How long an instance is kept idle.
    pub stable_window: Option<Duration>,
    /// Settings of a cluster's autoscaler.
    pub autoscaling: Autoscaling,
}

/// How connections to functions are shared among invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Which invocations share one.
    pub policy: ConnectionPolicy,
    /// Connections to each address, at least 1; absent: the daemon's setting. For [`ConnectionPolicy::Pooled`] only.
    pub per_address: Option<u32>,
}

/// Which invocations share a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionPolicy {
    /// All invocations to an address share some.
    Pooled,
    /// Each function has its own.
    PerFunction,
    /// Each invocation makes its own.
    PerInvocation,
}

impl ConnectionPolicy {
    /// All connection policies.
    pub const ALL: [Self; 3] = [Self::Pooled, Self::PerFunction, Self::PerInvocation];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pooled => "pooled",
            Self::PerFunction => "per-function",
            Self::PerInvocation => "per-invocation",
        }
    }
}

/// How the records are kept once the run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// invocations.csv, as written.
    Csv,
    /// invocations.csv.gz.
    GzippedCsv,
    /// invocations.parquet.
    Parquet,
}
