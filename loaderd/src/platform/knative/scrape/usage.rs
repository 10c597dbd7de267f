//! CPU and memory in use, by node and by pod: from a metrics-server, from the kubelets, or from the kubelets through the API server.

use std::{collections::HashMap, fmt::Write as _, time::Duration};

use serde::de::DeserializeOwned;

use super::{
    super::{cluster::Cluster, cluster_error::ClusterError},
    figures::{Counter, InUse, MetricsList, of_metrics_server, read_resource, read_summary},
    kubelets::{Kubelet, Kubelets, Way},
};

/// The sources of figures, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    MetricsServer,
    Summary(Way),
    Resource(Way),
}

impl Origin {
    const ALL: [Self; 5] = [
        Self::MetricsServer,
        Self::Summary(Way::Direct),
        Self::Resource(Way::Direct),
        Self::Summary(Way::ApiServer),
        Self::Resource(Way::ApiServer),
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::MetricsServer => "metrics-server",
            Self::Summary(Way::Direct) => "the kubelets' /stats/summary",
            Self::Resource(Way::Direct) => "the kubelets' /metrics/resource",
            Self::Summary(Way::ApiServer) => "the kubelets' /stats/summary through the API server",
            Self::Resource(Way::ApiServer) => "the kubelets' /metrics/resource through the API server",
        }
    }
}

/// What a source answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) origin: Origin,
    pub(super) used: InUse,
    /// Why nodes are missing, where some are.
    pub(super) missing: Option<String>,
}

/// Queries the sources, beginning with the one that answered last.
pub(super) struct Usage {
    kubelets: Kubelets,
    /// The place in [`Origin::ALL`] of the source that is tried first.
    first: usize,
    /// Counters of the scrape before, of nodes (without a namespace) and pods.
    before: HashMap<(String, String), Counter>,
}

impl Usage {
    /// Queries that end within about `limit` each.
    pub(super) fn new(limit: Duration) -> Self {
        // The rest is for the list of nodes, and for other sources.
        Self { kubelets: Kubelets::new(limit.mul_f64(0.75)), first: 0, before: HashMap::new() }
    }

    /// The present usage, and its source.
    ///
    /// # Errors
    /// Why no source answered.
    pub(super) async fn ask(
        &mut self,
        cluster: &Cluster,
        namespace: &str,
        nodes: &[Kubelet],
    ) -> Result<Answer, String> {
        let mut failed = String::new();
        let first = self.first;
        for place in (0..Origin::ALL.len()).map(|step| (first + step) % Origin::ALL.len()) {
            let Some(origin) = Origin::ALL.get(place).copied() else { continue };
            // Where the caller's time ends within this one, the next sample begins behind it.
            self.first = (place + 1) % Origin::ALL.len();
            let asked = match origin {
                Origin::MetricsServer => metrics_server(cluster, namespace).await,
                Origin::Summary(way) => self.summaries(cluster, nodes, way).await,
                Origin::Resource(way) => self.resources(cluster, nodes, way).await,
            };
            match asked {
                Ok((used, missing)) => {
                    self.first = place;
                    return Ok(Answer { origin, used, missing });
                }
                Err(error) => {
                    let separator = if failed.is_empty() { "" } else { "; " };
                    let _never_fails = write!(failed, "{separator}{}: {error}", origin.as_str());
                }
            }
        }
        self.first = 0;
        Err(failed)
    }

    async fn summaries(
        &mut self,
        cluster: &Cluster,
        nodes: &[Kubelet],
        way: Way,
    ) -> Result<(InUse, Option<String>), String> {
        let (texts, missing) = self.kubelets.ask(cluster, nodes, way, "/stats/summary").await?;
        let mut used = InUse::default();
        for (node, text) in texts {
            read_summary(&node, &text, &mut used).map_err(|error| format!("unexpected response of {node}: {error}"))?;
        }
        Ok((used, missing))
    }

    async fn resources(
        &mut self,
        cluster: &Cluster,
        nodes: &[Kubelet],
        way: Way,
    ) -> Result<(InUse, Option<String>), String> {
        let (texts, missing) = self.kubelets.ask(cluster, nodes, way, "/metrics/resource").await?;
        let mut used = InUse::default();
        let mut now = HashMap::new();
        for (node, text) in texts {
            read_resource(&node, &text, &self.before, &mut now, &mut used);
        }
        self.before = now;
        Ok((used, missing))
    }
}

async fn get<T: DeserializeOwned>(cluster: &Cluster, path: &str) -> Result<T, ClusterError> {
    let text = cluster.text(path).await?;
    serde_json::from_str(&text).map_err(|source| ClusterError::Response { origin: path.to_owned(), source })
}

async fn metrics_server(cluster: &Cluster, namespace: &str) -> Result<(InUse, Option<String>), String> {
    let pods = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods");
    let (nodes, pods) = tokio::join!(
        get::<MetricsList>(cluster, "/apis/metrics.k8s.io/v1beta1/nodes"),
        get::<MetricsList>(cluster, &pods),
    );
    let text = |error: ClusterError| error.to_string();
    Ok((of_metrics_server(nodes.map_err(text)?, pods.map_err(text)?), None))
}
