//! Brings a run's Services up: applied side by side, awaited by a watch, and each failure traced to its cause.

use std::{collections::HashMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    cluster::{Cluster, ClusterError},
    error::unusable,
    names,
    objects::{self, ObjectStatus, Readiness},
    pod_index::Trouble,
};
use crate::{
    id::{FunctionIndex, RunId},
    platform::PlatformError,
    units,
};

/// Services that are applied at the same time.
const AT_ONCE: usize = 16;

/// Failed functions that an error names.
const MOST_NAMED: usize = 5;

/// Who applies.
const FIELD_MANAGER: &str = "loaderd";

/// A Service to bring up.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The function's name in the run.
    pub(super) function: String,
    /// The Service's name.
    pub(super) name: String,
    /// The Service.
    pub(super) object: Value,
}

/// How it is brought up.
pub(super) struct Rules {
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    pub(super) allow_failures: u32,
}

/// Where one is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    /// On its way; what it, or its pods, said last.
    Coming {
        said: String,
        trouble: Option<String>,
    },
    Ready(String),
    Failed(String),
}

/// The Services of a run on their way up.
pub(super) struct Rollout<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
    pub(super) run: &'a RunId,
    pub(super) wanted: &'a [Wanted],
    pub(super) rules: Rules,
    pub(super) ready: watch::Sender<u32>,
    pub(super) cancel: CancellationToken,
}

/// What happened to one of them.
enum News {
    Applied(usize, Result<(), ClusterError>),
    Seen(Result<Box<Event<DynamicObject>>, String>),
    Trouble(FunctionIndex, Trouble),
    Late,
    Cancelled,
}

