//! What some platforms can do and others can't: one small trait each. [`Platform`](super::Platform) has a method for each that
//! gives the platform itself, or `None`.

mod allocate;
mod disturb;
mod embedded;
mod inspect;
mod sampling;
mod warm_up;
mod workers;

pub use allocate::{Allocatable, Allocate, Amounts, NodeRoom};
pub use disturb::Disturb;
pub use embedded::Embedded;
pub use inspect::{Fact, Inspect};
pub use sampling::{Sampling, SamplingOptions};
pub use warm_up::{Room, SettingsBackup, WarmUp};
pub use workers::{
    CoordinatorListen, NodeSharing, StartWorkers, WorkerNews, WorkerPlacement, WorkerResources, WorkerState, Workers,
};
