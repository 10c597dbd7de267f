//! The handle of the registry: commands and their replies.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot, watch};

use super::queue::MAX_QUEUED;
use crate::{
    id::{InvalidRunId, RunId},
    run::RunView,
    store::{RunFile, State, StoreError, StudyPlace, SubmittedSpec},
};

/// Which run a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The run that was submitted last.
    Latest,
    /// The run with this id.
    Id(RunId),
}

impl std::str::FromStr for Selector {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        if text == "latest" { Ok(Self::Latest) } else { text.parse().map(Self::Id) }
    }
}

/// Whose runs a command may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All runs.
    All,
    /// Those that this caller has submitted.
    Own(String),
}

impl Scope {
    /// Checks that a run is within it.
    ///
    /// # Errors
    /// The run is another's.
    pub(super) fn check(&self, run: &RunFile) -> Result<(), RegistryError> {
        match self {
            Self::Own(caller) if run.owner.as_ref() != Some(caller) => {
                Err(RegistryError::NotOwner { run: run.run_id.clone(), owner: run.owner.clone() })
            }
            Self::All | Self::Own(_) => Ok(()),
        }
    }
}

/// Why a command was refused.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There are no runs, so none is the latest.
    #[error("there are no runs yet")]
    Empty,
    /// The run does not exist.
    #[error("there is no run {0}")]
    NotFound(RunId),
    /// The key belongs to another spec.
    #[error("the idempotency key was used for run {0}, which has another spec")]
    KeyTaken(RunId),
    /// The queue is full.
    #[error("the queue is full: {MAX_QUEUED} runs are waiting")]
    QueueFull,
    /// The run's state forbids it.
    #[error("run {run} is {}: cancel it first, or wait until it has ended", state.as_str())]
    NotEnded {
        /// The id of the run.
        run: RunId,
        /// The state of the run.
        state: State,
    },
    /// The run is another caller's.
    #[error(
        "run {run} {}: only its owner or an admin may change it",
        owner.as_ref().map_or("has no known owner".to_owned(), |owner| format!("belongs to {owner}"))
    )]
    NotOwner {
        /// The id of the run.
        run: RunId,
        /// Who submitted it, if that is known.
        owner: Option<String>,
    },
    /// The run is pinned.
    #[error("run {0} is pinned: unpin it first")]
    Pinned(RunId),
    /// The daemon is shutting down.
    #[error("the daemon is shutting down")]
    ShuttingDown,
    /// The run's directory can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A run that was submitted, now or before by the same key.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The run as it is published.
    pub view: Arc<RunView>,
    /// Whether it was submitted before.
    pub existing: bool,
}

/// One page of runs.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The runs of the page, newest first.
    pub runs: Vec<Arc<RunView>>,
    /// Whether there are older runs that match.
    pub more: bool,
}

/// A valid spec, with the names under which it is listed.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The spec, as given.
    pub spec: SubmittedSpec,
    /// The name of the run.
    pub name: String,
    /// The mode of the run.
    pub mode: &'static str,
    /// The name of the platform.
    pub platform: String,
    /// Who submits it.
    pub owner: String,
    /// A second submission of the owner with the same key gives the first one's run; empty: none.
    pub idempotency_key: String,
    /// Its place in a study, and the id that was reserved for it; absent of a run that belongs to none.
    pub study: Option<(RunId, StudyPlace)>,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, RegistryError>>;

/// A command to the registry.
#[derive(Debug)]
pub(super) enum Command {
    Submit(Box<Submission>, Reply<Submitted>),
    Watch(Selector, Reply<watch::Receiver<Arc<RunView>>>),
    List { before: Option<RunId>, states: Vec<State>, limit: usize, reply: Reply<Page> },
    Cancel(Selector, Scope, Reply<Arc<RunView>>),
    Pin(Selector, bool, Scope, Reply<Arc<RunView>>),
    Delete(RunId, Reply<()>),
    Position(RunId, Reply<u32>),
    Activity(Reply<Activity>),
    TraceUses(Reply<HashMap<String, TraceUse>>),
    Reserve(Reply<RunId>),
    Missing(Vec<RunId>, Reply<HashSet<RunId>>),
    Alike { spec: [u8; 32], platform: String, reply: Reply<Vec<RunId>> },
}

