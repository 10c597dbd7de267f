//! The registry: knows every run, keeps the queue, and lets one run at a time go.
//!
//! It is one task that takes commands; [`Registry`] is the way to it. A run's own task publishes its view, so that
//! showing runs holds nothing up.

mod admission;
mod recovery;

use std::{collections::BTreeMap, sync::Arc};

use loader_proto::v1;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{Context, Event, Machine, RunFile, RunView, State, Store, StoreError, Verdict, driver::Driver};
use crate::id::{InvalidRunId, RunId};
use admission::Queue;

/// Commands that may wait.
const COMMANDS: usize = 256;

/// Runs that may wait in the queue.
const MAX_QUEUED: usize = 1000;

/// Which run is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The one that was submitted last.
    Latest,
    /// This one.
    Id(RunId),
}

impl std::str::FromStr for Selector {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        if text == "latest" { Ok(Self::Latest) } else { text.parse().map(Self::Id) }
    }
}

/// Why a command was refused.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no such run.
    #[error("{0}")]
    NotFound(String),
    /// The key belongs to another spec.
    #[error("the idempotency key was used for run {0}, which has another spec")]
    KeyTaken(RunId),
    /// Too many runs wait.
    #[error("{MAX_QUEUED} runs are queued already")]
    QueueFull,
    /// The run's state forbids it.
    #[error("run {run} is {}: cancel it first, or wait until it has ended", state.as_str())]
    NotEnded {
        /// The run.
        run: RunId,
        /// Where it stands.
        state: State,
    },
    /// The daemon ends.
    #[error("the daemon is shutting down")]
    ShuttingDown,
    /// The run's directory.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A run that was submitted, now or before by the same key.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The run.
    pub view: Arc<RunView>,
    /// Whether it was there before.
    pub existing: bool,
}

/// One page of runs.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Newest first.
    pub runs: Vec<Arc<RunView>>,
    /// Whether there are older ones that fit.
    pub more: bool,
}

/// A spec that was found good, with the names under which it is listed.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The spec, as given.
    pub spec: v1::RunSpec,
    /// The run's name.
    pub name: String,
    /// The mode.
    pub mode: &'static str,
    /// The platform.
    pub platform: String,
    /// A second submission with the same key gives the first one's run; empty: none.
    pub idempotency_key: String,
}

type Reply<T> = oneshot::Sender<Result<T, RegistryError>>;

#[derive(Debug)]
enum Command {
    Submit(Box<Submission>, Reply<Submitted>),
    Watch(Selector, Reply<watch::Receiver<Arc<RunView>>>),
    List { before: Option<RunId>, states: Vec<State>, limit: usize, reply: Reply<Page> },
    Cancel(Selector, Reply<Arc<RunView>>),
    Delete(RunId, Reply<()>),
    Position(RunId, Reply<u32>),
    Activity(Reply<Activity>),
}

/// What the daemon is busy with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// The run that is under way.
    pub active: Option<RunId>,
    /// Runs that wait.
    pub queued: u32,
}

/// The way to the registry. Clones are the same.
#[derive(Debug, Clone)]
pub struct Registry {
    commands: mpsc::Sender<Command>,
}

