//! What the registry's task does around a change of a run's directory: which commands wait for it, and what it leads to.

use std::sync::Arc;

use super::{
    admission::key,
    entry::Entry,
    handle::{Command, Reply, Selector, Submitted},
    task::RegistryTask,
    writes::{Ended, Written},
};
use crate::{
    id::RunId,
    run::RunView,
    store::{RunFile, StoreError},
};

impl RegistryTask {
    /// The command, unless it has to wait for a change of its run.
    pub(super) fn ready(&mut self, command: Command) -> Option<Command> {
        if self.subject(&command).is_some_and(|run| self.writes.concern(&run)) {
            self.writes.defer(command);
            return None;
        }
        Some(command)
    }

    /// The run that a command changes.
    fn subject(&self, command: &Command) -> Option<RunId> {
        match command {
            Command::Submit(submission, _) => self.keyed(submission).cloned(),
            Command::Delete(run, _) | Command::Cancel(Selector::Id(run), ..) | Command::Pin(Selector::Id(run), ..) => {
                Some(run.clone())
            }
            Command::Cancel(Selector::Latest, ..) | Command::Pin(Selector::Latest, ..) => {
                self.runs.last_key_value().map(|(run, _)| run.clone())
            }
            Command::Watch(..)
            | Command::List { .. }
            | Command::Position(..)
            | Command::Activity(_)
            | Command::TraceUses(_)
            | Command::Reserve(_)
            | Command::Missing(..)
            | Command::Alike { .. } => None,
        }
    }

    pub(super) fn create(&mut self, view: Arc<RunView>, reply: Reply<Submitted>) {
        let (store, id) = (self.store.clone(), view.file.run_id.clone());
        self.writes.create(id, move || {
            let created = store.create(&view.file, &view.spec).map(|_| ());
            Written::Created { view, created, reply }
        });
    }

    pub(super) fn save(&mut self, file: RunFile, reply: Reply<Arc<RunView>>) {
        let directory = self.store.directory(&file.run_id);
        self.writes.begin(vec![file.run_id.clone()], move || {
            let saved = directory.save(&file);
            Written::Saved { file: Box::new(file), saved, reply }
        });
    }

    /// Removes runs with their directories, except those that may not be removed or are being written.
    pub(super) fn remove(&mut self, runs: &[RunId], reply: Option<Reply<()>>) {
        let free: Vec<_> = runs.iter().filter(|run| !self.writes.concern(run)).collect();
        let entries: Vec<_> = free.into_iter().filter_map(|run| self.take_out(run)).collect();
        let ids = entries.iter().map(Entry::id).collect();
        let store = self.store.clone();
        self.writes.begin(ids, move || {
            let remove = |entry: Entry| {
                let removed = store.remove(&entry.id());
                (entry, removed)
            };
            Written::Removed { removed: entries.into_iter().map(remove).collect(), reply }
        });
    }

    fn take_out(&mut self, run: &RunId) -> Option<Entry> {
        self.removable(run).ok()?;
        let entry = self.runs.remove(run)?;
        let key = key(&entry.view.borrow().file);
        key.and_then(|key| self.keys.remove(&key));
        Some(entry)
    }

    /// Takes over a change that has ended; returns the commands that waited.
    pub(super) fn written(&mut self, ended: Ended) -> Vec<Command> {
        let (written, deferred) = self.writes.end(ended);
        match written {
            Ok(Written::Created { view, created, reply }) => self.created(view, created, reply),
            Ok(Written::Saved { file, saved, reply }) => self.saved(*file, saved, reply),
            Ok(Written::Removed { removed, reply }) => self.removed(removed, reply),
            Err(error) => log::error!("cannot write a run: {error}"),
        }
        deferred
    }

    fn created(&mut self, view: Arc<RunView>, created: Result<(), StoreError>, reply: Reply<Submitted>) {
        let RunFile { run_id, name, mode, platform, .. } = &view.file;
        let answer = match created {
            Ok(()) => {
                log::info!(RUN_ID = run_id.as_str(); "queued: {name} ({mode} on {platform})");
                self.insert(Entry::new(Arc::clone(&view)));
                self.queue.push(run_id.clone());
                self.export_queue_length();
                Ok(Submitted { view, existing: false })
            }
            Err(error) => {
                key(&view.file).and_then(|key| self.keys.remove(&key));
                Err(error.into())
            }
        };
        // The caller may have gone meanwhile, here and below.
        let _answered = reply.send(answer);
    }

    fn saved(&mut self, file: RunFile, saved: Result<(), StoreError>, reply: Reply<Arc<RunView>>) {
        let run = Selector::Id(file.run_id.clone());
        let answer = self.find(&run).and_then(|(_, entry)| {
            saved?;
            entry.view.send_modify(|view| Arc::make_mut(view).file = file);
            Ok(entry.view.borrow().clone())
        });
        let _answered = reply.send(answer);
    }

    fn removed(&mut self, removed: Vec<(Entry, Result<(), StoreError>)>, reply: Option<Reply<()>>) {
        let mut failed = None;
        for (entry, result) in removed {
            let id = entry.id();
            match result {
                Ok(()) if reply.is_none() => log::info!(RUN_ID = id.as_str(); "removed by [retention]"),
                Ok(()) => {}
                Err(error) => {
                    if reply.is_none() {
                        log::warn!(RUN_ID = id.as_str(); "cannot apply [retention]: {error}");
                    }
                    self.insert(entry);
                    failed = Some(error);
                }
            }
        }
        if let Some(reply) = reply {
            let _answered = reply.send(failed.map_or(Ok(()), |error| Err(error.into())));
        }
    }
}
