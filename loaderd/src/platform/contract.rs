//! The interface of all platforms.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    capability::{Allocate, Disturb, Embedded, Inspect, Sampling, WarmUp, Workers},
    deployment::{Deploy, Deployment},
    error::PlatformError,
};
use crate::id::RunId;

/// The platforms that this daemon can use, by name.
pub type Platforms = HashMap<&'static str, Arc<dyn Platform>>;

/// A platform: where the functions of runs are deployed, called and removed.
#[tonic::async_trait]
pub trait Platform: Send + Sync {
    /// Its name, as in a spec.
    fn name(&self) -> &'static str;

    /// Deploys the functions and waits until all can be called. `ready` gets the number of those that can so far.
    ///
    /// After a failed or cancelled deployment the caller calls [`Platform::clean`].
    async fn deploy(
        &self,
        deploy: Deploy,
        ready: watch::Sender<u32>,
        cancel: CancellationToken,
    ) -> Result<Deployment, PlatformError>;

    /// Removes everything that carries the run's id, and nothing else. Idempotent; also for runs of an earlier process.
    /// [`PlatformError::Unavailable`] says that it is worth trying again.
    async fn clean(&self, run: &RunId) -> Result<(), PlatformError>;

    /// Keeps what the run deployed, and ends its scale feed. A platform whose functions can't outlive the run removes them.
    async fn release(&self, run: &RunId) -> Result<(), PlatformError>;

    /// Runs whose functions outlived them, and how many functions each still has. Empty where functions end with the daemon.
    async fn left_behind(&self) -> Result<BTreeMap<RunId, usize>, PlatformError>;

    /// Ends what the platform runs in this process. Functions that can't outlive the process end with it.
    async fn shutdown(&self);

    /// The capability to start a run with warm instances.
    fn warm_up(&self) -> Option<&dyn WarmUp> {
        None
    }

    /// The capability to know what can be allocated to instances.
    fn allocate(&self) -> Option<&dyn Allocate> {
        None
    }

    /// The capability to sample nodes, pods and the autoscaler.
    fn sampling(&self) -> Option<&dyn Sampling> {
        None
    }

    /// The capability to report on itself.
    fn inspect(&self) -> Option<&dyn Inspect> {
        None
    }

    /// The capability to be disturbed on purpose.
    fn disturb(&self) -> Option<&dyn Disturb> {
        None
    }

    /// The capability to start a run's workers.
    fn workers(&self) -> Option<&dyn Workers> {
        None
    }

    /// The part of the platform that runs in this process, where there is one that takes a share of its resources.
    fn embedded(&self) -> Option<&dyn Embedded> {
        None
    }
}
