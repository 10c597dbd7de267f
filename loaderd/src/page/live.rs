//! Looks at the daemon each second, and draws what is seen once, for all who look at it.

use std::{sync::Arc, time::Duration};

use axum::response::sse::Event;
use loader_report::live::{self, Parts, Platform};
use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{background, history::History, look};
use crate::{
    access::{Most, Seats},
    clock::Clock,
    platform::Platforms,
    registry::{Registry, RegistryError},
};

/// Time from one look to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// How old a snapshot may be that a page begins with.
const FRESH: Duration = Duration::from_secs(2);

/// How long a page waits for a fresh snapshot before it takes an old one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Least time from a snapshot that was asked for to the next.
const PAUSE: Duration = Duration::from_millis(250);

/// How often the platforms are asked, and how long that may take.
const PROBES: Duration = Duration::from_secs(15);

/// How long before the browser tries to connect again, once its connection is lost.
const RETRY: Duration = Duration::from_secs(1);

/// Most viewers.
const VIEWERS: Most = Most { all: 128, each: 64 };

/// What is shown of the present.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    /// When it was taken; absent before the first.
    at: Option<Instant>,
    /// As it stands in the page.
    pub(super) parts: Parts,
    /// As it is sent to those who follow.
    pub(super) event: Event,
}

/// What the page's requests see of the present.
pub(super) struct Live {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    wanted: Arc<Notify>,
    pub(super) viewers: Seats,
    clock: Clock,
}

impl Live {
    /// A snapshot that is fresh, and those that follow it.
    pub(super) async fn fresh(&self) -> (Arc<Snapshot>, watch::Receiver<Arc<Snapshot>>) {
        let mut snapshots = self.snapshots.clone();
        let deadline = self.clock.now() + PATIENCE;
        loop {
            let snapshot = snapshots.borrow_and_update().clone();
            let now = self.clock.now();
            if snapshot.at.is_some_and(|at| now.duration_since(at) <= FRESH) || now >= deadline {
                return (snapshot, snapshots);
            }
            self.wanted.notify_one();
            if let Ok(Err(_)) | Err(_) = timeout(deadline - now, snapshots.changed()).await {
                let snapshot = snapshots.borrow_and_update().clone();
                return (snapshot, snapshots);
            }
        }
    }
}

/// Looks at the daemon, and draws. Only while somebody looks on is anything drawn.
pub struct Ticker {
    registry: Registry,
    platforms: Platforms,
    clock: Clock,
    viewers: Seats,
    wanted: Arc<Notify>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    history: History,
    facts: Vec<Platform>,
    probed: Option<Instant>,
    probes: JoinSet<Vec<Platform>>,
}

impl Ticker {
    pub(super) fn new(registry: Registry, platforms: Platforms, clock: Clock) -> (Live, Self) {
        let (sender, snapshots) = watch::channel(Arc::default());
        let (wanted, viewers) = (Arc::new(Notify::new()), Seats::new(VIEWERS));
        let live = Live { snapshots, wanted: Arc::clone(&wanted), viewers: viewers.clone(), clock };
        let ticker = Self {
            registry,
            platforms,
            clock,
            viewers,
            wanted,
            snapshots: sender,
            history: History::default(),
            facts: Vec::new(),
            probed: None,
            probes: JoinSet::new(),
        };
        (live, ticker)
    }

    /// Looks each second until `end`.
    pub async fn run(mut self, end: CancellationToken) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let wanted = Arc::clone(&self.wanted);
        loop {
            let is_wanted = tokio::select! {
                () = end.cancelled() => break,
                Some(facts) = self.probes.join_next() => {
                    self.facts = facts.unwrap_or_default();
                    false
                }
                _ = ticks.tick() => self.viewers.any(),
                () = wanted.notified() => !self.is_young(),
            };
            // Fails when the registry has ended: the daemon does, too.
            if self.look(is_wanted).await.is_err() {
                break;
            }
        }
        self.probes.shutdown().await;
    }

    /// Whether the last snapshot is so young that another one would show nothing else.
    fn is_young(&self) -> bool {
        self.snapshots.borrow().at.is_some_and(|at| self.clock.now().duration_since(at) < PAUSE)
    }

    /// Notes how far the run under way is; draws what is to be seen if that is wanted.
    async fn look(&mut self, is_wanted: bool) -> Result<(), RegistryError> {
        let active = look::active(&self.registry).await?;
        if let Some(view) = &active
            && let Some(progress) = &view.progress
        {
            self.history.add(&view.file.run_id, progress);
        }
        if !is_wanted {
            return Ok(());
        }
        self.probe();
        let now = self.clock.unix();
        let run = active.map(|view| look::under_way(&view, self.history.of(&view.file.run_id), now));
        let (queued, waiting) = look::queue(&self.registry).await?;
        let mark = look::mark(&self.registry).await?;
        let (facts, at) = (self.facts.clone(), self.clock.now());
        let draw = move || {
            let parts = Parts {
                run: run.as_ref().map_or_else(live::nothing_under_way, live::under_way),
                queue: live::queue(&queued, waiting),
                platforms: live::platforms(&facts),
            };
            let Parts { run, queue, platforms } = &parts;
            let data = json!({ "run": run, "queue": queue, "platforms": platforms, "runs": mark }).to_string();
            Snapshot { at: Some(at), event: Event::default().retry(RETRY).data(data), parts }
        };
        match background::run(draw).await {
            Ok(snapshot) => {
                self.snapshots.send_replace(Arc::new(snapshot));
            }
            Err(error) => log::warn!("the page is not drawn: {error}"),
        }
        Ok(())
    }

    /// Asks the platforms again, if that was long ago. It can take seconds, which nobody waits for.
    fn probe(&mut self) {
        let now = self.clock.now();
        if !self.probes.is_empty() || self.probed.is_some_and(|at| now.duration_since(at) < PROBES) {
            return;
        }
        if self.probed.is_none() {
            let mut names: Vec<_> = self.platforms.keys().map(|name| (*name).to_owned()).collect();
            names.sort();
            self.facts = names.into_iter().map(|name| Platform { name, facts: Vec::new() }).collect();
        }
        self.probed = Some(now);
        self.probes.spawn(facts(self.platforms.clone()));
    }
}

/// What the platforms report, sorted by their names.
async fn facts(platforms: Platforms) -> Vec<Platform> {
    let mut all = Vec::new();
    for (name, platform) in &platforms {
        let mut facts = Vec::new();
        if let Some(inspect) = platform.inspect() {
            facts = match timeout(PROBES, inspect.facts()).await {
                Ok(found) => found.into_iter().map(|fact| (fact.name.to_owned(), fact.value)).collect(),
                Err(_) => vec![("status".to_owned(), "it does not answer".to_owned())],
            };
        }
        all.push(Platform { name: (*name).to_owned(), facts });
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}
