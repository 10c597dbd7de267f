//! The part of a spec that is common to all modes, and its validation. Pure: no files, no clock, no tasks.
//!
//! ```text
//! v1::RunSpec ──common──▶ RunSpec, every default filled in
//!                   └───▶ or every fault at once, each with its field
//! ```
//! The modes' own parts are read in `plan`, each in its mode's folder, through the same readers ([`mod@check`]);
//! [`crate::plan::validate`] puts the two together.

mod busy_loop;
mod check;
mod common;
mod deployment;
mod disturb;
mod expect;
mod function;
mod http;
mod platform;
mod run;
mod settings;
mod workers;

pub use busy_loop::StartupBusyLoop;
pub use check::Violation;
pub(crate) use check::{Check, LONGEST, time};
pub(crate) use common::{DEFAULT_SEED, common, name};
pub use deployment::{Autoscaler, Autoscaling, CpuLimit, DeployOptions, ScaleMetric};
pub use function::{FunctionKind, RuntimeClock};
pub use http::{FunctionProtocol, HttpRequest, Template, UnknownPlaceholder, Value};
pub use platform::{Features, PlatformKind};
pub use run::{Defaults, ModeFacts, RunSpec};
pub use settings::{
    ConnectionPolicy, Connections, DEFAULT_MAX_SCALE, Output, Overload, Saturation, ScalingOverrides, Slo, Timeouts,
};
pub use workers::{OnWorkerLoss, Placement, Sharing, WorkerResources, Workers};

#[cfg(test)]
mod tests;
