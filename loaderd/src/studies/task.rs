//! The task that owns all studies: commands taken, studies carried out one after the other.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use rand::RngExt as _;
use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    StudyParts, StudyView,
    driver::{Driver, Orders},
    handle::{Command, MOST_QUEUED, Proceed, Studies, StudiesError, StudyPage, StudySelector, StudySubmission},
};
use crate::{
    id::StudyId,
    registry::{NeededByStudies, Scope},
    store::{StoreError, StudyFile, StudyState},
};

/// Capacity of the channel of commands.
const COMMANDS: usize = 64;

/// A study that the task knows.
struct Entry {
    view: watch::Sender<Arc<StudyView>>,
    cancel: CancellationToken,
    proceed: mpsc::Sender<Proceed>,
    /// Taken by its driver.
    proceeds: Option<mpsc::Receiver<Proceed>>,
}

impl Entry {
    fn new(view: StudyView) -> Self {
        let (proceed, proceeds) = mpsc::channel(1);
        let view = watch::Sender::new(Arc::new(view));
        Self { view, cancel: CancellationToken::new(), proceed, proceeds: Some(proceeds) }
    }

    fn state(&self) -> StudyState {
        self.view.borrow().file.state
    }
}

/// The task that owns all studies.
pub struct StudiesTask {
    parts: StudyParts,
    commands: mpsc::Receiver<Command>,
    studies: BTreeMap<StudyId, Entry>,
    needed: watch::Sender<NeededByStudies>,
    active: Option<StudyId>,
    drivers: JoinSet<()>,
    shutdown: CancellationToken,
}

impl StudiesTask {
    /// Loads the studies of earlier processes; those that have not ended go on once the task runs. `needed` is what retention leaves
    /// alone.
    ///
    /// # Errors
    /// A state directory that can't be read.
    pub fn recover(
        parts: StudyParts,
        needed: watch::Sender<NeededByStudies>,
        shutdown: CancellationToken,
    ) -> Result<(Self, Studies), StoreError> {
        let (commands, receive) = mpsc::channel(COMMANDS);
        let (studies, active, drivers) = (BTreeMap::new(), None, JoinSet::new());
        let mut this = Self { parts, commands: receive, studies, needed, active, drivers, shutdown };
        for file in this.parts.studies.load()? {
            match this.parts.studies.study(&file.study_id) {
                Ok(study) => {
                    this.studies.insert(file.study_id.clone(), Entry::new(StudyView::new(file, Arc::new(study))));
                }
                Err(error) => log::warn!("skipped study {}: {error}", file.study_id),
            }
        }
        this.publish_needed();
        Ok((this, Studies { commands }))
    }