impl Registry {
    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, RegistryError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| RegistryError::ShuttingDown)?;
        answer.await.map_err(|_| RegistryError::ShuttingDown)?
    }

    /// Queues a run.
    ///
    /// # Errors
    /// A key that belongs to another spec, a full queue, a directory that can't be made.
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, RegistryError> {
        self.ask(|reply| Command::Submit(Box::new(submission), reply)).await
    }

    /// One run, now and as it changes.
    ///
    /// # Errors
    /// There is no such run.
    pub async fn watch(&self, run: Selector) -> Result<watch::Receiver<Arc<RunView>>, RegistryError> {
        self.ask(|reply| Command::Watch(run, reply)).await
    }

    /// Up to `limit` runs in one of `states` (none: any), newest first, from before `before` on.
    ///
    /// # Errors
    /// The daemon ends.
    pub async fn list(&self, before: Option<RunId>, states: Vec<State>, limit: usize) -> Result<Page, RegistryError> {
        self.ask(|reply| Command::List { before, states, limit, reply }).await
    }

    /// Ends a run early. One that has ended, or is being ended, stays as it is.
    ///
    /// # Errors
    /// There is no such run.
    pub async fn cancel(&self, run: Selector) -> Result<Arc<RunView>, RegistryError> {
        self.ask(|reply| Command::Cancel(run, reply)).await
    }

    /// Removes a run that has ended, with its directory.
    ///
    /// # Errors
    /// There is no such run, it has not ended, its directory can't be removed.
    pub async fn delete(&self, run: RunId) -> Result<(), RegistryError> {
        self.ask(|reply| Command::Delete(run, reply)).await
    }

    /// A run's place in the queue, 1 for the one that goes next; 0 when it does not wait.
    ///
    /// # Errors
    /// The daemon ends.
    pub async fn position(&self, run: RunId) -> Result<u32, RegistryError> {
        self.ask(|reply| Command::Position(run, reply)).await
    }

    /// What the daemon is busy with.
    ///
    /// # Errors
    /// The daemon ends.
    pub async fn activity(&self) -> Result<Activity, RegistryError> {
        self.ask(Command::Activity).await
    }
}

/// A run that the registry knows.
struct Entry {
    view: watch::Sender<Arc<RunView>>,
    cancel: CancellationToken,
}

/// The registry's task.
pub struct RegistryTask {
    context: Arc<Context>,
    store: Store,
    commands: mpsc::Receiver<Command>,
    runs: BTreeMap<RunId, Entry>,
    keys: BTreeMap<String, RunId>,
    queue: Queue,
    active: Option<RunId>,
    drivers: JoinSet<()>,
    shutdown: CancellationToken,
}

impl RegistryTask {
    /// Loads the runs of earlier processes: the ones that were under way are interrupted and cleaned, the ones that
    /// waited wait on.
    ///
    /// # Errors
    /// A state directory that can't be read.
    pub async fn recover(
        context: Arc<Context>,
        store: Store,
        shutdown: CancellationToken,
    ) -> Result<(Self, Registry), StoreError> {
        let (commands, receive) = mpsc::channel(COMMANDS);
        let mut this = Self {
            context,
            store,
            commands: receive,
            runs: BTreeMap::new(),
            keys: BTreeMap::new(),
            queue: Queue::default(),
            active: None,
            drivers: JoinSet::new(),
            shutdown,
        };
        for file in this.store.load()? {
            this.recover_run(file).await;
        }
        this.show_queue();
        Ok((this, Registry { commands }))
    }

