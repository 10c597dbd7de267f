//! Brings a run's Services up: applied concurrently, awaited by a watch, and each failure traced to its cause.

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
    cluster::Cluster,
    cluster_error::ClusterError,
    error::unusable,
    names,
    objects::{self, ObjectStatus, Readiness},
    pauses,
    pod_stages::PodProblem,
};
use crate::{
    id::{FunctionIndex, RunId},
    platform::PlatformError,
    units,
};

/// Services that are applied at the same time.
const MAX_CONCURRENT: usize = 16;

/// Most failed functions that an error names.
const MAX_NAMED: usize = 5;

/// The field manager of server-side apply.
const FIELD_MANAGER: &str = "loaderd";

/// A Service to bring up.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The function's name in the run.
    pub(super) function: String,
    /// The name of the Service.
    pub(super) name: String,
    /// The Service as it is applied.
    pub(super) object: Value,
}

/// How the Services are brought up.
pub(super) struct Rules {
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    pub(super) allow_failures: u32,
}

/// The progress of one Service.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    /// Not ready yet; with its last status, and the last problem of its pods.
    Pending {
        status: String,
        problem: Option<String>,
    },
    Ready(String),
    Failed(String),
}

/// The deployment of a run's Services.
pub(super) struct Rollout<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
    pub(super) run: &'a RunId,
    pub(super) wanted: &'a [Wanted],
    pub(super) rules: Rules,
    pub(super) ready: watch::Sender<u32>,
    pub(super) cancel: CancellationToken,
}

/// What happens during a rollout.
enum RolloutEvent {
    Applied(usize, Result<(), ClusterError>),
    Watched(Result<Box<Event<DynamicObject>>, String>),
    Problem(FunctionIndex, PodProblem),
    TimedOut,
    Cancelled,
}

impl Rollout<'_> {
    /// Applies all Services and waits for them: the URL of each, or why it failed, where that is allowed.
    ///
    /// # Errors
    /// More functions failed than allowed, with the cause of each.
    pub(super) async fn bring_up(
        &self,
        mut problems: mpsc::Receiver<(FunctionIndex, PodProblem)>,
    ) -> Result<Vec<Result<String, String>>, PlatformError> {
        let indices: HashMap<&str, usize> =
            self.wanted.iter().enumerate().map(|(index, wanted)| (wanted.name.as_str(), index)).collect();
        let index = |service: &DynamicObject| indices.get(service.metadata.name.as_deref()?).copied();
        let pending = Progress::Pending { status: String::new(), problem: None };
        let mut progress = vec![pending; self.wanted.len()];
        let mut watched = std::pin::pin!(self.cluster.watch(|client| {
            let services = Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::services());
            let config = watcher::Config::default().labels(&names::of_run(self.run));
            watcher(services, config).backoff(pauses::of_watch())
        }));
        let applied: Vec<_> = self.wanted.iter().enumerate().map(|(index, it)| self.apply(index, it)).collect();
        let mut applied = std::pin::pin!(stream::iter(applied).buffer_unordered(MAX_CONCURRENT));
        loop {
            let event = tokio::select! {
                biased;
                () = self.cancel.cancelled() => RolloutEvent::Cancelled,
                Some((index, outcome)) = applied.next() => RolloutEvent::Applied(index, outcome),
                Some((function, problem)) = problems.recv() => RolloutEvent::Problem(function, problem),
                Some(event) = watched.next() => RolloutEvent::Watched(event.map(Box::new)),
                () = sleep_until(self.rules.deadline) => RolloutEvent::TimedOut,
            };
            match event {
                RolloutEvent::Cancelled => return Err(PlatformError::Cancelled),
                RolloutEvent::Applied(_, Ok(())) => continue,
                RolloutEvent::Applied(index, Err(error)) => progress[index] = Progress::Failed(error.to_string()),
                RolloutEvent::Watched(Ok(event)) => match *event {
                    Event::Apply(service) | Event::InitApply(service) => {
                        if let Some(index) = index(&service) {
                            self.update(&mut progress[index], &service).await;
                        }
                    }
                    Event::Delete(service) => {
                        if let Some(index) = index(&service) {
                            progress[index] = Progress::Failed("its Service was deleted by another client".to_owned());
                        }
                    }
                    Event::Init | Event::InitDone => continue,
                },
                RolloutEvent::Watched(Err(error)) => log::debug!("watching Services: {error}"),
                RolloutEvent::Problem(function, problem) => self.on_problem(&mut progress, function, problem),
                RolloutEvent::TimedOut => self.time_out(&mut progress),
            }
            if let Some(outcome) = self.judge(&progress)? {
                return Ok(outcome);
            }
        }
    }

    async fn apply(&self, index: usize, wanted: &Wanted) -> (usize, Result<(), ClusterError>) {
        let parameters = &PatchParams::apply(FIELD_MANAGER).validation_strict();
        let applied = self.cluster.ask_allowed(self.rules.deadline, &self.cancel, |client| async move {
            let services = Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::services());
            services.patch(&wanted.name, parameters, &Patch::Apply(&wanted.object)).await
        });
        (index, applied.await.map(|_| ()))
    }

    async fn update(&self, progress: &mut Progress, service: &DynamicObject) {
        let Progress::Pending { problem, .. } = progress else { return };
        match Readiness::of(service) {
            Readiness::Ready(url) => *progress = Progress::Ready(url),
            Readiness::Passing => {
                let status = ObjectStatus::of(service);
                let status = status.condition("Ready").map(objects::describe).unwrap_or_default();
                *progress = Progress::Pending { status, problem: problem.take() };
            }
            Readiness::Failed { status, revision } => {
                // A revision that has not failed may still become ready.
                let cause = self.cause(&revision).await;
                *progress = match (cause, problem.take()) {
                    (Ok(Some(cause)), Some(problem)) => Progress::Failed(joined(&cause, &problem)),
                    (Ok(Some(cause)), None) => Progress::Failed(cause),
                    (Ok(None), problem) => Progress::Pending { status, problem },
                    (Err(_), problem) => Progress::Failed(problem.unwrap_or(status)),
                };
            }
        }
    }

    /// Why a revision has failed, if it has.
    async fn cause(&self, revision: &str) -> Result<Option<String>, ClusterError> {
        if revision.is_empty() {
            return Ok(None);
        }
        let revision = self.cluster.ask_allowed(self.rules.deadline, &self.cancel, |client| async move {
            Api::<DynamicObject>::namespaced_with(client, self.namespace, &objects::revisions()).get(revision).await
        });
        Ok(ObjectStatus::of(&revision.await?).refusal().map(objects::describe))
    }

    fn on_problem(&self, progress: &mut [Progress], function: FunctionIndex, problem: PodProblem) {
        let index = function.as_usize();
        let Some(Progress::Pending { status, problem: known }) = progress.get(index) else { return };
        let PodProblem { message, permanent } = problem;
        if known.as_ref() != Some(&message) {
            let function = &self.wanted[index].function;
            log::warn!(RUN_ID = self.run.as_str(), FUNCTION = function.as_str(); "function {function}: {message}");
        }
        progress[index] = if permanent {
            Progress::Failed(message)
        } else {
            Progress::Pending { status: status.clone(), problem: Some(message) }
        };
    }

    fn time_out(&self, progress: &mut [Progress]) {
        for one in progress {
            if let Progress::Pending { status, problem } = one {
                let last = problem.as_ref().unwrap_or(status);
                let last = if last.is_empty() { "it has no status" } else { last };
                let timeout = humantime::format_duration(self.rules.timeout);
                *one = Progress::Failed(format!("not ready within {timeout} (deploy.timeout): {last}"));
            }
        }
    }

    /// The outcome of all, once each is known.
    fn judge(&self, progress: &[Progress]) -> Result<Option<Vec<Result<String, String>>>, PlatformError> {
        let ready = progress.iter().filter(|it| matches!(it, Progress::Ready(_))).count();
        self.ready.send_replace(units::to_u32(ready));
        let failed: Vec<_> = (self.wanted.iter().zip(progress))
            .filter_map(|(wanted, progress)| match progress {
                Progress::Failed(why) => Some((wanted.function.as_str(), why.as_str())),
                Progress::Pending { .. } | Progress::Ready(_) => None,
            })
            .collect();
        if failed.len() > self.rules.allow_failures as usize {
            return Err(self.failure(&failed));
        }
        let outcome = progress.iter().map(|progress| match progress {
            Progress::Ready(url) => Some(Ok(url.clone())),
            Progress::Failed(why) => Some(Err(why.clone())),
            Progress::Pending { .. } => None,
        });
        Ok(outcome.collect())
    }

    fn failure(&self, failed: &[(&str, &str)]) -> PlatformError {
        if let [(function, reason)] = failed {
            return PlatformError::Function { function: (*function).to_owned(), reason: (*reason).to_owned() };
        }
        let named: Vec<_> = failed.iter().take(MAX_NAMED).map(|(function, why)| format!("{function}: {why}")).collect();
        let more = failed.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let reason = format!("{} functions could not be deployed: {}{more}", failed.len(), named.join("; "));
        unusable(reason)
    }
}

