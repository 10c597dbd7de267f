//! The registry: knows every run, keeps the queue, and lets one run at a time go.
//!
//! It is one task that takes commands; [`Registry`] is the way to it. A run's own task publishes its view, so that
//! showing runs holds nothing up.

mod admission;
mod handle;
mod recovery;
mod sweep;

use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

pub use handle::{Activity, Page, Registry, RegistryError, Selector, Submission, Submitted};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Anchor,
    id::RunId,
    run::{Driver, Event, Interrupts, Machine, RunView, Stations, Telemetry, Verdict},
    store::{Retention, RunFile, State, Store, StoreError},
    traces::TraceStore,
    units,
};
use admission::Queue;
use handle::Command;
use recovery::Recovering;

/// Commands that may wait.
const COMMANDS: usize = 256;

/// Runs that may wait in the queue.
const MAX_QUEUED: usize = 1000;

/// A run that the registry knows.
struct Entry {
    view: watch::Sender<Arc<RunView>>,
    cancel: CancellationToken,
}

/// What is kept, and for how long.
pub struct Keeping {
    /// Which runs are kept.
    pub retention: watch::Receiver<Retention>,
    /// Uploaded traces, which expire when no run names them.
    pub traces: TraceStore,
}

/// The registry's task.
pub struct RegistryTask {
    store: Store,
    stations: Arc<Stations>,
    keeping: Keeping,
    commands: mpsc::Receiver<Command>,
    runs: BTreeMap<RunId, Entry>,
    keys: BTreeMap<String, RunId>,
    queue: Queue,
    active: Option<RunId>,
    drivers: JoinSet<()>,
    /// Runs of an earlier process; none begins before they are cleaned.
    recovering: Recovering,
    recovered: watch::Sender<bool>,
    /// Looks for runs that are to be kept no longer.
    sweeps: JoinSet<Vec<RunId>>,
    /// When that was begun last.
    swept: Anchor,
    ends: Ends,
}

/// What ends the daemon.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// It is to end: no run begins any more.
    pub shutdown: CancellationToken,
    /// The active run is to be interrupted.
    pub interrupt: CancellationToken,
    /// The active run's answers are not to be awaited.
    pub skip_drain: CancellationToken,
}

impl RegistryTask {
    /// Loads the runs of earlier processes, and begins to clean the ones that were under way; the ones that waited wait on.
    ///
    /// # Errors
    /// A state directory that can't be read.
    pub fn recover(
        store: Store,
        stations: Arc<Stations>,
        keeping: Keeping,
        ends: Ends,
    ) -> Result<(Self, Registry), StoreError> {
        let (commands, receive) = mpsc::channel(COMMANDS);
        let mut this = Self {
            store,
            commands: receive,
            runs: BTreeMap::new(),
            keys: BTreeMap::new(),
            queue: Queue::default(),
            active: None,
            drivers: JoinSet::new(),
            recovering: Recovering::new(),
            recovered: watch::Sender::new(false),
            sweeps: JoinSet::new(),
            swept: stations.telemetry.clock.anchor(),
            stations,
            keeping,
            ends,
        };
        for file in this.store.load()? {
            this.recover_run(file);
        }
        this.recovered.send_replace(this.recovering.is_empty());
        this.show_queue();
        Ok((this, Registry { commands }))
    }

    /// Whether everything that earlier processes left has been cleaned.
    pub fn recovered(&self) -> watch::Receiver<bool> {
        self.recovered.subscribe()
    }

