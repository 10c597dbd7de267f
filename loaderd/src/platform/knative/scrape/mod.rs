//! Samples of the cluster while a run goes: each source a task on its own clock, each answer within a time limit.
//!
//! ```text
//! pods (watch) ─┐
//! nodes (list) ─┼─▶ nodes: metrics-server, else the kubelets' /stats/summary, else their /metrics/resource
//! usage ────────┘
//! autoscaler, activator ─▶ autoscaler: a Prometheus, else their own endpoints
//! ```

mod autoscaler;
mod nodes;
mod pods;
mod usage;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, watcher},
    },
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

pub(super) use self::autoscaler::AutoscalerSource;
use self::{nodes::Nodes, pods::Pods, usage::Usage};
use super::{
    cluster::Cluster,
    preflight::{Need, Scope},
};
use crate::{
    clock::Clock,
    id::RunId,
    scrape::{Prometheus, Sample, Sampled, SourceError},
};

/// What sampling takes, beside what every run needs.
pub(super) const NEEDS: [Need; 7] = [
    need("nodes", "", "list", Scope::Cluster),
    need("nodes", "proxy", "get", Scope::Cluster),
    need("pods", "", "list", Scope::Cluster),
    need("pods", "", "watch", Scope::Cluster),
    need("pods", "", "list", Scope::Serving),
    need("pods", "proxy", "get", Scope::Serving),
    need("configmaps", "", "get", Scope::Serving),
];

const fn need(resource: &'static str, subresource: &'static str, verb: &'static str, scope: Scope) -> Need {
    Need { group: "", resource, subresource, verb, scope }
}

/// Which sources answer now, in words.
pub(super) async fn origins(
    cluster: &Arc<Cluster>,
    namespace: &str,
    prometheus: Option<Prometheus>,
    limit: Duration,
) -> [(&'static str, String); 2] {
    let nodes = async {
        let nodes = nodes::list(cluster).await?;
        let names: Vec<_> = nodes.into_iter().filter_map(|node| node.metadata.name).collect();
        let count = names.len();
        let asked = Usage::default().ask(cluster, namespace, &names).await;
        asked.map(|(origin, _)| format!("{}, {count} nodes", origin.as_str()))
    };
    let of_prometheus = prometheus.as_ref().map(|it| format!("the Prometheus at {}", it.url()));
    let source = AutoscalerSource {
        cluster: Arc::clone(cluster),
        prometheus,
        namespace: namespace.to_owned(),
        suffix: String::new(),
        services: HashSet::new(),
    };
    let autoscaler = async {
        let own = || "autoscaler's and activator's own endpoints".to_owned();
        source.sample().await.map(|_| of_prometheus.unwrap_or_else(own)).map_err(|error| error.to_string())
    };
    let late = |_| Err(format!("no answer within {}", humantime::format_duration(limit)));
    let (nodes, autoscaler) = tokio::join!(timeout(limit, nodes), timeout(limit, autoscaler));
    let told = |answer: Result<String, String>| answer.unwrap_or_else(|error| format!("none: {error}"));
    [("node metrics", told(nodes.unwrap_or_else(late))), ("autoscaler metrics", told(autoscaler.unwrap_or_else(late)))]
}

/// When sources are asked, and where their samples go.
#[derive(Clone)]
pub(super) struct Pace {
    pub(super) period: Duration,
    pub(super) out: mpsc::Sender<Sampled>,
    pub(super) stop: CancellationToken,
    pub(super) clock: Clock,
}

impl Pace {
    fn ticks(&self) -> tokio::time::Interval {
        let mut ticks = interval(self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    }

    /// Asks within the period, and tells what came of it; false when nobody listens.
    async fn tell(&self, source: &'static str, asked: impl Future<Output = Result<Sample, SourceError>>) -> bool {
        let (at, begun) = (self.clock.unix(), self.clock.now());
        let outcome = timeout(self.period, asked).await.unwrap_or_else(|_| {
            let within = humantime::format_duration(self.period);
            Err(SourceError::Failed(format!("no answer within {within}")))
        });
        let took = self.clock.now().saturating_duration_since(begun);
        self.out.send(Sampled { source, at, took, outcome }).await.is_ok()
    }
}

/// Samples nodes and the run's pods.
pub(super) struct NodeSource {
    pub(super) run: RunId,
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespace: String,
    /// The functions' names, by their Services'.
    pub(super) functions: HashMap<String, String>,
    pub(super) pace: Pace,
}

impl NodeSource {
    /// Samples until it is told to stop.
    pub(super) async fn follow(self) {
        let Self { run, cluster, namespace, functions, pace } = self;
        let mut watched = std::pin::pin!(
            cluster.watch(|client| watcher(Api::<Pod>::all(client), watcher::Config::default()).default_backoff())
        );
        let mut pods = Pods::default();
        let mut nodes = Nodes::new(&cluster, &namespace, &functions, Usage::default());
        let mut ticks = pace.ticks();
        loop {
            tokio::select! {
                () = pace.stop.cancelled() => return,
                Some(event) = watched.next() => match event {
                    Ok(event) => pods.take(event),
                    Err(error) => {
                        log::warn!(RUN_ID = run.as_str(); "what pods set aside on nodes is not known for now: {error}");
                    }
                },
                _ = ticks.tick() => {
                    if !pace.tell("nodes", nodes.sample(&pods)).await {
                        return;
                    }
                }
            }
        }
    }
}