/// The revision's cause with the pod's problem; once where one repeats the other, as a revision does whose pod has no node.
fn joined(cause: &str, problem: &str) -> String {
    match () {
        () if cause.contains(problem) => cause.to_owned(),
        () if problem.contains(cause) => problem.to_owned(),
        () => format!("{cause} ({problem})"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::cluster::Access, *};
    use crate::clock::Clock;

    #[test]
    fn what_is_not_ready_in_time_has_the_last_problem_or_status_as_its_reason() {
        let cluster = Cluster::new(Access::default(), Clock);
        let rollout = Rollout {
            cluster: &cluster,
            namespace: "n",
            run: &RunId::new(0, 0),
            wanted: &[],
            rules: Rules { deadline: Clock.now(), timeout: Duration::from_secs(15), allow_failures: 0 },
            ready: watch::Sender::new(0),
            cancel: CancellationToken::new(),
        };
        let pending = |status: &str, problem: Option<&str>| Progress::Pending {
            status: status.to_owned(),
            problem: problem.map(str::to_owned),
        };
        let ready = Progress::Ready("http://f".to_owned());
        let mut progress = vec![
            pending("RevisionMissing", Some("Unschedulable: no room")),
            pending("RevisionMissing", None),
            pending("", None),
            ready.clone(),
        ];
        rollout.time_out(&mut progress);
        let late = |last: &str| Progress::Failed(format!("not ready within 15s (deploy.timeout): {last}"));
        let reasons = ["Unschedulable: no room", "RevisionMissing", "it has no status"].map(late);
        assert_eq!(progress[..3], reasons);
        assert_eq!(progress[3], ready);
    }

    #[test]
    fn what_revision_and_pod_both_say_comes_once() {
        let full = "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.";
        let never = "ProgressDeadlineExceeded: Initial scale was never achieved";
        assert_eq!(joined(full, full), full);
        assert_eq!(joined("Unschedulable", full), full);
        assert_eq!(joined(never, full), format!("{never} ({full})"));
    }
}
