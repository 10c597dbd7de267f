//! Changes of run directories. Disks can be slow, and the registry's task answers everybody: each change is made on a blocking
//! thread. Commands about a run that is being written are deferred until that has ended, so that its changes keep their order.

use std::{collections::HashMap, sync::Arc};

use tokio::task::{Id, JoinError, JoinSet};

use super::{
    entry::Entry,
    handle::{Command, Reply, Submitted},
};
use crate::{
    id::RunId,
    run::RunView,
    store::{RunFile, StoreError},
};

/// Changes that are being made.
#[derive(Default)]
pub(super) struct Writes {
    tasks: JoinSet<Written>,
    /// The runs that each task writes.
    runs: HashMap<Id, Vec<RunId>>,
    /// How many of the runs are being created.
    creating: usize,
    /// Commands about runs that are being written, in their order.
    deferred: Vec<Command>,
}

/// A change that was made or has failed.
pub(super) enum Written {
    /// The directory of a new run.
    Created { view: Arc<RunView>, created: Result<(), StoreError>, reply: Reply<Submitted> },
    /// The state of a run.
    Saved { file: Box<RunFile>, saved: Result<(), StoreError>, reply: Reply<Arc<RunView>> },
    /// The directories of runs were removed. Those that could not be are runs again.
    Removed { removed: Vec<(Entry, Result<(), StoreError>)>, reply: Option<Reply<()>> },
}

/// The end of a change, as the set of tasks reports it.
pub(super) type Ended = Result<(Id, Written), JoinError>;

impl Writes {
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// How many runs are being created.
    pub(super) fn creating(&self) -> usize {
        self.creating
    }

    /// Begins to create a run.
    pub(super) fn create(&mut self, run: RunId, work: impl FnOnce() -> Written + Send + 'static) {
        self.creating += 1;
        self.begin(vec![run], work);
    }

    /// Lets a command wait.
    pub(super) fn defer(&mut self, command: Command) {
        self.deferred.push(command);
    }

    /// Ends a change; returns its outcome, and the commands that waited.
    pub(super) fn end(&mut self, ended: Ended) -> (Result<Written, JoinError>, Vec<Command>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        self.runs.remove(&id);
        if let Ok((_, Written::Created { .. })) = ended {
            self.creating -= 1;
        }
        (ended.map(|(_, written)| written), std::mem::take(&mut self.deferred))
    }

    /// The next change that ends.
    pub(super) async fn next(&mut self) -> Option<Ended> {
        self.tasks.join_next_with_id().await
    }

    /// Whether a run is being written.
    pub(super) fn concern(&self, run: &RunId) -> bool {
        self.runs.values().flatten().any(|other| other == run)
    }

    /// Begins a change of `runs`.
    pub(super) fn begin(&mut self, runs: Vec<RunId>, work: impl FnOnce() -> Written + Send + 'static) {
        let task = self.tasks.spawn_blocking(work);
        self.runs.insert(task.id(), runs);
    }
}
