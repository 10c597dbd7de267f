//! The requests of disturbances.

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Node, Pod},
};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, PartialObjectMeta, Patch, PatchParams},
};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    super::{cluster::Cluster, cluster_error::ClusterError, ingress, names, preflight},
    changes::{Change, Changes, Saved},
    eviction::evict,
    needs::needs,
    places::{Deployments, Place, place},
};
use crate::{
    disturbance::{Action, Count, Disturbance, Target, listed},
    id::RunId,
    platform::SettingsBackup,
};

/// Pods that are deleted at the same time.
const MAX_CONCURRENT: usize = 16;

/// A cluster that is disturbed.
pub(super) struct Actions<'a> {
    pub(super) cluster: &'a Cluster,
    /// That of the functions.
    pub(super) namespace: String,
    pub(super) deadline: Instant,
}

impl Actions<'_> {
    /// Checks that all can be carried out: permissions, nodes, Deployments that have a scale.
    ///
    /// # Errors
    /// Everything that is missing.
    pub(super) async fn check(&self, disturbances: &[Disturbance]) -> Result<(), ClusterError> {
        let (mut missing, never) = (Vec::new(), CancellationToken::new());
        for Disturbance { action, .. } in disturbances {
            let place = match of(action) {
                // A run's id plays no part in what is checked.
                Some(target) => Some(self.place(target, &RunId::new(0, 0)).await?),
                None => None,
            };
            if let Some(Place { deployment: Deployments::None, .. }) = &place
                && !matches!(action, Action::DeletePods { .. })
            {
                let (kind, target) = (action.kind().as_str(), action.target());
                return Err(ClusterError::Undisturbable(format!("{kind} of {target}: it is no Deployment")));
            }
            let namespace = place.as_ref().map_or(&self.namespace, |place| &place.namespace);
            let needs = needs(action, place.as_ref());
            missing.extend(preflight::missing(self.cluster, &needs, namespace, self.deadline, &never).await?);
        }
        missing.sort();
        missing.dedup();
        if !missing.is_empty() {
            return Err(ClusterError::MissingPermissions { purpose: " for disturbances", missing });
        }
        for Disturbance { action, .. } in disturbances {
            if let Action::Cordon { node, .. } | Action::Drain { node, .. } = action {
                self.node(node).await?;
            }
        }
        Ok(())
    }

    /// Carries an action out; the objects that were changed.
    ///
    /// # Errors
    /// A request that failed, or nothing to change.
    pub(super) async fn begin(
        &self,
        run: &RunId,
        action: &Action,
        changes: &Changes<'_>,
    ) -> Result<String, ClusterError> {
        match action {
            Action::DeletePods { of, count } => self.delete_pods(&self.place(of, run).await?, *count).await,
            Action::ScaleToZero { of, lasting: _ } => self.scale_to_zero(&self.place(of, run).await?, changes).await,
            Action::Restart { of } => self.restart(&self.place(of, run).await?).await,
            Action::Cordon { node, lasting: _ } => self.cordon(node, changes).await,
            Action::Drain { node, lasting: _ } => {
                let cordoned = self.cordon(node, changes).await?;
                let evicted = evict(self.cluster, self.deadline, node).await?;
                Ok(format!("{cordoned}; {evicted}"))
            }
            Action::KillInstances { .. } | Action::PauseInstances { .. } | Action::RefuseStarts { .. } => {
                Err(ClusterError::Undisturbable(format!("cannot {}", action.kind().as_str())))
            }
        }
    }

    /// Undoes the changes of a disturbance, or of all; what was changed back.
    ///
    /// # Errors
    /// The first change that could not be undone; the others are tried all the same.
    pub(super) async fn undo(&self, backup: &SettingsBackup, number: Option<u32>) -> Result<String, ClusterError> {
        let (mut undone, mut failed) = (Vec::new(), None);
        for (place, saved) in Saved::read(backup)?.changes.iter().enumerate() {
            if saved.undone || number.is_some_and(|number| number != saved.disturbance) {
                continue;
            }
            match self.undo_one(&saved.change).await.and_then(|told| Saved::undone(backup, place).map(|()| told)) {
                Ok(told) => undone.push(told),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.map_or(Ok(listed(&undone)), Err)
    }

    async fn undo_one(&self, change: &Change) -> Result<String, ClusterError> {
        let undone = match change {
            Change::Replicas { namespace, deployment, before } => {
                let name = format!("{namespace}/{deployment}");
                match self.replicas(namespace, deployment).await {
                    Ok(0) => self
                        .scale(namespace, deployment, *before)
                        .await
                        .map(|()| format!("{name} has {before} replicas again")),
                    Ok(now) => Ok(format!("{name} was given {now} replicas by another client: left so")),
                    Err(error) => Err(error),
                }
            }
            Change::Unschedulable { node } => {
                self.set_unschedulable(node, false).await.map(|()| format!("uncordoned {node}"))
            }
        };
        match undone {
            Err(error) if error.is_not_found() => Ok(format!("{error}: nothing to undo")),
            undone => undone,
        }
    }

    /// Where a target is; asks for the ingress where that decides.
    async fn place(&self, target: &Target, run: &RunId) -> Result<Place, ClusterError> {
        let ingress = match target {
            Target::Component(crate::disturbance::Component::Gateway) => {
                ingress::namespace(self.cluster, self.deadline).await?
            }
            Target::Component(_) | Target::Functions | Target::Selected { .. } => None,
        };
        let functions = names::of_run(run);
        let found = place(target, ingress, (&self.namespace, &functions));
        found.ok_or_else(|| ClusterError::Undisturbable("found neither Kourier nor Istio nor Contour".to_owned()))
    }

    async fn delete_pods(&self, place: &Place, count: Count) -> Result<String, ClusterError> {
        let Place { namespace, selector, .. } = place;
        let (parameters, never) = (&ListParams::default().labels(selector), CancellationToken::new());
        let pods = self.cluster.ask(self.deadline, &never, |client| async move {
            Api::<Pod>::namespaced(client, namespace).list_metadata(parameters).await
        });
        let mut pods = pods.await?.items;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        pods.sort_by_key(age);
        pods.truncate(count.of(pods.len()));
        if pods.is_empty() {
            return Err(ClusterError::Undisturbable(format!("no pods {selector} in {namespace}")));
        }
        let names: Vec<_> = pods.iter().map(|pod| pod.name_any()).collect();
        let never = &never;
        let deleted = names.iter().map(|name| async move {
            let deleted = self.cluster.ask(self.deadline, never, |client| async move {
                Api::<Pod>::namespaced(client, namespace).delete(name, &DeleteParams::default()).await
            });
            match deleted.await {
                Err(error) if error.is_not_found() => Ok(()),
                other => other.map(|_| ()),
            }
        });
        let deleted: Vec<_> = deleted.collect();
        let deleted: Vec<_> = stream::iter(deleted).buffered(MAX_CONCURRENT).collect().await;
        deleted.into_iter().collect::<Result<(), _>>()?;
        Ok(listed(&names))
    }

    async fn scale_to_zero(&self, place: &Place, changes: &Changes<'_>) -> Result<String, ClusterError> {
        let namespace = &place.namespace;
        let mut scaled = Vec::new();
        for deployment in self.deployments(place).await? {
            let before = self.replicas(namespace, &deployment).await?;
            if before == 0 {
                continue;
            }
            changes.note(Change::Replicas { namespace: namespace.clone(), deployment: deployment.clone(), before })?;
            self.scale(namespace, &deployment, 0).await?;
            scaled.push(format!("{namespace}/{deployment} from {before} to 0 replicas"));
        }
        if scaled.is_empty() {
            return Err(ClusterError::Undisturbable(format!("{} has no replicas already", place.selector)));
        }
        Ok(listed(&scaled))
    }

    async fn restart(&self, place: &Place) -> Result<String, ClusterError> {
        let (namespace, never) = (&place.namespace, CancellationToken::new());
        let deployments = self.deployments(place).await?;
        for name in &deployments {
            let restarted = self.cluster.ask(self.deadline, &never, |client| async move {
                Api::<Deployment>::namespaced(client, namespace).restart(name).await
            });
            restarted.await?;
        }
        Ok(listed(&deployments))
    }

    async fn cordon(&self, node: &str, changes: &Changes<'_>) -> Result<String, ClusterError> {
        if self.node(node).await?.spec.and_then(|spec| spec.unschedulable) == Some(true) {
            return Err(ClusterError::Undisturbable(format!("node {node} is cordoned already")));
        }
        changes.note(Change::Unschedulable { node: node.to_owned() })?;
        self.set_unschedulable(node, true).await?;
        Ok(format!("cordoned {node}"))
    }

    /// The names of a target's Deployments.
    async fn deployments(&self, place: &Place) -> Result<Vec<String>, ClusterError> {
        let Place { namespace, selector, deployment } = place;
        let refusal = |text: &str| ClusterError::Undisturbable(format!("{text} {selector} in {namespace}"));
        match deployment {
            Deployments::Named(name) => Ok(vec![(*name).to_owned()]),
            Deployments::None => Err(refusal("there is no Deployment for")),
            Deployments::Selected => {
                let (parameters, never) = (&ListParams::default().labels(selector), CancellationToken::new());
                let found = self.cluster.ask(self.deadline, &never, |client| async move {
                    Api::<Deployment>::namespaced(client, namespace).list_metadata(parameters).await
                });
                let found: Vec<_> = found.await?.items.iter().map(|it| it.name_any()).collect();
                if found.is_empty() { Err(refusal("no Deployments")) } else { Ok(found) }
            }
        }
    }

    async fn replicas(&self, namespace: &str, deployment: &str) -> Result<i32, ClusterError> {
        let never = CancellationToken::new();
        let scale = self.cluster.ask(self.deadline, &never, |client| async move {
            Api::<Deployment>::namespaced(client, namespace).get_scale(deployment).await
        });
        // Zero replicas are left out of an answer.
        Ok(scale.await?.spec.and_then(|spec| spec.replicas).unwrap_or_default())
    }

    async fn scale(&self, namespace: &str, deployment: &str, replicas: i32) -> Result<(), ClusterError> {
        let (never, patch) = (CancellationToken::new(), &json!({"spec": {"replicas": replicas}}));
        let scaled = self.cluster.ask(self.deadline, &never, |client| async move {
            let deployments = Api::<Deployment>::namespaced(client, namespace);
            deployments.patch_scale(deployment, &PatchParams::default(), &Patch::Merge(patch)).await
        });
        scaled.await.map(|_| ())
    }

    async fn node(&self, node: &str) -> Result<Node, ClusterError> {
        let never = CancellationToken::new();
        self.cluster.ask(self.deadline, &never, |client| async move { Api::<Node>::all(client).get(node).await }).await
    }

    async fn set_unschedulable(&self, node: &str, unschedulable: bool) -> Result<(), ClusterError> {
        let never = CancellationToken::new();
        let set = self.cluster.ask(self.deadline, &never, |client| async move {
            let nodes = Api::<Node>::all(client);
            if unschedulable { nodes.cordon(node).await } else { nodes.uncordon(node).await }
        });
        set.await.map(|_| ())
    }
}

/// What an action is done to; absent for one of nodes.
fn of(action: &Action) -> Option<&Target> {
    match action {
        Action::DeletePods { of, .. } | Action::ScaleToZero { of, .. } | Action::Restart { of } => Some(of),
        Action::Cordon { .. }
        | Action::Drain { .. }
        | Action::KillInstances { .. }
        | Action::PauseInstances { .. }
        | Action::RefuseStarts { .. } => None,
    }
}

/// The order of deletion: the oldest first, by name where they are of one second.
fn age(pod: &PartialObjectMeta<Pod>) -> (Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>, String) {
    (pod.metadata.creation_timestamp.clone(), pod.name_any())
}
