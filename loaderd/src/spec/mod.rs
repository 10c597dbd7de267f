//! What the user asked for of every run, whatever its mode, and its validation. Pure: no files, no clock, no tasks.
//!
//! ```text
//! v1::RunSpec ──common──▶ RunSpec, every default filled in
//!                   └───▶ or every fault at once, each with its field
//! ```
//! The modes' own parts are read in `plan`, each in its mode's folder, through the same readers ([`mod@check`]);
//! [`crate::plan::validate`] puts the two together.

mod check;
mod common;
mod deployment;
mod http;
mod platform;

pub use check::Violation;
pub(crate) use check::{Check, LONGEST, time};
pub(crate) use common::common;
pub use deployment::{Autoscaler, Autoscaling, CpuLimit, DeployOptions, ScaleMetric};
pub use http::{FunctionProtocol, HttpRequest, Template, UnknownPlaceholder, Value};
pub use platform::{Features, PlatformKind};

use std::time::Duration;

use loader_trace::Arrivals;

use crate::endpoint::Endpoint;

/// Most instances of a function where the spec does not say.
pub const DEFAULT_MAX_SCALE: u32 = 200;

/// What a daemon fills in where a spec says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The name of the platform.
    pub platform: String,
}

/// What the common part of a spec depends on of its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeFacts {
    /// Its name: that of its field in a spec.
    pub name: &'static str,
    /// The arrivals of a run that names none.
    pub arrivals: Arrivals,
}

/// One run: one pass of a plan of invocations over the functions that the run deploys. What its mode asks for is
/// [`crate::plan::Mode`].
#[derive(Debug, Clone, PartialEq)]
pub struct RunSpec {
    /// A name for people; a DNS label.
    pub name: String,
    /// Where the functions run.
    pub platform: PlatformKind,
    /// Everything random in the run comes from this number.
    pub seed: u64,
    /// The function that is deployed.
    pub kind: FunctionKind,
    /// What it is called by.
    pub protocol: FunctionProtocol,
    /// The clock that its run times are counted by; absent: the function's own choice, which is the wall clock.
    pub runtime_clock: Option<RuntimeClock>,
    /// How invocations are spread inside a slot.
    pub arrivals: Arrivals,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// When a slot counts as overloaded.
    pub overload: Overload,
    /// When the loader itself counts as the bottleneck.
    pub saturation: Saturation,
    /// Most invocations that may be out at once.
    pub max_in_flight: u32,
    /// How the platform scales each function.
    pub scaling: ScalingOverrides,
    /// How connections are shared.
    pub connections: Connections,
    /// Functions that someone else deployed; empty unless the platform's [`Features`] have them named.
    pub attach: Vec<Endpoint>,
    /// How the records are kept once the run is over.
    pub output: Output,
    /// How the functions are deployed.
    pub deploy: DeployOptions,
    /// The name of the mode.
    pub mode: &'static str,
}

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// Consumes what each invocation asks for.
    Trace,
    /// Answers at once.
    Empty,
    /// Watches the clock, and takes half of the memory.
    Timed,
    /// Sleeps, and maps memory without touching it.
    Wimpy,
    /// Greets, as `helloworld.Greeter`.
    Hello,
}

impl FunctionKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Empty, Self::Timed, Self::Wimpy, Self::Hello];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Empty => "empty",
            Self::Timed => "timed",
            Self::Wimpy => "wimpy",
            Self::Hello => "hello",
        }
    }
}

/// The clock that counts a function's run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeClock {
    /// Busy until the time since receipt has passed.
    Wall,
    /// Busy until the thread has consumed the time.
    Cpu,
}

impl RuntimeClock {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Wall, Self::Cpu];

    /// As in a spec and in request metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Cpu => "cpu",
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// An invocation, from its send.
    pub function: Duration,
    /// Making a connection.
    pub connect: Duration,
    /// Answers, after the last invocation was sent.
    pub drain: Duration,
}

/// When a slot counts as overloaded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overload {
    /// The share of the returned invocations that more than may not fail; above 0, up to 1.
    pub failure_ratio: f64,
    /// How many overloaded slots end the run; at least 1.
    pub tolerance: u32,
}

/// When the loader itself counts as the bottleneck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saturation {
    /// Most that the 99th percentile of a slot's dispatch lag may be.
    pub lag: Duration,
    /// Whether a saturated run fails at once.
    pub abort: bool,
}

/// How the platform scales each function; what is absent is left to the mode and the platform.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScalingOverrides {
    /// Instances at the start.
    pub initial_scale: Option<u32>,
    /// Fewest instances.
    pub min_scale: Option<u32>,
    /// Most instances; 0: no bound. Absent: [`DEFAULT_MAX_SCALE`].
    pub max_scale: Option<u32>,
    /// Invocations that an instance works on at the same time, at least 1.
    pub container_concurrency: Option<u32>,
    /// How long an instance is kept without need.
    pub stable_window: Option<Duration>,
    /// How a cluster's autoscaler decides.
    pub autoscaling: Autoscaling,
}

/// How connections to functions are shared among invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Who shares one.
    pub policy: ConnectionPolicy,
    /// Connections to each address, at least 1; absent: the daemon's setting. For [`ConnectionPolicy::Pooled`] only.
    pub per_address: Option<u32>,
}

/// Who shares a connection.
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
    /// All of them.
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

#[cfg(test)]
mod tests;