    /// Takes commands and carries out studies until the daemon shuts down. A study that is under way then stays so, for the next start.
    pub async fn run(mut self) {
        let shutdown = self.shutdown.clone();
        loop {
            self.start_next();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(ended) = self.drivers.join_next() => self.ended(ended).await,
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command).await,
                    None => break,
                },
            }
        }
        // Their clients are told that the daemon is shutting down.
        self.commands.close();
        while let Some(ended) = self.drivers.join_next().await {
            self.ended(ended).await;
        }
    }

    async fn take(&mut self, command: Command) {
        // The caller may have gone meanwhile.
        let _answered = match command {
            Command::Submit(submission, reply) => reply.send(self.submit(*submission).await).is_ok(),
            Command::Watch(study, reply) => reply.send(self.find(&study).map(|entry| entry.view.subscribe())).is_ok(),
            Command::List { before, limit, reply } => reply.send(Ok(self.list(before.as_ref(), limit))).is_ok(),
            Command::Cancel(study, scope, reply) => reply.send(self.cancel(&study, &scope).await).is_ok(),
            Command::Delete(study, reply) => reply.send(self.delete(study).await).is_ok(),
            Command::Proceed(study, scope, proceed, reply) => reply.send(self.proceed(study, &scope, proceed)).is_ok(),
            Command::Uploads(reply) => reply.send(Ok(self.needed.borrow().uploads.clone())).is_ok(),
        };
    }

    /// Carries out the next study, when none is under way.
    fn start_next(&mut self) {
        if self.active.is_some() || self.shutdown.is_cancelled() {
            return;
        }
        let next = self.studies.iter_mut().find(|(_, entry)| !entry.state().is_terminal() && entry.proceeds.is_some());
        let Some((id, entry)) = next else { return };
        let Some(proceeds) = entry.proceeds.take() else { return };
        let orders = Orders { cancel: entry.cancel.clone(), shutdown: self.shutdown.clone(), proceeds };
        let driver = Driver::new(self.parts.clone(), entry.view.clone(), self.needed.clone(), orders);
        self.active = Some(id.clone());
        self.drivers.spawn(driver.drive());
    }

    async fn ended(&mut self, ended: Result<(), JoinError>) {
        let Some(id) = self.active.take() else { return };
        if let Err(error) = ended {
            let reason = format!("the study's task panicked: {error}");
            if let Some(entry) = self.studies.get(&id) {
                log::error!("study {id}: {reason}");
                let file =
                    StudyFile { state: StudyState::Failed, reason, ..StudyFile::clone(&entry.view.borrow().file) };
                self.save(file).await.unwrap_or_else(|error| log::error!("study {id}: {error}"));
            }
        }
        self.publish_needed();
    }

    fn find(&self, study: &StudySelector) -> Result<&Entry, StudiesError> {
        match study {
            StudySelector::Latest => Ok(self.studies.last_key_value().ok_or(StudiesError::Empty)?.1),
            StudySelector::Id(id) => self.studies.get(id).ok_or_else(|| StudiesError::NotFound(id.clone())),
        }
    }

    async fn submit(&mut self, submission: StudySubmission) -> Result<Arc<StudyView>, StudiesError> {
        let waiting = self.studies.values().filter(|entry| !entry.state().is_terminal()).count();
        if waiting > MOST_QUEUED {
            return Err(StudiesError::QueueFull);
        }
        let StudySubmission { study, owner, reuse, client } = submission;
        // Whoever submits it has checked it.
        let Ok(plan) = study.checked.clone() else { return Err(StudiesError::Empty) };
        let now = self.parts.clock.unix();
        let newest = self.studies.last_key_value().map(|(id, _)| id.unix_ms());
        let millis = newest.map_or(now.0.div_euclid(1000), |newest| now.0.div_euclid(1000).max(newest + 1));
        let id = StudyId::new(millis, rand::rng().random());
        let file = StudyFile { reuse, client, ..StudyFile::new(id.clone(), &plan, now, &owner) };
        let (store, created, study) = (self.parts.studies.clone(), file.clone(), Arc::new(study));
        let kept = Arc::clone(&study);
        blocking(move || store.create(&created, &kept)).await?;
        log::info!("study {id} queued: {} ({} runs)", file.name, file.runs.len());
        let entry = Entry::new(StudyView::new(file, study));
        let view = entry.view.borrow().clone();
        self.studies.insert(id, entry);
        self.publish_needed();
        Ok(view)
    }

    fn list(&self, before: Option<&StudyId>, limit: usize) -> StudyPage {
        let mut found = self
            .studies
            .iter()
            .rev()
            .filter(|(id, _)| before.is_none_or(|before| *id < before))
            .map(|(_, entry)| entry);
        let studies = found.by_ref().take(limit).map(|entry| entry.view.borrow().clone()).collect();
        StudyPage { studies, more: found.next().is_some() }
    }

    async fn cancel(&self, study: &StudySelector, scope: &Scope) -> Result<Arc<StudyView>, StudiesError> {
        let entry = self.find(study)?;
        check(scope, &entry.view.borrow().file)?;
        entry.cancel.cancel();
        let file = StudyFile::clone(&entry.view.borrow().file);
        if file.state == StudyState::Queued && self.active.as_ref() != Some(&file.study_id) {
            let finished_unix_us = Some(self.parts.clock.unix().0);
            self.save(StudyFile { state: StudyState::Cancelled, finished_unix_us, ..file }).await?;
            self.publish_needed();
        }
        Ok(entry.view.borrow().clone())
    }

    /// Saves the state of a study that has no driver.
    async fn save(&self, file: StudyFile) -> Result<(), StudiesError> {
        let (store, saved) = (self.parts.studies.clone(), file.clone());
        blocking(move || store.save(&saved)).await?;
        if let Some(entry) = self.studies.get(&file.study_id) {
            entry.view.send_modify(|view| Arc::make_mut(view).file = Arc::new(file));
        }
        Ok(())
    }

    async fn delete(&mut self, study: StudyId) -> Result<(), StudiesError> {
        let entry = self.find(&StudySelector::Id(study.clone()))?;
        if !entry.state().is_terminal() || self.active.as_ref() == Some(&study) {
            return Err(StudiesError::NotEnded(study));
        }
        let (store, removed) = (self.parts.studies.clone(), study.clone());
        blocking(move || store.remove(&removed)).await?;
        self.studies.remove(&study);
        Ok(())
    }

    fn proceed(&self, study: StudyId, scope: &Scope, proceed: Proceed) -> Result<(), StudiesError> {
        let entry = self.find(&StudySelector::Id(study.clone()))?;
        let view = entry.view.borrow().clone();
        check(scope, &view.file)?;
        if view.stage.client != Some((proceed.stage, proceed.run.clone())) {
            return Err(StudiesError::NotAwaited(study));
        }
        // A word that was sent twice is one.
        let _full = entry.proceed.try_send(proceed);
        Ok(())
    }

    /// Publishes what retention leaves alone.
    fn publish_needed(&self) {
        let (mut runs, mut uploads) = (HashSet::new(), HashSet::new());
        for entry in self.studies.values().filter(|entry| !entry.state().is_terminal()) {
            let view = entry.view.borrow();
            runs.extend(view.file.run_ids().cloned());
            uploads.extend(view.study.uploads.iter().cloned());
        }
        self.needed.send_replace(NeededByStudies { runs, uploads });
    }
}

/// Checks that a study is within a scope.
fn check(scope: &Scope, file: &StudyFile) -> Result<(), StudiesError> {
    match scope {
        Scope::Own(caller) if file.owner != *caller => {
            Err(StudiesError::NotOwner { study: file.study_id.clone(), owner: file.owner.clone() })
        }
        Scope::All | Scope::Own(_) => Ok(()),
    }
}

/// Does something with files away from the task's thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StudiesError> {
    // Fails only when the runtime ends.
    tokio::task::spawn_blocking(work).await.map_err(|_| StudiesError::ShuttingDown)?.map_err(StudiesError::Store)
}
