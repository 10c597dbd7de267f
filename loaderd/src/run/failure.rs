//! Why a run fails: one variant for each step of the driver. The run's state has it as text, see [`super::Machine::reason`].

use std::{io, sync::Arc};

use tokio::task::JoinError;

use super::state;
use crate::{
    dispatch::Lost,
    invoke::BadEndpoint,
    platform::PlatformError,
    record::RecordError,
    results::FinishError,
    spec::{PlatformKind, Violation},
    store::StoreError,
};

/// How a run ends when it is not carried out.
pub(super) type Verdict = state::Verdict<Arc<Failure>>;

/// What happens to a run.
pub(super) type Event = state::Event<Arc<Failure>>;

/// A step of a run that failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The spec, or the trace that it names, is not usable any more.
    #[error("{}", joined(.0))]
    Spec(Vec<Violation>),
    /// Making the plan panicked.
    #[error("preparing the plan broke: {0}")]
    PreparingPanicked(#[source] JoinError),
    /// The daemon's configuration changed since the run was submitted.
    #[error("this daemon has no platform {}", .0.as_str())]
    NoPlatform(PlatformKind),
    /// The autoscaler could not be held for the warm-up, or not be released.
    #[error("warm-up: {0}")]
    WarmUp(#[source] PlatformError),
    /// The functions could not be deployed.
    #[error(transparent)]
    Deploying(PlatformError),
    /// A file of the run could not be made or written.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// A function's endpoint can't be called.
    #[error(transparent)]
    Route(#[from] BadEndpoint),
    /// The load could not be sent.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The loader was too slow, and the spec asks to end the run then.
    #[error("the loader itself is the bottleneck (saturation.abort)")]
    Saturated,
    /// What a warm-up changed of the cluster is still changed.
    #[error("putting the autoscaler's settings back: {0}")]
    Restoring(#[source] PlatformError),
    /// What the run made is still there.
    #[error("cleaning up: {0}")]
    Cleaning(#[source] PlatformError),
    /// The records could not be brought into the form that was asked for.
    #[error(transparent)]
    Finishing(#[from] FinishError),
    /// Doing so panicked.
    #[error("finishing the records broke: {0}")]
    FinishingPanicked(#[source] JoinError),
    /// The summary or the manifest could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Making the manifest panicked.
    #[error("the manifest broke: {0}")]
    SealingPanicked(#[source] JoinError),
}

/// A step of the load that failed. What was recorded until then stays.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A worker can't be started.
    #[error("cannot start the threads that send: {0}")]
    Workers(#[source] io::Error),
    /// The planner or the pacer can't be started.
    #[error("cannot start the threads that plan and pace: {0}")]
    Pacing(#[source] io::Error),
    /// The recorder can't be started.
    #[error("cannot start the recorder's thread: {0}")]
    Recorder(#[source] io::Error),
    /// A file can't be made.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// A thread panicked.
    #[error(transparent)]
    Lost(#[from] Lost),
}

impl<T: Into<Failure>> From<T> for Verdict {
    fn from(failure: T) -> Self {
        Self::Failed(Arc::new(failure.into()))
    }
}

/// All faults of a spec in one line.
fn joined(violations: &[Violation]) -> String {
    let faults: Vec<_> = violations.iter().map(ToString::to_string).collect();
    faults.join("; ")
}
