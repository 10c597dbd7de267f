//! Why a run fails: one variant for each step of the driver. The run's state holds it as text, see [`super::Machine::reason`].

use std::{io, sync::Arc};

use tokio::task::JoinError;

use super::state;
use crate::{
    dispatch::Lost,
    invoke::BadEndpoint,
    platform::PlatformError,
    record::{Missed, RecordError},
    results::FinishError,
    spec::{PlatformKind, Violation},
    store::StoreError,
    workers::{NoListener, NotReady},
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
    #[error("panic while preparing the plan: {0}")]
    PreparingPanicked(#[source] JoinError),
    /// The daemon's configuration changed since the run was submitted.
    #[error("this daemon has no platform {}", .0.as_str())]
    NoPlatform(PlatformKind),
    /// The autoscaler could not be held for the warm-up, or not be released.
    #[error("warm-up: {0}")]
    WarmUp(#[source] PlatformError),
    /// The disturbances cannot be carried out, by a check before anything is deployed.
    #[error("disturb: {0}")]
    Disturbing(#[source] PlatformError),
    /// What disturbances changed was not undone.
    #[error("cannot undo the disturbances: {0}")]
    Undoing(#[source] PlatformError),
    /// Reading the effects of disturbances panicked.
    #[error("panic while reading the effects of disturbances: {0}")]
    EffectsPanicked(#[source] JoinError),
    /// The plan that workers are to send could not be made once more.
    #[error("cannot plan for workers: {0}")]
    PlanningAgain(String),
    /// Nothing listens for workers.
    #[error("cannot wait for workers: {0}")]
    NoListener(#[from] NoListener),
    /// The platform could not start the workers.
    #[error("cannot start workers: {0}")]
    StartingWorkers(#[source] PlatformError),
    /// Workers are not ready in time, or can't be.
    #[error(transparent)]
    WorkersNotReady(NotReady),
    /// A worker was lost, and by the spec (`onWorkerLoss`) that ends the run; or all were.
    #[error("{0}")]
    WorkerLost(String),
    /// The functions could not be deployed.
    #[error(transparent)]
    Deploying(PlatformError),
    /// A file of the run could not be created or written.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// A function's endpoint is invalid.
    #[error(transparent)]
    Route(#[from] BadEndpoint),
    /// The load could not be sent.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The loader was too slow, and by the spec (`saturation.abort`) that ends the run.
    #[error("the loader itself is the bottleneck (saturation.abort)")]
    Saturated,
    /// An expectation was missed, and by the spec (`abort`) that ends the run.
    #[error("an expectation was missed: {} (it was {})", .0.expectation, .0.shown)]
    Missed(Missed),
    /// The settings that a warm-up changed in the cluster were not restored.
    #[error("cannot restore the autoscaler's settings: {0}")]
    Restoring(#[source] PlatformError),
    /// The run's workers were not ended.
    #[error("cannot end the workers: {0}")]
    EndingWorkers(#[source] PlatformError),
    /// What the run deployed was not removed.
    #[error("cannot clean up: {0}")]
    Cleaning(#[source] PlatformError),
    /// A user gave up the clean-up, with what it waited for.
    #[error("the clean-up was given up ({0}): `loaderctl clean` removes what is left")]
    GivenUp(String),
    /// The records could not be converted to the requested form.
    #[error(transparent)]
    Finishing(#[from] FinishError),
    /// Converting the records panicked.
    #[error("panic while finishing the records: {0}")]
    FinishingPanicked(#[source] JoinError),
    /// The summary or the manifest could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The daemon ended while these files were written.
    #[error("the last row was cut off in {}", .0.join(", "))]
    CutOff(Vec<String>),
    /// Making the manifest panicked.
    #[error("panic while writing the manifest: {0}")]
    SealingPanicked(#[source] JoinError),
}

impl Failure {
    /// A user gave up a clean-up that had met these failures.
    pub(crate) fn given_up(met: &[Self]) -> Self {
        let met: Vec<_> = met.iter().map(ToString::to_string).collect();
        Self::GivenUp(met.join("; "))
    }
}

/// A step of the load that failed. What was recorded until then stays.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A worker can't be started.
    #[error("cannot start the worker threads: {0}")]
    Workers(#[source] io::Error),
    /// The planner or the pacer can't be started.
    #[error("cannot start the planner and pacer threads: {0}")]
    Pacing(#[source] io::Error),
    /// The recorder can't be started.
    #[error("cannot start the recorder thread: {0}")]
    Recorder(#[source] io::Error),
    /// A file can't be created.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// A thread of the load panicked.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The coordinator of the run's workers has ended.
    #[error(transparent)]
    Coordinator(#[from] NotReady),
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
