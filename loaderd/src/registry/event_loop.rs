//! The registry's task: commands taken, runs started one after the other and awaited, retention applied.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
};

use super::{
    handle::{Command, Registry},
    queue::Queue,
    sweep,
    task::{Ends, Keeping, RegistryTask},
    writes::{Ended, Writes},
};
use crate::{
    run::{Driver, Interrupts, Stations},
    store::{Store, StoreError},
};

/// Capacity of the channel of commands.
const COMMANDS: usize = 256;

impl RegistryTask {
    /// Loads the runs of earlier processes, and begins to clean up those that were under way; queued ones stay queued.
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
            newest: None,
            queue: Queue::default(),
            writes: Writes::default(),
            active: None,
            drivers: JoinSet::new(),
            recovering: JoinSet::new(),
            untried: watch::Sender::new(0),
            sweeps: JoinSet::new(),
            swept: stations.telemetry.clock.anchor(),
            stations,
            keeping,
            ends,
        };
        for file in this.store.load()? {
            this.recover_run(file);
        }
        this.export_queue_length();
        Ok((this, Registry { commands }))
    }

    /// Runs of earlier processes whose clean-up has neither ended nor found its platform away.
    pub fn untried(&self) -> watch::Receiver<usize> {
        self.untried.subscribe()
    }

    /// Takes commands until the daemon shuts down and the active run has ended and was cleaned up.
    pub async fn run(mut self) {
        let shutdown = self.ends.shutdown.clone();
        let mut sweep = tokio::time::interval(sweep::PERIOD);
        loop {
            self.start_next();
            let ending = shutdown.is_cancelled();
            if ending && self.drivers.is_empty() && self.writes.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if !ending => {}
                Some(ended) = self.drivers.join_next() => {
                    self.ended(ended);
                    self.sweep();
                }
                Some(ended) = self.writes.next() => self.take_all(ended),
                Some(recovered) = self.recovering.join_next() => self.recovered_run(recovered),
                Some(Ok(expired)) = self.sweeps.join_next() => self.remove(&expired, None),
                _ = sweep.tick() => self.sweep(),
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command),
                    None => break,
                },
            }
        }
        self.commands.close();
        while let Some(ended) = self.drivers.join_next().await {
            self.ended(ended);
        }
        while let Some(ended) = self.writes.next().await {
            self.take_all(ended);
        }
    }

    /// Takes over a change that has ended, and the commands that waited.
    fn take_all(&mut self, ended: Ended) {
        for command in self.written(ended) {
            self.take(command);
        }
    }

    fn take(&mut self, command: Command) {
        let Some(command) = self.ready(command) else { return };
        // The caller may have gone meanwhile.
        let _answered = match command {
            Command::Submit(submission, reply) => return self.submit(*submission, reply),
            Command::Cancel(run, scope, reply) => return self.cancel(&run, &scope, reply),
            Command::Pin(run, pinned, scope, reply) => return self.pin(&run, pinned, &scope, reply),
            Command::Delete(run, reply) => return self.delete(&run, reply),
            Command::Watch(run, reply) => reply.send(self.find(&run).map(|(_, entry)| entry.view.subscribe())).is_ok(),
            Command::List { before, states, limit, reply } => {
                reply.send(Ok(self.list(before.as_ref(), &states, limit))).is_ok()
            }
            Command::Position(run, reply) => reply.send(Ok(self.queue.position(&run))).is_ok(),
            Command::Activity(reply) => reply.send(Ok(self.activity())).is_ok(),
            Command::TraceUses(reply) => reply.send(Ok(self.trace_uses())).is_ok(),
            Command::Reserve(reply) => {
                let id = self.next_id(self.telemetry().clock.unix());
                reply.send(Ok(id)).is_ok()
            }
            Command::Missing(runs, reply) => reply.send(Ok(self.missing(runs))).is_ok(),
            Command::Alike { spec, platform, reply } => reply.send(Ok(self.alike(spec, &platform))).is_ok(),
        };
    }

    /// Starts the next run, when none is under way.
    fn start_next(&mut self) {
        if self.active.is_some() || self.ends.shutdown.is_cancelled() || !self.recovering.is_empty() {
            return;
        }
        let Some(id) = self.queue.next() else { return };
        let Some(entry) = self.runs.get(&id) else { return };
        let interrupts = Interrupts {
            cancel: entry.cancel.clone(),
            shutdown: self.ends.interrupt.clone(),
            give_up: entry.give_up.clone(),
        };
        let directory = self.store.directory(&id);
        let driver = Driver::new(Arc::clone(&self.stations), directory, entry.view.clone(), interrupts);
        self.active = Some(id);
        self.export_queue_length();
        self.drivers.spawn(driver.drive());
    }

    fn ended(&mut self, ended: Result<(), JoinError>) {
        let Some(id) = self.active.take() else { return };
        if let Err(error) = ended {
            self.end_panicked(&id, &error);
        }
    }
}
