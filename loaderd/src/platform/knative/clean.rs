//! Deletes what a run deployed, and nothing else.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, DynamicObject, ListParams, PartialObjectMeta},
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{cluster::Cluster, cluster_error::ClusterError, names, objects};
use crate::id::RunId;

/// Services that are deleted at the same time.
const MAX_CONCURRENT: usize = 16;
/// The interval at which the deletion is checked.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum time for which the API server may be unreachable. A run's clean-up is tried again after that.
pub(super) const API_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time for Services and pods to disappear: a pod has 30 s to end, or its longer grace period.
pub(super) const DELETE_TIMEOUT: Duration = Duration::from_secs(300);

/// A namespace of a cluster.
pub(super) struct Cleaner<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
    pub(super) now: Instant,
}

impl Cleaner<'_> {
    /// Deletes the run's Services and waits until they are gone, and their pods with `await_pods`.
    ///
    /// # Errors
    /// A request that failed, or objects that were not deleted in time.
    pub(super) async fn clean(
        &self,
        run: &RunId,
        await_pods: bool,
        clock: impl Fn() -> Instant + Send,
    ) -> Result<(), ClusterError> {
        let selector = names::of_run(run);
        let never = CancellationToken::new();
        let services = self.services(&selector).await?;
        let names: Vec<_> = services.iter().map(|service| service.name_any()).collect();
        let never = &never;
        let deleted = names.iter().map(|name| async move {
            let deleted = self.cluster.ask(self.now + API_TIMEOUT, never, |client| async move {
                let services = Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::services());
                services.delete(name, &cascade(await_pods)).await
            });
            match deleted.await {
                // Another client has deleted it.
                Err(error) if error.is_not_found() => Ok(()),
                other => other.map(|_| ()),
            }
        });
        let deleted: Vec<_> = deleted.collect();
        let deleted: Vec<_> = stream::iter(deleted).buffer_unordered(MAX_CONCURRENT).collect().await;
        deleted.into_iter().collect::<Result<(), _>>()?;
        let pods = format!("{selector},{}", names::SERVICE);
        let mut left = services.len();
        while left > 0 {
            if clock() > self.now + DELETE_TIMEOUT {
                return Err(ClusterError::NotDeleted { left, within: DELETE_TIMEOUT });
            }
            sleep(POLL_INTERVAL).await;
            left = self.services(&selector).await?.len();
            if left == 0 && await_pods {
                left = self.pods(&pods).await?.len();
            }
        }
        Ok(())
    }

    /// The number of Services of each run. A run may have workers alone.
    pub(super) async fn runs(&self) -> Result<BTreeMap<RunId, usize>, ClusterError> {
        let mut runs = by_run(&self.services(&names::of_any_run()).await?);
        for run in self.runs_with_workers().await? {
            runs.entry(run).or_insert(0);
        }
        Ok(runs)
    }

    async fn services(&self, selector: &str) -> Result<Vec<PartialObjectMeta<DynamicObject>>, ClusterError> {
        let (parameters, never) = (&ListParams::default().labels(selector), CancellationToken::new());
        let listed = self.cluster.ask(self.now + API_TIMEOUT, &never, |client| async move {
            let services = Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::services());
            services.list_metadata(parameters).await
        });
        match listed.await {
            Ok(list) => Ok(list.items),
            // No namespace, or no Knative: nothing was made there.
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Runs whose Services are gone and whose pods are not, with the number of these.
    pub(super) async fn terminating(&self) -> Result<BTreeMap<RunId, usize>, ClusterError> {
        let mut pods = by_run(&self.pods(&names::of_any_run()).await?);
        if !pods.is_empty() {
            let deployed = self.runs().await?;
            pods.retain(|run, _| !deployed.contains_key(run));
        }
        Ok(pods)
    }

    pub(super) async fn pods(&self, selector: &str) -> Result<Vec<PartialObjectMeta<Pod>>, ClusterError> {
        let (parameters, never) = (&ListParams::default().labels(selector), CancellationToken::new());
        let listed = self.cluster.ask(self.now + API_TIMEOUT, &never, |client| async move {
            Api::<Pod>::namespaced(client, self.namespace).list_metadata(parameters).await
        });
        Ok(listed.await?.items)
    }
}

/// How a Service is deleted. In the foreground the garbage collector deletes everything of it at once, its pods too, and the Service
/// last. In the background the Service is gone at once, and what it owned some time later: half a minute, with 40 Services.
fn cascade(await_pods: bool) -> DeleteParams {
    if await_pods { DeleteParams::foreground() } else { DeleteParams::background() }
}

/// The number of objects of each run.
pub(super) fn by_run<K>(objects: &[PartialObjectMeta<K>]) -> BTreeMap<RunId, usize> {
    let mut runs = BTreeMap::new();
    for object in objects {
        let label = object.metadata.labels.as_ref().and_then(|labels| labels.get(names::RUN));
        if let Some(run) = label.and_then(|run| run.parse::<RunId>().ok()) {
            *runs.entry(run).or_insert(0) += 1;
        }
    }
    runs
}
