//! Facts about a cluster for its operator: versions, the ingress, missing permissions, and which sources of samples answer.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use tokio_util::sync::CancellationToken;

use super::{
    cluster_error::ClusterError,
    disturb, hold,
    ingress::{self, Port},
    platform::{Knative, QUERY_TIMEOUT},
    preflight, room, scrape,
};
use crate::platform::{Fact, Inspect};

#[tonic::async_trait]
impl Inspect for Knative {
    async fn facts(&self) -> Vec<Fact> {
        match Box::pin(self.cluster_facts()).await {
            Ok(facts) => facts,
            Err(error) => vec![Fact::new("unreachable", error.to_string())],
        }
    }
}

impl Knative {
    /// The facts about a cluster that answers.
    async fn cluster_facts(&self) -> Result<Vec<Fact>, ClusterError> {
        let (deadline, never) = (self.clock.now() + QUERY_TIMEOUT / 4, CancellationToken::new());
        let namespace = self.namespace().await?;
        let version =
            self.cluster.ask(deadline, &never, |client| async move { client.apiserver_version().await }).await?;
        let serving = self
            .cluster
            .ask(deadline, &never, |client| async move { Api::<Namespace>::all(client).get("knative-serving").await });
        let serving = serving.await.map(|namespace| {
            let labels = namespace.metadata.labels.unwrap_or_default();
            labels.get("app.kubernetes.io/version").cloned().unwrap_or_else(|| "unknown version".to_owned())
        });
        let gateway = match &self.settings.gateway {
            Some(address) => format!("{address} (configured)"),
            None => ingress::find(&self.cluster, Port::Plain, deadline, &never)
                .await
                .map_or_else(|error| error, |found| format!("{} at {}", found.ingress, found.address)),
        };
        let mut facts = vec![
            Fact::new("Kubernetes", version.git_version),
            Fact::new("Knative Serving", serving.unwrap_or_else(|error| error.to_string())),
            Fact::new("namespace", namespace.clone()),
            Fact::new("ingress", gateway),
        ];
        for (name, needs) in [
            ("missing permissions", &preflight::NEEDS[..]),
            ("missing for samples", &scrape::NEEDS),
            ("missing for warm-ups", &hold::NEEDS),
        ] {
            let missing = preflight::missing(&self.cluster, needs, &namespace, deadline, &never).await?;
            facts.push(Fact::new(name, if missing.is_empty() { "none".to_owned() } else { missing.join(", ") }));
        }
        if self.settings.disturb {
            let missing =
                preflight::missing(&self.cluster, &disturb::STATUS_NEEDS, &namespace, deadline, &never).await?;
            let missing = if missing.is_empty() { "none".to_owned() } else { missing.join(", ") };
            facts.push(Fact::new("missing for disturbances", missing));
        }
        facts.extend(self.worker_facts(&namespace, deadline).await?);
        // Without the permission, which is missing above, this is not known.
        let terminating = self.cleaner(&namespace).terminating().await.unwrap_or_default();
        let terminating = terminating.iter().map(|(run, pods)| format!("{pods} pods of run {run}"));
        facts.extend(terminating.map(|pods| Fact::new("still terminating", pods)));
        facts.extend(room::facts(&self.cluster, &self.settings.node_selector, deadline).await);
        let prometheus = self.settings.prometheus.clone();
        let origins = scrape::origins(&self.cluster, &namespace, prometheus, QUERY_TIMEOUT / 4).await;
        facts.extend(origins.map(|(name, value)| Fact::new(name, value)));
        Ok(facts)
    }
}