    /// Takes commands until the daemon is to end and the active run has ended, finished or interrupted, and was cleaned.
    pub async fn run(mut self) {
        let shutdown = self.ends.shutdown.clone();
        let mut sweep = tokio::time::interval(sweep::PERIOD);
        loop {
            self.start_next();
            let ending = shutdown.is_cancelled();
            if ending && self.drivers.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if !ending => {}
                Some(ended) = self.drivers.join_next() => {
                    self.ended(ended).await;
                    self.sweep();
                }
                Some(recovered) = self.recovering.join_next() => self.recovered_run(recovered),
                Some(Ok(doomed)) = self.sweeps.join_next() => self.remove_all(&doomed),
                _ = sweep.tick() => self.sweep(),
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
            Command::Pin(run, pinned, reply) => reply.send(self.pin(&run, pinned)).is_ok(),
            Command::Delete(run, reply) => reply.send(self.delete(&run)).is_ok(),
            Command::Position(run, reply) => reply.send(Ok(self.queue.position(&run))).is_ok(),
            Command::Activity(reply) => reply.send(Ok(self.activity())).is_ok(),
        };
    }

    fn find(&self, run: &Selector) -> Result<(&RunId, &Entry), RegistryError> {
        match run {
            Selector::Latest => self.runs.last_key_value().ok_or(RegistryError::Empty),
            Selector::Id(id) => self.runs.get_key_value(id).ok_or_else(|| RegistryError::NotFound(id.clone())),
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
        let mut machine = Machine::<Infallible>::default();
        // A queued run can always be ended.
        let _ended = machine.apply(Event::End(Verdict::Cancelled));
        let mut file = entry.view.borrow().file.clone();
        file.state = machine.state();
        file.reason = machine.reason();
        file.finished_unix_us = Some(self.telemetry().clock.unix().0);
        self.store.directory(id).save(&file)?;
        self.telemetry().metrics.run_ended(file.state.as_str());
        entry.view.send_modify(|view| Arc::make_mut(view).file = file);
        Ok(())
    }

    fn delete(&mut self, id: &RunId) -> Result<(), RegistryError> {
        let RunFile { state, idempotency_key, pinned, .. } =
            self.find(&Selector::Id(id.clone()))?.1.view.borrow().file.clone();
        if pinned {
            return Err(RegistryError::Pinned(id.clone()));
        }
        if !state.is_terminal() {
            return Err(RegistryError::NotEnded { run: id.clone(), state });
        }
        self.store.remove(id)?;
        self.keys.remove(&idempotency_key);
        self.runs.remove(id);
        Ok(())
    }

    /// A pinned run is removed by nothing and nobody. The state of one under way is its driver's to write.
    fn pin(&self, run: &Selector, pinned: bool) -> Result<Arc<RunView>, RegistryError> {
        let (id, entry) = self.find(run)?;
        let mut file = entry.view.borrow().file.clone();
        if !file.state.is_terminal() {
            return Err(RegistryError::NotEnded { run: id.clone(), state: file.state });
        }
        file.pinned = pinned;
        self.store.directory(id).save(&file)?;
        entry.view.send_modify(|view| Arc::make_mut(view).file = file);
        Ok(entry.view.borrow().clone())
    }

    fn activity(&self) -> Activity {
        Activity { active: self.active.clone(), queued: units::to_u32(self.queue.len()) }
    }

    /// Lets the next run go, when none is under way.
    fn start_next(&mut self) {
        if self.active.is_some() || self.ends.shutdown.is_cancelled() || !self.recovering.is_empty() {
            return;
        }
        let Some(id) = self.queue.next() else { return };
        let Some(entry) = self.runs.get(&id) else { return };
        let interrupts = Interrupts { cancel: entry.cancel.clone(), shutdown: self.ends.interrupt.clone() };
        let directory = self.store.directory(&id);
        let driver = Driver::new(Arc::clone(&self.stations), directory, entry.view.clone(), interrupts);
        self.active = Some(id);
        self.show_queue();
        self.drivers.spawn(driver.drive());
    }

    async fn ended(&mut self, ended: Result<(), JoinError>) {
        let Some(id) = self.active.take() else { return };
        if let Err(broken) = ended {
            self.end_broken(&id, broken).await;
        }
    }

    fn telemetry(&self) -> &Telemetry {
        &self.stations.telemetry
    }

    fn show_queue(&self) {
        self.telemetry().metrics.runs_queued(self.activity().queued);
    }
}

#[cfg(test)]
mod tests;
