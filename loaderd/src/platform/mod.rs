//! Platforms: where the functions of a run are deployed.
//!
//! A platform deploys functions, returns their endpoints, reports their scales while the run goes, and removes exactly what
//! the run deployed. [`Platform`] is what every platform does. What only some can do is a capability
//! (`capability/`), which the caller asks for and which is `None` where the platform can't:
//!
//! ```text
//! Platform ── name, deploy, clean, release, left_behind, shutdown
//!    ├─ warm_up()  ─▶ WarmUp    capacity for instances, the autoscaler held and its settings restored
//!    ├─ allocate() ─▶ Allocate  what can be allocated to instances, and what each takes of it
//!    ├─ sampling() ─▶ Sampling  nodes, pods and the autoscaler sampled while the load goes
//!    ├─ inspect()  ─▶ Inspect   facts for an operator
//!    ├─ disturb()  ─▶ Disturb   disturbances on purpose, and what undoes them
//!    ├─ workers()  ─▶ Workers   processes that send shares of a run's plan
//!    └─ embedded() ─▶ Embedded  resources of the platform's part of this process
//! ```
//!
//! A new platform is a folder here and its line below; its name and [`Features`](crate::spec::Features) in
//! `spec/platform.rs`, its construction in `app/platforms.rs`, and its section of the configuration. A new capability is a file
//! in `capability/`, a method of [`Platform`] that gives `None` unless overridden, and its implementations.

mod contract;
mod deployment;
mod error;

mod capability;

pub mod attach;
pub mod knative;
pub mod local;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(any(test, fuzzing))]
pub(crate) mod testkit;

pub use capability::{
    Allocatable, Allocate, Amounts, CoordinatorListen, Disturb, Embedded, Fact, Inspect, NodeRoom, NodeSharing, Room,
    Sampling, SamplingOptions, SettingsBackup, StartWorkers, WarmUp, WorkerNews, WorkerPlacement, WorkerResources,
    WorkerState, Workers,
};
pub use contract::{Platform, Platforms};
pub use deployment::{
    Autoscaling, Deploy, Deployment, FunctionDeployment, InstanceStart, Resources, Scale, ScaleSample, Scaling,
    TimeSource,
};
pub use error::PlatformError;
