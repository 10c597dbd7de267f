//! Workers of a run as the pods of an Indexed Job.
//!
//! ```text
//! check ─▶ Job (a pod for each index) ─▶ Secret (token, CA), which the Job owns ─▶ watch of its pods ─▶ news
//! stop  ─▶ Job deleted, its pods and its Secret with it ─▶ wait until the pods are gone, for a short time
//! ```
//!
//! Kubernetes places, starts and removes them; which of them counts, and when one is lost, the coordinator decides. The Secret
//! belongs to the Job, so that it goes with it: the daemon needs no right to read or to delete Secrets. Pods wait for it for a moment.

mod job;
mod known;
mod obstacle;
mod removal;
mod watch;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use k8s_openapi::api::{batch::v1::Job, core::v1::Secret};
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use self::{job::Filling, watch::Watch};
use super::{
    cluster_error::ClusterError,
    error::{NAME, refused, uncleaned, unusable},
    names,
    platform::{Following, Knative, QUERY_TIMEOUT},
    preflight::{self, Need, Scope},
};
use crate::{
    id::RunId,
    platform::{CoordinatorListen, Fact, PlatformError, StartWorkers, WorkerNews, Workers},
};

const fn need(group: &'static str, resource: &'static str, verb: &'static str) -> Need {
    Need { group, resource, subresource: "", verb, name: "", scope: Scope::Run }
}

/// What is useful besides: without it a run does not say why pods are not created.
pub(super) const USEFUL: [Need; 1] = [need("", "events", "list")];

/// The permissions that workers need beyond those of every run.
pub(super) const NEEDS: [Need; 4] = [
    need("batch", "jobs", "create"),
    // Which Jobs are the run's, and whether they are gone.
    need("batch", "jobs", "list"),
    need("batch", "jobs", "delete"),
    need("", "secrets", "create"),
];

impl Knative {
    /// What is known of workers, for the operator; nothing where none are configured.
    pub(super) async fn worker_facts(&self, namespace: &str, deadline: Instant) -> Result<Vec<Fact>, ClusterError> {
        if self.settings.workers.listen.is_none() {
            return Ok(Vec::new());
        }
        let never = CancellationToken::new();
        let missing = preflight::missing(&self.cluster, &NEEDS, namespace, deadline, &never).await?;
        let missing = if missing.is_empty() { "none".to_owned() } else { missing.join(", ") };
        let useful = preflight::missing(&self.cluster, &USEFUL, namespace, deadline, &never).await?;
        let useful = (!useful.is_empty()).then(|| Fact::new("useful for workers", useful.join(", ")));
        let CoordinatorListen { address, advertise, .. } = self.listen();
        let reached = advertise.unwrap_or_else(|| address.to_string());
        let workers = self.refusal().unwrap_or_else(|| format!("reach this daemon at {reached}"));
        let facts = [Fact::new("missing for workers", missing)].into_iter().chain(useful);
        Ok(facts.chain([Fact::new("workers", workers)]).collect())
    }

