//! Watches the pods of a run's workers, and sends news of them. While some have no pod, it asks for the reason.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    super::{cluster::Cluster, names, pauses},
    known::Known,
    obstacle::Obstacles,
};
use crate::{id::RunId, platform::WorkerNews};

/// How often it is asked why pods are not created. Their controller tries again after seconds to minutes.
const LOOK: Duration = Duration::from_secs(3);

/// The watch of one run's workers.
pub(super) struct Watch {
    pub(super) run: RunId,
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespace: String,
    pub(super) count: u32,
    pub(super) news: mpsc::Sender<WorkerNews>,
    pub(super) stop: CancellationToken,
}

impl Watch {
    /// Watches until it is stopped or nobody wants news any more, also through outages of the API server.
    pub(super) async fn follow(self) {
        tokio::select! {
            () = self.watch() => {}
            () = self.stop.cancelled() => {}
            () = self.news.closed() => {}
        }
    }

    async fn watch(&self) {
        let (selector, namespace) = (names::workers_of_run(&self.run), self.namespace.as_str());
        let config = || watcher::Config::default().labels(&selector);
        let open =
            move |client| watcher(Api::<Pod>::namespaced(client, namespace), config()).backoff(pauses::of_watch());
        let mut events = std::pin::pin!(self.cluster.watch(open));
        let (mut known, mut listed) = (Known::new(self.count), Vec::new());
        let job = names::workers(&self.run);
        let mut obstacles = Obstacles::new(&self.cluster, namespace, &job);
        let mut look = interval_at(self.cluster.now() + LOOK, LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                _ = look.tick(), if known.lacks_pods() => {
                    let obstacle = obstacles.find().await;
                    self.tell(known.obstructed(obstacle)).await;
                    continue;
                }
            };
            let Some(event) = event else { return };
            let news = match event {
                Ok(Event::Init) => {
                    listed.clear();
                    Vec::new()
                }
                Ok(Event::InitApply(pod)) => {
                    listed.push(pod);
                    Vec::new()
                }
                Ok(Event::InitDone) => known.listed(&std::mem::take(&mut listed)),
                Ok(Event::Apply(pod)) => known.pod(&pod).into_iter().collect(),
                Ok(Event::Delete(pod)) => known.deleted(&pod).into_iter().collect(),
                Err(error) => {
                    // The watch is restarted by itself, with backoff.
                    log::warn!(RUN_ID = self.run.as_str(); "news of workers are temporarily unavailable: {error}");
                    Vec::new()
                }
            };
            self.tell(news).await;
        }
    }

    async fn tell(&self, news: Vec<WorkerNews>) {
        for one in news {
            let _closed = self.news.send(one).await;
        }
    }
}
