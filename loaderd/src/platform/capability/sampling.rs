//! Platforms whose surroundings can be sampled.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{platform::deployment::Deploy, scrape::Sampled};

/// Samples what surrounds a deployment: nodes, pods, the autoscaler.
#[tonic::async_trait]
pub trait Sampling: Send + Sync {
    /// Tasks that sample, each on its own clock, until they are told to stop. The caller spawns and awaits them.
    async fn sources(&self, deploy: &Deploy, options: SamplingOptions) -> Vec<BoxFuture<'static, ()>>;
}

/// How a run's surroundings are sampled.
#[derive(Debug, Clone)]
pub struct SamplingOptions {
    /// From one sample of a source to the next, and how long one may take.
    pub period: Duration,
    /// Where samples go.
    pub out: mpsc::Sender<Sampled>,
    /// Cancelled when the load is over.
    pub stop: CancellationToken,
}
