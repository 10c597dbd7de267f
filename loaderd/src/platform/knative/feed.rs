//! Watches a run's pods and PodAutoscalers, and reports the state of its instances.

use std::sync::Arc;

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
    moment::{Arrival, Continuity, Moment},
    names, objects, pauses,
    pod_index::{Change, PodIndex},
    pod_stages::PodProblem,
};
use crate::{
    clock::Clock,
    id::{FunctionIndex, RunId},
    platform::{InstanceStart, Scale, ScaleSample, TimeSource},
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
    /// How far the clock is ahead of the cluster's, in microseconds.
    pub(super) skew_us: i64,
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
    listed: Vec<Pod>,
    pods: Watched,
    autoscalers: Watched,
    skew_us: i64,
    senders: FeedSenders,
    clock: Clock,
}

/// The state of a watch.
#[derive(Default)]
struct Watched {
    continuity: Continuity,
    /// Whether its objects have been listed.
    is_complete: bool,
}

impl Watched {
    /// Learns from a change whether its news was late.
    fn learn(&mut self, change: &Change, arrival: Arrival) {
        if change.at.source == TimeSource::Object {
            self.continuity.catch_up(arrival.at);
        }
    }
}

impl Feed {
    /// Watches until it is stopped, also through outages of the API server.
    pub(super) async fn follow(self) {
        let Self { run, cluster, namespace, services, senders, skew_us, clock, stop } = self;
        let sent = services.iter().map(|_| None).collect();
        let (index, [pods, autoscalers]) = (PodIndex::new(&services), [(); 2].map(|()| Watched::default()));
        let mut state = FeedState { index, sent, listed: Vec::new(), pods, autoscalers, skew_us, senders, clock };
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
            let (watched, error) = match event {
                WatchEvent::Pod(Ok(event)) => {
                    self.take_pod(*event).await;
                    continue;
                }
                WatchEvent::Autoscaler(Ok(event)) => {
                    self.take_autoscaler(*event).await;
                    continue;
                }
                WatchEvent::Pod(Err(error)) => (&mut self.pods, error),
                WatchEvent::Autoscaler(Err(error)) => (&mut self.autoscalers, error),
            };
            watched.continuity.interrupt();
            // The watch is restarted by itself, with backoff.
            log::warn!(RUN_ID = run.as_str(); "the scales of functions are temporarily unavailable: {error}");
        }
    }

    async fn take_pod(&mut self, event: Event<Pod>) {
        match event {
            Event::Init => {
                self.pods.continuity.interrupt();
                self.listed.clear();
            }
            Event::InitApply(pod) => self.listed.push(pod),
            Event::Apply(pod) => self.pod(&pod, false).await,
            Event::Delete(pod) => self.pod(&pod, true).await,
            Event::InitDone => {
                let (listed, arrival) = (std::mem::take(&mut self.listed), self.arrival(|it| &mut it.pods));
                for pod in &listed {
                    self.report(pod);
                }
                for change in self.index.pods(listed, arrival) {
                    self.send(change).await;
                }
                self.listed_once(|it| &mut it.pods).await;
            }
        }
    }

    async fn pod(&mut self, pod: &Pod, gone: bool) {
        let arrival = self.arrival(|it| &mut it.pods);
        for change in self.index.pod(pod, gone, arrival) {
            self.pods.learn(&change, arrival);
            self.send(change).await;
        }
        if !gone {
            self.report(pod);
        }
    }

    /// Reports why a pod does not become ready.
    fn report(&self, pod: &Pod) {
        if let Some(problem) = self.index.problem(pod) {
            let _closed = self.senders.problems.try_send(problem);
        }
    }

    async fn take_autoscaler(&mut self, event: Event<DynamicObject>) {
        let (object, gone) = match event {
            Event::Init => return self.autoscalers.continuity.interrupt(),
            Event::InitDone => return self.listed_once(|it| &mut it.autoscalers).await,
            Event::InitApply(object) | Event::Apply(object) => (object, false),
            Event::Delete(object) => (object, true),
        };
        let arrival = self.arrival(|it| &mut it.autoscalers);
        if let Some(change) = self.index.autoscaler(&object, gone, arrival) {
            self.autoscalers.learn(&change, arrival);
            self.send(change).await;
        }
    }

    /// News of a watch has come.
    fn arrival(&mut self, of: impl Fn(&mut Self) -> &mut Watched) -> Arrival {
        let at = self.clock.unix();
        Arrival { at, skew_us: self.skew_us, after_gap: of(self).continuity.take(at) }
    }

    /// A first list is complete. Once both are, each function gets a sample.
    async fn listed_once(&mut self, of: impl Fn(&mut Self) -> &mut Watched) {
        let was_complete = std::mem::replace(&mut of(self).is_complete, true);
        if !was_complete && self.pods.is_complete && self.autoscalers.is_complete {
            let at = Moment::watched(self.clock.unix());
            let functions = units::to_u32(self.sent.len());
            for function in (0..functions).map(FunctionIndex) {
                self.send(Change { function, at, scale: self.index.scale(function), start: None }).await;
            }
        }
    }

    async fn send(&mut self, change: Change) {
        let Change { function, at: Moment { at, source }, scale, start } = change;
        if let Some(start) = start {
            let _closed = self.senders.starts.send(start).await;
        }
        let Some(sent) = self.sent.get_mut(function.as_usize()) else { return };
        if *sent != Some(scale) {
            *sent = Some(scale);
            let sample = ScaleSample { at, function, scale, source: Some(source) };
            let _closed = self.senders.scales.send(sample).await;
        }
    }
}

/// Both watches. They resume where they were interrupted, and list again when that is too long ago.
fn events(cluster: &Cluster, namespace: &str) -> impl Stream<Item = WatchEvent> + Send {
    let config = || watcher::Config::default().labels(names::SERVICE);
    let pods = cluster
        .watch(move |client| watcher(Api::<Pod>::namespaced(client, namespace), config()).backoff(pauses::of_watch()));
    let autoscalers = cluster.watch(move |client| {
        let autoscalers = Api::<DynamicObject>::namespaced_with(client, namespace, &objects::pod_autoscalers());
        watcher(autoscalers, config()).backoff(pauses::of_watch())
    });
    stream::select(
        pods.map(|event| WatchEvent::Pod(event.map(Box::new))),
        autoscalers.map(|event| WatchEvent::Autoscaler(event.map(Box::new))),
    )
}
