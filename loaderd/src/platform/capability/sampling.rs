//! Platforms whose surroundings can be sampled.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    id::RunId,
    platform::{deployment::Deploy, error::PlatformError},
    scrape::Sampled,
};

/// Samples nodes, pods and the autoscaler.
#[tonic::async_trait]
pub trait Sampling: Send + Sync {
    /// Tasks that sample, each on its own schedule, until they are stopped. The caller spawns and awaits them.
    async fn sources(&self, deploy: &Deploy, options: SamplingOptions) -> Vec<BoxFuture<'static, ()>>;

    /// The number of instances that there are of each run, also of runs that have ended and of their workers.
    ///
    /// # Errors
    /// The platform does not say.
    async fn instances(&self) -> Result<BTreeMap<RunId, usize>, PlatformError>;
}

/// How a run's surroundings are sampled.
#[derive(Debug, Clone)]
pub struct SamplingOptions {
    /// The period of each source, which is also the limit of one sample's time.
    pub period: Duration,
    /// The channel to which samples are sent.
    pub out: mpsc::Sender<Sampled>,
    /// Cancelled when the load is over.
    pub stop: CancellationToken,
}
