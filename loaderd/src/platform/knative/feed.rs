//! Watches a run's pods and PodAutoscalers, and tells what becomes of its instances.

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
    pod_index::{News, PodIndex, Trouble},
};
use crate::{
    clock::Clock,
    id::{FunctionIndex, RunId},
    platform::{InstanceStart, Scale, ScaleSample},
    units,
};

/// Where the news goes.
pub(super) struct Outlets {
    pub(super) scales: mpsc::Sender<ScaleSample>,
    pub(super) starts: mpsc::Sender<InstanceStart>,
    /// Only while the functions are deployed is there somebody who listens.
    pub(super) troubles: mpsc::Sender<(FunctionIndex, Trouble)>,
}

/// The feed of one run.
pub(super) struct Feed {
    pub(super) run: RunId,
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespace: String,
    pub(super) services: Vec<String>,
    pub(super) outlets: Outlets,
    pub(super) clock: Clock,
    pub(super) stop: CancellationToken,
}

/// What either watch gives.
enum Seen {
    Pod(Result<Box<Event<Pod>>, String>),
    Autoscaler(Result<Box<Event<DynamicObject>>, String>),
}

/// What is known, and what was told of it.
struct Known {
    index: PodIndex,
    told: Vec<Option<Scale>>,
    /// Pods of the list that is under way.
    listed: HashSet<String>,
    /// Whether pods and autoscalers have been listed.
    complete: [bool; 2],
    outlets: Outlets,
    clock: Clock,
}

impl Feed {
    /// Watches until it is told to stop. Whatever happens to the API server, it goes on.
    pub(super) async fn follow(self) {
        let Self { run, cluster, namespace, services, outlets, clock, stop } = self;
        let told = services.iter().map(|_| None).collect();
        let index = PodIndex::new(&services);
        let mut known = Known { index, told, listed: HashSet::new(), complete: [false; 2], outlets, clock };
        tokio::select! {
            () = known.watch(&run, &cluster, &namespace) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Known {
    async fn watch(&mut self, run: &RunId, cluster: &Cluster, namespace: &str) {
        let mut seen = std::pin::pin!(events(cluster, namespace));
        while let Some(seen) = seen.next().await {
            let error = match seen {
                Seen::Pod(Ok(event)) => {
                    self.take_pod(*event).await;
                    continue;
                }
                Seen::Autoscaler(Ok(event)) => {
                    self.take_autoscaler(*event).await;
                    continue;
                }
                Seen::Pod(Err(error)) | Seen::Autoscaler(Err(error)) => error,
            };
            // The watch begins again by itself, ever more slowly.
            log::warn!(RUN_ID = run.as_str(); "the scales of functions are not known for now: {error}");
        }
    }

    async fn take_pod(&mut self, event: Event<Pod>) {
        let now = self.clock.unix();
        let news = match event {
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
                for function in self.index.keep_pods(&self.listed) {
                    let scale = self.index.scale(function);
                    self.tell(function, News { scale, ..News::default() }).await;
                }
                self.listed_once(0).await;
                None
            }
        };
        if let Some((function, news)) = news {
            self.tell(function, news).await;
        }
    }

    async fn take_autoscaler(&mut self, event: Event<DynamicObject>) {
        let now = self.clock.unix();
        let news = match event {
            Event::Init => None,
            Event::InitApply(object) | Event::Apply(object) => self.index.autoscaler(&object, false, now),
            Event::Delete(object) => self.index.autoscaler(&object, true, now),
            Event::InitDone => {
                self.listed_once(1).await;
                None
            }
        };
        if let Some((function, news)) = news {
            self.tell(function, news).await;
        }
    }

    /// Once all was listed for the first time, each function has a sample.
    async fn listed_once(&mut self, place: usize) {
        let before = self.complete;
        self.complete[place] = true;
        if before != self.complete && self.complete == [true; 2] {
            let functions = units::to_u32(self.told.len());
            for function in (0..functions).map(FunctionIndex) {
                let scale = self.index.scale(function);
                self.tell(function, News { scale, ..News::default() }).await;
            }
        }
    }

    async fn tell(&mut self, function: FunctionIndex, news: News) {
        let News { scale, start, trouble } = news;
        if let Some(trouble) = trouble {
            let _nobody_listens = self.outlets.troubles.try_send((function, trouble));
        }
        if let Some(start) = start {
            let _nobody_listens = self.outlets.starts.send(start).await;
        }
        let Some(told) = self.told.get_mut(function.as_usize()) else { return };
        if *told != Some(scale) {
            *told = Some(scale);
            let at = self.clock.unix();
            let _nobody_listens = self.outlets.scales.send(ScaleSample { at, function, scale }).await;
        }
    }
}

/// Both watches. They resume where they were cut off, and list again when that is too long ago.
fn events(cluster: &Cluster, namespace: &str) -> impl Stream<Item = Seen> + Send {
    let config = || watcher::Config::default().labels(names::SERVICE);
    let pods =
        cluster.watch(move |client| watcher(Api::<Pod>::namespaced(client, namespace), config()).default_backoff());
    let autoscalers = cluster.watch(move |client| {
        let autoscalers = Api::<DynamicObject>::namespaced_with(client, namespace, &objects::pod_autoscalers());
        watcher(autoscalers, config()).default_backoff()
    });
    stream::select(
        pods.map(|event| Seen::Pod(event.map(Box::new))),
        autoscalers.map(|event| Seen::Autoscaler(event.map(Box::new))),
    )
}
