//! Why a Job's pods are not created: a quota, a range of limits, a policy of admission, a missing ServiceAccount. The Job itself does not
//! say it; its controller writes an event.

use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Event},
    jiff::Timestamp,
};
use kube::{
    Api,
    api::{ListParams, ObjectList},
};
use tokio_util::sync::CancellationToken;

use super::super::{cluster::Cluster, cluster_error::ClusterError};

/// Events that are read: each try of the controller may have one of its own.
const MOST: u32 = 100;

/// What keeps a Job from having its pods.
pub(super) struct Obstacles<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    job: &'a str,
}

impl<'a> Obstacles<'a> {
    /// Of the Job with this name.
    pub(super) fn new(cluster: &'a Cluster, namespace: &'a str, job: &'a str) -> Self {
        Self { cluster, namespace, job }
    }

    /// What is known of it now, to follow a sentence; empty: nothing.
    pub(super) async fn find(&mut self) -> String {
        match self.events().await {
            Ok(events) => match latest(&events.items) {
                Some(message) => format!(": {message}"),
                None => self.suspension().await,
            },
            Err(error) if error.is_forbidden() => {
                format!("; kubectl describe job --namespace {} {} says why", self.namespace, self.job)
            }
            // The watch says what is wrong with the cluster.
            Err(_) => String::new(),
        }
    }

    async fn events(&self) -> Result<ObjectList<Event>, ClusterError> {
        let fields = format!("involvedObject.kind=Job,involvedObject.name={},reason=FailedCreate", self.job);
        let parameters = &ListParams::default().fields(&fields).limit(MOST);
        let (namespace, never) = (self.namespace, CancellationToken::new());
        let list = |client| async move { Api::<Event>::namespaced(client, namespace).list(parameters).await };
        self.cluster.ask(self.cluster.now(), &never, list).await
    }

    /// That something has suspended the Job: a controller of queues.
    async fn suspension(&self) -> String {
        let parameters = &ListParams::default().fields(&format!("metadata.name={}", self.job));
        let (namespace, never) = (self.namespace, CancellationToken::new());
        let list = |client| async move { Api::<Job>::namespaced(client, namespace).list(parameters).await };
        let Ok(jobs) = self.cluster.ask(self.cluster.now(), &never, list).await else { return String::new() };
        let is_suspended = |job: &Job| job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
        if jobs.items.iter().any(is_suspended) { ": something has suspended it".to_owned() } else { String::new() }
    }
}

/// What the latest of these events says.
fn latest(events: &[Event]) -> Option<&str> {
    let latest = events.iter().max_by_key(|event| last_seen(event))?;
    latest.message.as_deref().map(str::trim).filter(|message| !message.is_empty())
}

/// When an event occurred last, by whichever of its fields its writer has set.
fn last_seen(event: &Event) -> Option<Timestamp> {
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let first = event.event_time.as_ref().map(|time| time.0);
    last.max(series).max(first)
}
