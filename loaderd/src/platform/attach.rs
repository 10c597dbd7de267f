//! The platform `attach`: functions that were deployed by other means. Nothing is deployed, so nothing is cleaned up, and scales
//! are unknown. Workers of its runs are processes of this machine.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    capability::Workers,
    contract::Platform,
    deployment::{Deploy, Deployment},
    error::PlatformError,
    local::WorkerProcesses,
};
use crate::id::RunId;

/// Calls functions that exist already.
#[derive(Debug, Default)]
pub struct Attach {
    /// Starts the workers of runs; absent: none can be started.
    pub workers: Option<WorkerProcesses>,
}

/// The platform's name in a spec.
pub const NAME: &str = "attach";

#[tonic::async_trait]
impl Platform for Attach {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn deploy(
        &self,
        deploy: Deploy,
        ready: watch::Sender<u32>,
        _cancel: CancellationToken,
    ) -> Result<Deployment, PlatformError> {
        let Deploy { functions, targets, .. } = deploy;
        if targets.is_empty() {
            let reason = "the spec names no targets".to_owned();
            return Err(PlatformError::Platform { platform: self.name(), reason });
        }
        let endpoints: Vec<_> = targets.iter().cycle().take(functions.len()).cloned().map(Ok).collect();
        ready.send_replace(crate::units::to_u32(endpoints.len()));
        // Without a sender the feed ends at once.
        let (_, scales) = mpsc::channel(1);
        Ok(Deployment { endpoints, scales, starts: None })
    }

    /// Nothing was deployed; workers may be left.
    async fn clean(&self, run: &RunId) -> Result<(), PlatformError> {
        match &self.workers {
            Some(workers) => workers.stop(run, &CancellationToken::new()).await,
            None => Ok(()),
        }
    }

    async fn release(&self, run: &RunId) -> Result<(), PlatformError> {
        self.clean(run).await
    }

    async fn left_behind(&self) -> Result<BTreeMap<RunId, usize>, PlatformError> {
        Ok(BTreeMap::new())
    }

    async fn shutdown(&self) {
        if let Some(workers) = &self.workers {
            workers.shutdown().await;
        }
    }

    fn workers(&self) -> Option<&dyn Workers> {
        self.workers.as_ref().map(|workers| workers as &dyn Workers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{endpoint::Endpoint, platform::testkit};

    fn deploy(functions: usize, targets: &[&str]) -> Deploy {
        let target = |address: &&str| Endpoint::plain(*address, *address);
        let targets = targets.iter().map(target).collect();
        Deploy { targets, ..testkit::deploy(&["f-0", "f-1", "f-2"][..functions]) }
    }

    #[tokio::test]
    async fn targets_are_assigned_round_robin() {
        let (ready, readiness) = watch::channel(0);
        let deployed = Attach::default().deploy(deploy(3, &["a:1", "b:2"]), ready, CancellationToken::new()).await;
        let addresses: Vec<_> =
            deployed.expect("deploys").endpoints.into_iter().flatten().map(|it| it.address).collect();
        assert_eq!(addresses, ["a:1", "b:2", "a:1"]);
        assert_eq!(*readiness.borrow(), 3);
    }

    #[tokio::test]
    async fn a_deployment_without_targets_is_refused() {
        let deployed = Attach::default().deploy(deploy(1, &[]), watch::Sender::new(0), CancellationToken::new()).await;
        assert_eq!(deployed.expect_err("is refused").to_string(), "platform attach: the spec names no targets");
    }
}
