//! Takes away what a run made, and nothing else.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, DynamicObject, ListParams, PartialObjectMeta},
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    cluster::{Cluster, ClusterError},
    names, objects,
};
use crate::id::RunId;

/// Services that are deleted at the same time.
const AT_ONCE: usize = 16;
/// From one look at what is left to the next.
const LOOK: Duration = Duration::from_secs(1);
/// How long the API server may stay away.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long Services and pods may take to go: a pod gets 30 s to end, and more where it has a longer grace.
const GONE_WITHIN: Duration = Duration::from_secs(300);

/// A namespace of a cluster.
pub(super) struct Cleaner<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
    pub(super) now: Instant,
}

impl Cleaner<'_> {
    /// Deletes the run's Services and waits until they and their pods are gone.
    ///
    /// # Errors
    /// What is left, and why.
    pub(super) async fn clean(&self, run: &RunId, clock: impl Fn() -> Instant + Send) -> Result<(), ClusterError> {
        let selector = names::of_run(run);
        let never = CancellationToken::new();
        let services = self.services(&selector).await?;
        let names: Vec<_> = services.iter().map(|service| service.name_any()).collect();
        let never = &never;
        let deleted = names.iter().map(|name| async move {
            let deleted = self.cluster.ask(self.now + PATIENCE, never, |client| async move {
                let services = Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::services());
                services.delete(name, &DeleteParams::background()).await
            });
            match deleted.await {
                // Somebody else was faster.
                Err(error) if error.is_not_found() => Ok(()),
                other => other.map(|_| ()),
            }
        });
        let deleted: Vec<_> = deleted.collect();
        let deleted: Vec<_> = stream::iter(deleted).buffer_unordered(AT_ONCE).collect().await;
        deleted.into_iter().collect::<Result<(), _>>()?;
        let mut left = services.len();
        while left > 0 {
            if clock() > self.now + GONE_WITHIN {
                return Err(ClusterError::Config(format!("{left} of its Services or pods are still there")));
            }
            sleep(LOOK).await;
            left = self.services(&selector).await?.len();
            if left == 0 {
                left = self.pods(&selector).await?;
            }
        }
        Ok(())
    }

    /// How many Services there are of each run.
    pub(super) async fn runs(&self) -> Result<BTreeMap<RunId, usize>, ClusterError> {
        let mut runs = BTreeMap::new();
        for service in self.services(&names::of_any_run()).await? {
            let run = service.labels().get(names::RUN).and_then(|run| run.parse::<RunId>().ok());
            if let Some(run) = run {
                *runs.entry(run).or_insert(0) += 1;
            }
        }
        Ok(runs)
    }

    async fn services(&self, selector: &str) -> Result<Vec<PartialObjectMeta<DynamicObject>>, ClusterError> {
        let (parameters, never) = (&ListParams::default().labels(selector), CancellationToken::new());
        let listed = self.cluster.ask(self.now + PATIENCE, &never, |client| async move {
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

    async fn pods(&self, selector: &str) -> Result<usize, ClusterError> {
        let (parameters, never) = (&ListParams::default().labels(selector), CancellationToken::new());
        let listed = self.cluster.ask(self.now + PATIENCE, &never, |client| async move {
            Api::<Pod>::namespaced(client, self.namespace).list_metadata(parameters).await
        });
        Ok(listed.await?.items.len())
    }
}