/// The runs that name an uploaded trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceUse {
    /// Those that have not ended, oldest first: they need it.
    pub active: Vec<RunId>,
    /// The number of those that have ended and are kept: only running them again would need it.
    pub ended: u32,
}

/// The active run and the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// The active run; absent when there is none.
    pub active: Option<RunId>,
    /// Number of queued runs.
    pub queued: u32,
}

/// The handle of the registry. Clones share it.
#[derive(Debug, Clone)]
pub struct Registry {
    pub(super) commands: mpsc::Sender<Command>,
}

impl Registry {
    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, RegistryError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| RegistryError::ShuttingDown)?;
        answer.await.map_err(|_| RegistryError::ShuttingDown)?
    }

    /// The uses of each uploaded trace that a run names, by its id.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn trace_uses(&self) -> Result<HashMap<String, TraceUse>, RegistryError> {
        self.ask(Command::TraceUses).await
    }

    /// An id for a run of a study, which is submitted later.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn reserve(&self) -> Result<RunId, RegistryError> {
        self.ask(Command::Reserve).await
    }

    /// Those of `runs` that do not exist.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn missing(&self, runs: Vec<RunId>) -> Result<HashSet<RunId>, RegistryError> {
        self.ask(|reply| Command::Missing(runs, reply)).await
    }

    /// The runs that have succeeded, of this spec ([`SubmittedSpec::identity`]) and on this platform, newest first.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn alike(&self, spec: [u8; 32], platform: String) -> Result<Vec<RunId>, RegistryError> {
        self.ask(|reply| Command::Alike { spec, platform, reply }).await
    }

    /// Creates a run and adds it to the queue.
    ///
    /// # Errors
    /// A key that belongs to another spec, a full queue, a directory that can't be created.
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, RegistryError> {
        self.ask(|reply| Command::Submit(Box::new(submission), reply)).await
    }

    /// One run, now and as it changes.
    ///
    /// # Errors
    /// The run does not exist.
    pub async fn watch(&self, run: Selector) -> Result<watch::Receiver<Arc<RunView>>, RegistryError> {
        self.ask(|reply| Command::Watch(run, reply)).await
    }

    /// Pins a run, or unpins it: retention applies again.
    ///
    /// # Errors
    /// There is no such run within the scope, it has not ended, or its directory can't be written.
    pub async fn pin(&self, run: Selector, pinned: bool, scope: Scope) -> Result<Arc<RunView>, RegistryError> {
        self.ask(|reply| Command::Pin(run, pinned, scope, reply)).await
    }

    /// Up to `limit` runs in one of `states` (none: any), newest first, from before `before` on.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn list(&self, before: Option<RunId>, states: Vec<State>, limit: usize) -> Result<Page, RegistryError> {
        self.ask(|reply| Command::List { before, states, limit, reply }).await
    }

    /// Ends a run early. One that has ended, or is being ended, stays as it is; a clean-up that waits for its platform is given up.
    ///
    /// # Errors
    /// There is no such run within the scope.
    pub async fn cancel(&self, run: Selector, scope: Scope) -> Result<Arc<RunView>, RegistryError> {
        self.ask(|reply| Command::Cancel(run, scope, reply)).await
    }

    /// Removes a run that has ended, with its directory.
    ///
    /// # Errors
    /// There is no such run, it has not ended, its directory can't be removed.
    pub async fn delete(&self, run: RunId) -> Result<(), RegistryError> {
        self.ask(|reply| Command::Delete(run, reply)).await
    }

    /// A run's position in the queue, 1 for the next one; 0 when it is not queued.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn position(&self, run: RunId) -> Result<u32, RegistryError> {
        self.ask(|reply| Command::Position(run, reply)).await
    }

    /// The active run and the queue.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn activity(&self) -> Result<Activity, RegistryError> {
        self.ask(Command::Activity).await
    }
}