    /// Creates an object. That it exists already is the outcome of an earlier try whose answer was lost.
    async fn create<K>(&self, namespace: &str, object: &Value, deadline: Instant) -> Result<Option<K>, ClusterError>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Serialize
            + DeserializeOwned
            + Clone
            + std::fmt::Debug
            + Send
            + Sync,
    {
        let object: &K = &serde_json::from_value(object.clone())
            .map_err(|source| ClusterError::Response { origin: "an object of this daemon".to_owned(), source })?;
        let never = CancellationToken::new();
        let created = self.cluster.ask(deadline, &never, |client| async move {
            Api::<K>::namespaced(client, namespace).create(&PostParams::default(), object).await
        });
        match created.await {
            Ok(created) => Ok(Some(created)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates the Job of a run: its uid.
    async fn create_job(&self, filling: &Filling<'_>, deadline: Instant) -> Result<String, ClusterError> {
        let created: Option<Job> = self.create(filling.namespace, &job::job(filling), deadline).await?;
        if let Some(uid) = created.and_then(|job| job.uid()) {
            return Ok(uid);
        }
        let (selector, namespace) = (names::of_run(&filling.request.run), filling.namespace);
        let (parameters, never) = (&ListParams::default().labels(&selector), CancellationToken::new());
        let listed = self.cluster.ask(deadline, &never, |client| async move {
            Api::<Job>::namespaced(client, namespace).list_metadata(parameters).await
        });
        let name = names::workers(&filling.request.run);
        let uid = listed.await?.items.into_iter().find(|job| job.name_any() == name).and_then(|job| job.uid());
        uid.ok_or(ClusterError::Occupied(name))
    }

    /// Starts the workers in a namespace, and a task that follows what becomes of them.
    async fn start_in(
        &self,
        namespace: &str,
        image: &str,
        request: &StartWorkers,
        news: mpsc::Sender<WorkerNews>,
    ) -> Result<(), ClusterError> {
        let deadline = self.clock.now() + QUERY_TIMEOUT;
        let filling = Filling { namespace, image, request };
        let uid = self.create_job(&filling, deadline).await?;
        let _there_already: Option<Secret> = self.create(namespace, &job::secret(&filling, &uid), deadline).await?;
        let stop = CancellationToken::new();
        let watch = Watch {
            run: request.run.clone(),
            cluster: Arc::clone(&self.cluster),
            namespace: namespace.to_owned(),
            count: request.count,
            news,
            stop: stop.clone(),
        };
        let task = self.tasks.spawn(watch.follow());
        self.workers_followed().insert(request.run.clone(), Some(Following { stop, task }));
        Ok(())
    }

    /// Ends the watch of a run's workers. Gives whether this process has started some that it has not ended.
    pub(super) async fn stop_following_workers(&self, run: &RunId) -> bool {
        let following = self.workers_followed().get_mut(run).map(Option::take);
        match following {
            Some(Some(Following { stop, task })) => {
                stop.cancel();
                // It has no result.
                let _ended = task.await;
                true
            }
            Some(None) => true,
            None => false,
        }
    }

    /// Ends the workers of a run.
    pub(super) async fn end_workers(
        &self,
        run: &RunId,
        namespace: &str,
        hurry: &CancellationToken,
    ) -> Result<(), ClusterError> {
        self.cleaner(namespace).end_workers(run, hurry, || self.clock.now()).await?;
        self.workers_followed().remove(run);
        Ok(())
    }
}

#[tonic::async_trait]
impl Workers for Knative {
    fn refusal(&self) -> Option<String> {
        let missing: Vec<_> = [
            ("workers.listen (where pods reach this daemon)", self.settings.workers.listen.is_none()),
            ("workers.image (the daemon's own)", self.settings.workers.image.is_none()),
        ]
        .into_iter()
        .filter_map(|(key, is_missing)| is_missing.then_some(key))
        .collect();
        let missing = missing.join(" and ");
        (!missing.is_empty())
            .then(|| format!("runs with workers need {missing} in the daemon's configuration: docs/knative.md"))
    }

    /// With TLS: workers come over the cluster's network.
    fn listen(&self) -> CoordinatorListen {
        let super::WorkerSettings { listen, advertise, .. } = &self.settings.workers;
        let address = listen.unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
        CoordinatorListen { address, tls: true, advertise: advertise.clone() }
    }

    async fn check(&self) -> Result<(), PlatformError> {
        if let Some(reason) = self.refusal() {
            return Err(unusable(reason));
        }
        let namespace = self.namespace().await.map_err(|error| refused(&error))?;
        let deadline = self.clock.now() + QUERY_TIMEOUT;
        let missing = preflight::missing(&self.cluster, &NEEDS, &namespace, deadline, &CancellationToken::new()).await;
        match missing.map_err(|error| refused(&error))? {
            missing if missing.is_empty() => Ok(()),
            missing => Err(refused(&ClusterError::NoWorkers(missing))),
        }
    }

    async fn start(&self, request: StartWorkers, news: mpsc::Sender<WorkerNews>) -> Result<(), PlatformError> {
        self.check().await?;
        let namespace = self.namespace().await.map_err(|error| refused(&error))?;
        let image = self.settings.workers.image.clone().unwrap_or_default();
        {
            let mut followed = self.workers_followed();
            if followed.contains_key(&request.run) {
                let reason = format!("the workers of run {} were started already", request.run);
                return Err(PlatformError::Platform { platform: NAME, reason });
            }
            // From now on something of them may be there.
            followed.insert(request.run.clone(), None);
        }
        Box::pin(self.start_in(&namespace, &image, &request, news)).await.map_err(|error| refused(&error))
    }

    async fn stop(&self, run: &RunId, hurry: &CancellationToken) -> Result<(), PlatformError> {
        let is_known = self.stop_following_workers(run).await;
        if !is_known && self.has_begun(run) {
            // None were started.
            return Ok(());
        }
        let namespace = self.namespace().await.map_err(|error| uncleaned(&error))?;
        match Box::pin(self.end_workers(run, &namespace, hurry)).await {
            // An earlier process may have left some, or may not have been allowed to start any.
            Err(error) if !is_known && error.is_forbidden() => Ok(()),
            ended => ended.map_err(|error| uncleaned(&error)),
        }
    }
}
