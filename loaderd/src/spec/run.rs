//! A checked spec of a run, and what its check depends on.

use loader_report::expectation::Expectation;
use loader_trace::Arrivals;

use super::{
    busy_loop::StartupBusyLoop,
    deployment::DeployOptions,
    function::{FunctionKind, RuntimeClock},
    http::FunctionProtocol,
    platform::PlatformKind,
    settings::{Connections, Output, Overload, Saturation, ScalingOverrides, Slo, Timeouts},
    workers::Workers,
};
use crate::{disturbance::Disturbance, endpoint::Endpoint};

/// The daemon's defaults for what a spec leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The name of the platform.
    pub platform: String,
}

/// What the common part of a spec depends on of its mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModeFacts {
    /// Its name: that of its field in a spec.
    pub name: &'static str,
    /// The arrivals of a run that names none.
    pub arrivals: Arrivals,
    /// The greatest share of a slot's invocations that may fail, in a run that names none.
    pub failure_ratio: f64,
    /// Whether it must know how many instances each function has.
    pub needs_scales: bool,
}

/// One run: one pass of a plan of invocations over the functions that the run deploys. The mode's part is
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
    /// The busy loop with which an instance begins, if the spec has one.
    pub startup_busy_loop: Option<StartupBusyLoop>,
    /// How invocations are spread inside a slot.
    pub arrivals: Arrivals,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// When a slot counts as overloaded.
    pub overload: Overload,
    /// When the loader itself counts as the bottleneck.
    pub saturation: Saturation,
    /// The response time that users accept, if the spec has one.
    pub slo: Option<Slo>,
    /// Maximum number of invocations in flight.
    pub max_in_flight: u32,
    /// Maximum memory that the invocations in flight ask for together, in MiB; absent: no bound.
    pub max_memory_in_flight_mib: Option<u32>,
    /// How the platform scales each function.
    pub scaling: ScalingOverrides,
    /// How connections are shared.
    pub connections: Connections,
    /// Functions that someone else deployed; empty unless the platform needs them named ([`crate::spec::Features`]).
    pub attach: Vec<Endpoint>,
    /// How the records are kept once the run is over.
    pub output: Output,
    /// How the functions are deployed.
    pub deploy: DeployOptions,
    /// What is done to the platform on purpose, in the order of the spec.
    pub disturbances: Vec<Disturbance>,
    /// What its figures must be like, in the order of the spec.
    pub expectations: Vec<Expectation>,
    /// The workers that send it; absent: the daemon does.
    pub workers: Option<Workers>,
    /// The name of the mode.
    pub mode: &'static str,
}