impl Rollout<'_> {
    /// Applies all and waits for them: the URL of each, or why it has none, where that is allowed.
    ///
    /// # Errors
    /// More functions failed than may, with the cause of each.
    pub(super) async fn bring_up(
        &self,
        mut troubles: mpsc::Receiver<(FunctionIndex, Trouble)>,
    ) -> Result<Vec<Result<String, String>>, PlatformError> {
        let places: HashMap<&str, usize> =
            self.wanted.iter().enumerate().map(|(place, wanted)| (wanted.name.as_str(), place)).collect();
        let place = |service: &DynamicObject| places.get(service.metadata.name.as_deref()?).copied();
        let coming = Progress::Coming { said: String::new(), trouble: None };
        let mut progress = vec![coming; self.wanted.len()];
        let mut seen = std::pin::pin!(self.cluster.watch(|client| {
            let services = Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::services());
            let config = watcher::Config::default().labels(&names::of_run(self.run));
            watcher(services, config).default_backoff()
        }));
        let applied: Vec<_> = self.wanted.iter().enumerate().map(|(place, it)| self.apply(place, it)).collect();
        let mut applied = std::pin::pin!(stream::iter(applied).buffer_unordered(AT_ONCE));
        loop {
            let news = tokio::select! {
                biased;
                () = self.cancel.cancelled() => News::Cancelled,
                Some((place, outcome)) = applied.next() => News::Applied(place, outcome),
                Some((function, trouble)) = troubles.recv() => News::Trouble(function, trouble),
                Some(event) = seen.next() => News::Seen(event.map(Box::new)),
                () = sleep_until(self.rules.deadline) => News::Late,
            };
            match news {
                News::Cancelled => return Err(PlatformError::Cancelled),
                News::Applied(_, Ok(())) => continue,
                News::Applied(place, Err(error)) => progress[place] = Progress::Failed(error.to_string()),
                News::Seen(Ok(event)) => match *event {
                    Event::Apply(service) | Event::InitApply(service) => {
                        if let Some(place) = place(&service) {
                            self.see(&mut progress[place], &service).await;
                        }
                    }
                    Event::Delete(service) => {
                        if let Some(place) = place(&service) {
                            progress[place] = Progress::Failed("its Service was deleted by someone else".to_owned());
                        }
                    }
                    Event::Init | Event::InitDone => continue,
                },
                News::Seen(Err(error)) => log::debug!("watching Services: {error}"),
                News::Trouble(function, trouble) => self.hear(&mut progress, function, trouble),
                News::Late => self.give_up(&mut progress),
            }
            if let Some(outcome) = self.judge(&progress)? {
                return Ok(outcome);
            }
        }
    }

    async fn apply(&self, place: usize, wanted: &Wanted) -> (usize, Result<(), ClusterError>) {
        let parameters = &PatchParams::apply(FIELD_MANAGER).validation_strict();
        let applied = self.cluster.ask(self.rules.deadline, &self.cancel, |client| async move {
            let services = Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::services());
            services.patch(&wanted.name, parameters, &Patch::Apply(&wanted.object)).await
        });
        (place, applied.await.map(|_| ()))
    }

    async fn see(&self, progress: &mut Progress, service: &DynamicObject) {
        let Progress::Coming { trouble, .. } = progress else { return };
        match Readiness::of(service) {
            Readiness::Ready(url) => *progress = Progress::Ready(url),
            Readiness::Passing => {
                let status = ObjectStatus::of(service);
                let said = status.condition("Ready").map(objects::words).unwrap_or_default();
                *progress = Progress::Coming { said, trouble: trouble.take() };
            }
            Readiness::Failed { said, revision } => {
                // A revision that has not failed may still come up.
                let cause = self.cause(&revision).await;
                *progress = match (cause, trouble.take()) {
                    (Ok(Some(cause)), Some(trouble)) => Progress::Failed(format!("{cause} ({trouble})")),
                    (Ok(Some(cause)), None) => Progress::Failed(cause),
                    (Ok(None), trouble) => Progress::Coming { said, trouble },
                    (Err(_), trouble) => Progress::Failed(trouble.unwrap_or(said)),
                };
            }
        }
    }

    /// Why a revision has failed, if it has.
    async fn cause(&self, revision: &str) -> Result<Option<String>, ClusterError> {
        if revision.is_empty() {
            return Ok(None);
        }
        let revision = self.cluster.ask(self.rules.deadline, &self.cancel, |client| async move {
            Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::revisions()).get(revision).await
        });
        Ok(ObjectStatus::of(&revision.await?).refusal().map(objects::words))
    }

    fn hear(&self, progress: &mut [Progress], function: FunctionIndex, trouble: Trouble) {
        let place = function.as_usize();
        let Some(Progress::Coming { said, trouble: known }) = progress.get(place) else { return };
        let Trouble { words, lasting } = trouble;
        if known.as_ref() != Some(&words) {
            let function = &self.wanted[place].function;
            log::warn!(RUN_ID = self.run.as_str(), FUNCTION = function.as_str(); "function {function}: {words}");
        }
        progress[place] = if lasting {
            Progress::Failed(words)
        } else {
            Progress::Coming { said: said.clone(), trouble: Some(words) }
        };
    }

    fn give_up(&self, progress: &mut [Progress]) {
        for one in progress {
            if let Progress::Coming { said, trouble } = one {
                let last = trouble.as_ref().unwrap_or(said);
                let last = if last.is_empty() { "nothing was heard of it" } else { last };
                let timeout = humantime::format_duration(self.rules.timeout);
                *one = Progress::Failed(format!("not ready within {timeout} (deploy.timeout): {last}"));
            }
        }
    }

    /// What has come of all, once that is known.
    fn judge(&self, progress: &[Progress]) -> Result<Option<Vec<Result<String, String>>>, PlatformError> {
        let ready = progress.iter().filter(|it| matches!(it, Progress::Ready(_))).count();
        self.ready.send_replace(units::to_u32(ready));
        let failed: Vec<_> = (self.wanted.iter().zip(progress))
            .filter_map(|(wanted, progress)| match progress {
                Progress::Failed(why) => Some((wanted.function.as_str(), why.as_str())),
                Progress::Coming { .. } | Progress::Ready(_) => None,
            })
            .collect();
        if failed.len() > self.rules.allow_failures as usize {
            return Err(self.failure(&failed));
        }
        let outcome = progress.iter().map(|progress| match progress {
            Progress::Ready(url) => Some(Ok(url.clone())),
            Progress::Failed(why) => Some(Err(why.clone())),
            Progress::Coming { .. } => None,
        });
        Ok(outcome.collect())
    }

    fn failure(&self, failed: &[(&str, &str)]) -> PlatformError {
        if let [(function, reason)] = failed {
            return PlatformError::Function { function: (*function).to_owned(), reason: (*reason).to_owned() };
        }
        let named: Vec<_> =
            failed.iter().take(MOST_NAMED).map(|(function, why)| format!("{function}: {why}")).collect();
        let more = failed.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let reason = format!("{} functions could not be deployed: {}{more}", failed.len(), named.join("; "));
        unusable(reason)
    }
}
