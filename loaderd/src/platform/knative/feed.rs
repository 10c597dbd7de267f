//! Watches a run's pods and PodAutoscalers, and reports the state of its instances.

use std::{collections::HashSet, sync::Arc};

use futures_util::{Stream, StreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::DynamicObject,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    cluster::Cluster,
    names, objects,
    pod_index::{Change, PodIndex, PodProblem},
};
use crate::{
    clock::Clock,
    id::{FunctionIndex, RunId},
    platform::{InstanceStart, Scale, ScaleSample},
    units,
};

/// The channels to which changes are sent.
pub(super) struct FeedSenders {
    pub(super) scales: mpsc::Sender<ScaleSample>,
    pub(super) starts: mpsc::Sender<InstanceStart>,
    /// Received only while the functions are being deployed.
    pub(super) problems: mpsc::Sender<(FunctionIndex, PodProblem)>,
}

/// The feed of one run.
pub(super) struct Feed {
    pub(super) run: RunId,
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespace: String,
    pub(super) services: Vec<String>,
    pub(super) senders: FeedSenders,
    pub(super) clock: Clock,
    pub(super) stop: CancellationToken,
}

/// An event of either watch.
enum WatchEvent {
    Pod(Result<Box<Event<Pod>>, String>),
    Autoscaler(Result<Box<Event<DynamicObject>>, String>),
}

/// What is known of the instances, and which scales were sent.
struct FeedState {
    index: PodIndex,
    sent: Vec<Option<Scale>>,
    /// Pods of the list in progress.
    listed: HashSet<String>,
    /// Whether pods and autoscalers have been listed.
    complete: [bool; 2],
    senders: FeedSenders,
    clock: Clock,
}

impl Feed {
    /// Watches until it is stopped, also through outages of the API server.
    pub(super) async fn follow(self) {
        let Self { run, cluster, namespace, services, senders, clock, stop } = self;
        let sent = services.iter().map(|_| None).collect();
        let index = PodIndex::new(&services);
        let mut state = FeedState { index, sent, listed: HashSet::new(), complete: [false; 2], senders, clock };
        tokio::select! {
            () = state.watch(&run, &cluster, &namespace) => {}
            () = stop.cancelled() => {}
        }
        let FeedState { index, senders, .. } = state;
        for start in index.into_unready() {
            let _closed = senders.starts.send(start).await;
        }
    }
}

impl FeedState {
    async fn watch(&mut self, run: &RunId, cluster: &Cluster, namespace: &str) {
        let mut events = std::pin::pin!(events(cluster, namespace));
        while let Some(event) = events.next().await {
            let error = match event {
                WatchEvent::Pod(Ok(event)) => {
                    self.take_pod(*event).await;
                    continue;
                }
                WatchEvent::Autoscaler(Ok(event)) => {
                    self.take_autoscaler(*event).await;
                    continue;
                }
                WatchEvent::Pod(Err(error)) | WatchEvent::Autoscaler(Err(error)) => error,
            };
            // The watch is restarted by itself, with backoff.
            log::warn!(RUN_ID = run.as_str(); "the scales of functions are temporarily unavailable: {error}");
        }
    }

    async fn take_pod(&mut self, event: Event<Pod>) {
        let now = self.clock.unix();
        let change = match event {
            Event::Init => {
                self.listed.clear();
                None
            }
            Event::InitApply(pod) => {
                self.listed.extend(pod.metadata.uid.clone());
                self.index.pod(&pod, false, now)
            }
            Event::Apply(pod) => self.index.pod(&pod, false, now),
            Event::Delete(pod) => self.index.pod(&pod, true, now),
            Event::InitDone => {
                for (function, start) in self.index.keep_pods(&self.listed) {
                    let scale = self.index.scale(function);
                    self.send(function, Change { scale, start, ..Change::default() }).await;
                }
                self.listed_once(0).await;
                None
            }
        };
        if let Some((function, change)) = change {
            self.send(function, change).await;
        }
    }

    async fn take_autoscaler(&mut self, event: Event<DynamicObject>) {
        let now = self.clock.unix();
        let change = match event {
            Event::Init => None,
            Event::InitApply(object) | Event::Apply(object) => self.index.autoscaler(&object, false, now),
            Event::Delete(object) => self.index.autoscaler(&object, true, now),
            Event::InitDone => {
                self.listed_once(1).await;
                None
            }
        };
        if let Some((function, change)) = change {
            self.send(function, change).await;
        }
    }

    /// A first list is complete. Once both are, each function gets a sample.
    async fn listed_once(&mut self, watch: usize) {
        let before = self.complete;
        self.complete[watch] = true;
        if before != self.complete && self.complete == [true; 2] {
            let functions = units::to_u32(self.sent.len());
            for function in (0..functions).map(FunctionIndex) {
                let scale = self.index.scale(function);
                self.send(function, Change { scale, ..Change::default() }).await;
            }
        }
    }

    async fn send(&mut self, function: FunctionIndex, change: Change) {
        let Change { scale, start, problem } = change;
        if let Some(problem) = problem {
            let _closed = self.senders.problems.try_send((function, problem));
        }
        if let Some(start) = start {
            let _closed = self.senders.starts.send(start).await;
        }
        let Some(sent) = self.sent.get_mut(function.as_usize()) else { return };
        if *sent != Some(scale) {
            *sent = Some(scale);
            let at = self.clock.unix();
            let _closed = self.senders.scales.send(ScaleSample { at, function, scale }).await;
        }
    }
}

/// Both watches. They resume where they were interrupted, and list again when that is too long ago.
fn events(cluster: &Cluster, namespace: &str) -> impl Stream<Item = WatchEvent> + Send {
    let config = || watcher::Config::default().labels(names::SERVICE);
    let pods =
        cluster.watch(move |client| watcher(Api::<Pod>::namespaced(client, namespace), config()).default_backoff());
    let autoscalers = cluster.watch(move |client| {
        let autoscalers = Api::<DynamicObject>::namespaced_with(client, namespace, &objects::pod_autoscalers());
        watcher(autoscalers, config()).default_backoff()
    });
    stream::select(
        pods.map(|event| WatchEvent::Pod(event.map(Box::new))),
        autoscalers.map(|event| WatchEvent::Autoscaler(event.map(Box::new))),
    )
}