    /// Takes commands until the daemon ends, then waits until the active run has been interrupted and cleaned.
    pub async fn run(mut self) {
        let shutdown = self.shutdown.clone();
        loop {
            self.start_next();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(ended) = self.drivers.join_next() => self.ended(ended).await,
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command),
                    None => break,
                },
            }
        }
        self.commands.close();
        while let Some(ended) = self.drivers.join_next().await {
            self.ended(ended).await;
        }
    }

    fn take(&mut self, command: Command) {
        // Whoever asked may have gone meanwhile; then there is nobody to tell.
        let _heard = match command {
            Command::Submit(submission, reply) => reply.send(self.submit(*submission)).is_ok(),
            Command::Watch(run, reply) => reply.send(self.find(&run).map(|(_, entry)| entry.view.subscribe())).is_ok(),
            Command::List { before, states, limit, reply } => {
                reply.send(Ok(self.list(before.as_ref(), &states, limit))).is_ok()
            }
            Command::Cancel(run, reply) => reply.send(self.cancel(&run)).is_ok(),
            Command::Delete(run, reply) => reply.send(self.delete(&run)).is_ok(),
            Command::Position(run, reply) => reply.send(Ok(self.queue.position(&run))).is_ok(),
            Command::Activity(reply) => reply.send(Ok(self.activity())).is_ok(),
        };
    }

    fn find(&self, run: &Selector) -> Result<(&RunId, &Entry), RegistryError> {
        match run {
            Selector::Latest => {
                self.runs.last_key_value().ok_or_else(|| RegistryError::NotFound("there are no runs yet".to_owned()))
            }
            Selector::Id(id) => {
                self.runs.get_key_value(id).ok_or_else(|| RegistryError::NotFound(format!("there is no run {id}")))
            }
        }
    }

    fn list(&self, before: Option<&RunId>, states: &[State], limit: usize) -> Page {
        let mut found = self
            .runs
            .iter()
            .rev()
            .filter(|(id, _)| before.is_none_or(|before| *id < before))
            .map(|(_, entry)| entry.view.borrow().clone())
            .filter(|view| states.is_empty() || states.contains(&view.file.state));
        let runs: Vec<_> = found.by_ref().take(limit).collect();
        Page { runs, more: found.next().is_some() }
    }

    fn cancel(&mut self, run: &Selector) -> Result<Arc<RunView>, RegistryError> {
        let id = self.find(run)?.0.clone();
        if self.queue.remove(&id) {
            self.end_queued(&id)?;
            self.show_queue();
        }
        let (_, entry) = self.find(&Selector::Id(id))?;
        entry.cancel.cancel();
        Ok(entry.view.borrow().clone())
    }

    /// A run that still waits is cancelled without anything having been made.
    fn end_queued(&self, id: &RunId) -> Result<(), RegistryError> {
        let (_, entry) = self.find(&Selector::Id(id.clone()))?;
        let mut machine = Machine::default();
        // A queued run can always be ended.
        let _ended = machine.apply(Event::End(Verdict::Cancelled));
        let mut file = entry.view.borrow().file.clone();
        file.state = machine.state();
        file.reason = machine.reason().to_owned();
        file.finished_unix_us = Some(self.context.clock.unix().0);
        self.store.directory(id).save(&file)?;
        self.context.metrics.run_ended(file.state.as_str());
        entry.view.send_modify(|view| Arc::make_mut(view).file = file);
        Ok(())
    }

    fn delete(&mut self, id: &RunId) -> Result<(), RegistryError> {
        let RunFile { state, idempotency_key, .. } = self.find(&Selector::Id(id.clone()))?.1.view.borrow().file.clone();
        if !state.is_terminal() {
            return Err(RegistryError::NotEnded { run: id.clone(), state });
        }
        self.store.remove(id)?;
        self.keys.remove(&idempotency_key);
        self.runs.remove(id);
        Ok(())
    }

    fn activity(&self) -> Activity {
        Activity { active: self.active.clone(), queued: u32::try_from(self.queue.len()).unwrap_or(u32::MAX) }
    }

    /// Lets the next run go, when none is under way.
    fn start_next(&mut self) {
        if self.active.is_some() || self.shutdown.is_cancelled() {
            return;
        }
        let Some(id) = self.queue.next() else { return };
        let Some(entry) = self.runs.get(&id) else { return };
        let driver = Driver {
            context: Arc::clone(&self.context),
            directory: self.store.directory(&id),
            machine: Machine::default(),
            view: entry.view.clone(),
            cancel: entry.cancel.clone(),
            shutdown: self.shutdown.clone(),
        };
        self.active = Some(id);
        self.show_queue();
        self.drivers.spawn(driver.drive());
    }

    async fn ended(&mut self, ended: Result<(), JoinError>) {
        let Some(id) = self.active.take() else { return };
        if let Err(broken) = ended {
            self.end_broken(&id, &broken).await;
        }
    }

    fn show_queue(&self) {
        self.context.metrics.runs_queued(self.activity().queued);
    }
}

#[cfg(test)]
mod tests;
