//! The source of samples of nodes and pods: what pods request is watched, the rest is asked for in each period.

use std::{collections::HashMap, sync::Arc};

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, watcher},
    },
};

use super::{
    super::{cluster::Cluster, pauses},
    nodes::Nodes,
    pace::Pace,
    pods::Pods,
    usage::Usage,
};
use crate::id::RunId;

/// Samples nodes and the run's pods.
pub(in super::super) struct NodeSource {
    pub(in super::super) run: RunId,
    pub(in super::super) cluster: Arc<Cluster>,
    pub(in super::super) namespace: String,
    /// The functions' names, by their Services'.
    pub(in super::super) functions: HashMap<String, String>,
    pub(in super::super) pace: Pace,
}

impl NodeSource {
    /// Samples until it is stopped.
    pub(in super::super) async fn follow(self) {
        let Self { run, cluster, namespace, functions, pace } = self;
        let mut watched = std::pin::pin!(cluster.watch(|client| {
            watcher(Api::<Pod>::all(client), watcher::Config::default()).backoff(pauses::of_watch())
        }));
        let mut pods = Pods::default();
        let mut nodes = Nodes::new(&cluster, &namespace, &functions, Usage::new(pace.period));
        let mut ticks = pace.ticks();
        loop {
            tokio::select! {
                () = pace.stop.cancelled() => return,
                Some(event) = watched.next() => match event {
                    Ok(event) => pods.take(event),
                    Err(error) => {
                        log::warn!(RUN_ID = run.as_str(); "the resource requests of pods are temporarily unavailable: {error}");
                    }
                },
                _ = ticks.tick() => {
                    if !pace.send_sample("nodes", nodes.sample(&pods)).await {
                        return;
                    }
                }
            }
        }
    }
}
