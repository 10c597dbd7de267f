//! What the user asked for, and its validation. Pure: no files, no clock, no tasks.
//!
//! ```text
//! v1::RunSpec ──validate──▶ RunSpec, every default filled in
//!                     └───▶ or every fault at once, each with its field
//! ```
//! [`mod@common`] reads what all modes share, [`mod@modes`] the modes, both through the readers of [`mod@check`].

mod check;
mod common;
mod modes;
mod ramp;

pub use check::Violation;
pub use ramp::Ramp;

use std::{path::PathBuf, time::Duration};

use loader_proto::v1;
use loader_trace::{Arrivals, Clamp, Format};

use crate::endpoint::Endpoint;

/// Most instances of a function where the spec does not say.
pub const DEFAULT_MAX_SCALE: u32 = 200;

/// What a daemon fills in where a spec says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The name of the platform.
    pub platform: String,
}

/// One run: one pass of a plan of invocations over the functions that the run deploys.
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
    /// Functions that someone else deployed; empty unless the platform is [`PlatformKind::Attach`].
    pub attach: Vec<Endpoint>,
    /// The plan.
    pub mode: Mode,
}

/// Where functions run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformKind {
    /// Processes on this machine.
    Local,
    /// A Knative cluster.
    Knative,
    /// Functions that someone else deployed.
    Attach,
}

impl PlatformKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Local, Self::Knative, Self::Attach];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Knative => "knative",
            Self::Attach => "attach",
        }
    }
}

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// Consumes what each invocation asks for.
    Trace,
    /// Answers at once.
    Empty,
}

impl FunctionKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Trace, Self::Empty];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Empty => "empty",
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

/// The plan that a spec asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Replay a production trace.
    Trace(TraceSpec),
    /// Find how much a platform holds by raising the rate.
    Rps(RpsSpec),
    /// Show how a burst on one function hurts another.
    Burst(BurstSpec),
    /// Hold a rate while a given number of cold starts happens in each slot.
    ColdStart(ColdStartSpec),
}

impl Mode {
    /// As in a spec.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Trace(_) => "trace",
            Self::Rps(_) => "rps",
            Self::Burst(_) => "burst",
            Self::ColdStart(_) => "coldstart",
        }
    }
}

/// What each invocation asks for, in the modes where all ask for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Run time; at most an hour.
    pub runtime: Duration,
    /// Memory, in MiB.
    pub memory_mib: u32,
}

/// Replays per-function invocation counts of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSpec {
    /// What to replay.
    pub source: TraceSource,
    /// Its format; `None`: told by its files.
    pub format: Option<Format>,
    /// Which day, where there are several.
    pub day: Option<u32>,
    /// How many units of granularity are replayed; `None`: all.
    pub units: Option<usize>,
    /// What one column of the trace lasts.
    pub granularity: Granularity,
    /// Whether functions without durations or memory are left out instead of refused.
    pub skip_incomplete: bool,
    /// What drawn run times are held to.
    pub runtime: Clamp<Duration>,
    /// What drawn memory is held to, in MiB.
    pub memory_mib: Clamp<u32>,
}

/// Where a trace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceSource {
    /// A directory on the daemon's machine.
    Path(PathBuf),
    /// The id of an uploaded trace.
    Upload(String),
}

/// What one column of a trace lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// A minute.
    Minute,
    /// A second.
    Second,
}

impl Granularity {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Minute, Self::Second];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }

    /// How long it is, in seconds.
    pub const fn as_secs(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::Second => 1,
        }
    }
}

/// Raises the rate step by step until the platform no longer holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct RpsSpec {
    /// The rates.
    pub ramp: Ramp,
    /// Length of a slot.
    pub slot: Duration,
    /// Functions that are called in turn, at least 1.
    pub functions: u32,
    /// What each invocation asks for.
    pub size: Size,
    /// The share of cold functions, if there is any.
    pub cold: Option<ColdShare>,
}

/// The share of a rate that goes to functions that are cold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColdShare {
    /// Above 0, up to 1.
    pub ratio: f64,
    /// The time that a function needs to scale to zero.
    pub cooldown: Duration,
}

impl ColdShare {
    /// How many functions must take turns at a total rate of `rate` invocations per second, so that each is called at
    /// most once in its cooldown.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
    pub fn functions(&self, rate: f64) -> u32 {
        (rate * self.ratio * self.cooldown.as_secs_f64()).ceil().max(1.0) as u32
    }
}

/// Three functions: a climbing rate, a hold, and in its middle a burst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BurstSpec {
    /// The rate climbs 1, 2, … to this, invocations per second.
    pub target_rps: u32,
    /// Extra invocations within one second.
    pub burst: u32,
    /// How long the rate holds at `target_rps`, at least 2 s.
    pub hold: Duration,
    /// How long each rate of the climb lasts.
    pub step_duration: Duration,
    /// What each invocation asks for.
    pub size: Size,
}

impl BurstSpec {
    /// How long the burst lasts.
    pub const BURST: Duration = Duration::from_secs(1);

    /// When the hold begins, and when the burst in its middle begins and ends, from the start of the load.
    pub fn burst_window(&self) -> (Duration, Duration, Duration) {
        let hold = self.step_duration.saturating_mul(self.target_rps);
        let begin = hold + (self.hold.saturating_sub(Self::BURST)) / 2;
        (hold, begin, begin + Self::BURST)
    }
}

/// Holds a rate while a given number of cold starts happens in each slot.
#[derive(Debug, Clone, PartialEq)]
pub struct ColdStartSpec {
    /// Rate of the first slot, invocations per second.
    pub start: f64,
    /// By how much the rate rises from slot to slot.
    pub step: f64,
    /// Cold starts for each slot; starts over when there are more slots. Not empty.
    pub cold_starts: Vec<u32>,
    /// Functions: one hot, the others cold; at least 2.
    pub functions: u32,
    /// Length of a slot.
    pub slot: Duration,
    /// How many slots, at least 1.
    pub slots: u32,
    /// What each invocation asks for.
    pub size: Size,
}

impl ColdStartSpec {
    /// The rate of a slot, in invocations per second.
    pub fn rate(&self, slot: u32) -> f64 {
        self.start + f64::from(slot) * self.step
    }

    /// The cold starts of a slot.
    pub fn cold_starts(&self, slot: u32) -> u32 {
        // The remainder is in bounds because validation refuses an empty list; for none there is nothing to ask for.
        let place = (slot as usize).checked_rem(self.cold_starts.len());
        place.map_or(0, |place| self.cold_starts[place])
    }
}

/// Invocations of a slot at a constant rate: the nearest whole number to `rate` (per second) × `duration`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
pub fn invocations(rate: f64, duration: Duration) -> u32 {
    (rate * duration.as_secs_f64()).round() as u32
}

/// The domain form of a spec, every default filled in.
///
/// # Errors
/// Every fault, by field.
pub fn validate(message: &v1::RunSpec, defaults: &Defaults) -> Result<RunSpec, Vec<Violation>> {
    let mut check = check::Check::default();
    let spec = common::spec(&mut check, message, defaults);
    check.finish(spec)
}

#[cfg(test)]
mod tests;
