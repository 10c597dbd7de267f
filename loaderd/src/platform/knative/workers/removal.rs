//! Deletes the Jobs of a run's workers, and what they own.
//!
//! Workers that were dismissed have ended, so that their pods go at once. Those that were not have the grace period of their pods; and a
//! pod of a node that is away stays until the node is back, or removed. Kubernetes goes on with such by itself: nobody waits for it.

use std::{collections::BTreeSet, time::Duration};

use k8s_openapi::api::batch::v1::Job;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, PartialObjectMeta},
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::super::{
    clean::{API_TIMEOUT, Cleaner, POLL_INTERVAL, by_run},
    cluster_error::ClusterError,
    names,
};
use crate::id::RunId;

/// Maximum time for Jobs and pods to disappear.
const END_TIMEOUT: Duration = Duration::from_secs(15);

impl Cleaner<'_> {
    /// Deletes the run's Jobs and waits until they and their pods are gone, for a short time; with `hurry` not at all.
    ///
    /// # Errors
    /// A request that failed.
    pub(in super::super) async fn end_workers(
        &self,
        run: &RunId,
        hurry: &CancellationToken,
        clock: impl Fn() -> Instant + Send,
    ) -> Result<(), ClusterError> {
        let (jobs, pods) = (names::of_run(run), names::workers_of_run(run));
        let never = CancellationToken::new();
        for job in self.jobs(&jobs).await? {
            let name = &job.name_any();
            // In the foreground: the pods at once, and the Job last.
            let deleted = self.cluster.ask(self.now + API_TIMEOUT, &never, |client| async move {
                Api::<Job>::namespaced(client, self.namespace).delete(name, &DeleteParams::foreground()).await
            });
            match deleted.await {
                Err(error) if !error.is_not_found() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        let deadline = self.now + END_TIMEOUT;
        while !hurry.is_cancelled() {
            let left = self.jobs(&jobs).await?.len() + self.pods(&pods).await?.len();
            if left == 0 {
                return Ok(());
            }
            if clock() > deadline {
                log::warn!(RUN_ID = run.as_str(); "{left} Jobs and pods of workers still end: the cluster goes on to remove them");
                break;
            }
            tokio::select! {
                () = sleep(POLL_INTERVAL) => {}
                () = hurry.cancelled() => {}
            }
        }
        Ok(())
    }

    /// The runs that have Jobs. Where they may not be listed there are none: this daemon cannot have made any.
    pub(in super::super) async fn runs_with_workers(&self) -> Result<BTreeSet<RunId>, ClusterError> {
        match self.jobs(&names::of_any_run()).await {
            Ok(jobs) => Ok(by_run(&jobs).into_keys().collect()),
            Err(error) if error.is_forbidden() => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }

    async fn jobs(&self, selector: &str) -> Result<Vec<PartialObjectMeta<Job>>, ClusterError> {
        let (parameters, never) = (&ListParams::default().labels(selector), CancellationToken::new());
        let listed = self.cluster.ask(self.now + API_TIMEOUT, &never, |client| async move {
            Api::<Job>::namespaced(client, self.namespace).list_metadata(parameters).await
        });
        Ok(listed.await?.items)
    }
}
