//! Taking runs in: ids, idempotency keys, the queue.

use std::sync::Arc;

use rand::RngExt as _;

use super::{
    entry::Entry,
    handle::{RegistryError, Reply, Submission, Submitted},
    queue::MAX_QUEUED,
    task::{Key, RegistryTask},
};
use crate::{clock::UnixMicros, id::RunId, run::RunView, store::RunFile};

/// The idempotency key of a run, if it has one.
pub(super) fn key(file: &RunFile) -> Option<Key> {
    let RunFile { owner, idempotency_key, .. } = file;
    (!idempotency_key.is_empty()).then(|| (owner.clone(), idempotency_key.clone()))
}

/// What a submission comes to.
enum Admitted {
    /// A run that is to be created.
    New(Arc<RunView>),
    /// The run that was submitted with the same key.
    Before(Arc<RunView>),
}

impl RegistryTask {
    pub(super) fn submit(&mut self, submission: Submission, reply: Reply<Submitted>) {
        match self.admit(submission) {
            Ok(Admitted::New(view)) => self.create(view, reply),
            Ok(Admitted::Before(view)) => {
                // The caller may have gone meanwhile, here and below.
                let _answered = reply.send(Ok(Submitted { view, existing: true }));
            }
            Err(error) => {
                let _answered = reply.send(Err(error));
            }
        }
    }

    fn admit(&mut self, submission: Submission) -> Result<Admitted, RegistryError> {
        if let Some(existing) = self.submitted_before(&submission)? {
            return Ok(Admitted::Before(existing));
        }
        if self.ends.shutdown.is_cancelled() {
            return Err(RegistryError::ShuttingDown);
        }
        if self.queue.len() + self.writes.creating() >= MAX_QUEUED {
            return Err(RegistryError::QueueFull);
        }
        let Submission { spec, name, mode, platform, owner, idempotency_key, study } = submission;
        let submitted = self.telemetry().clock.unix();
        let (id, study) = match study {
            Some((reserved, place)) => (reserved, Some(place)),
            None => (self.next_id(submitted), None),
        };
        let file = RunFile::new(id.clone(), (&name, mode, &platform), submitted, &idempotency_key);
        let file = RunFile { owner: Some(owner), study, ..file };
        self.keys.extend(key(&file).map(|key| (key, id)));
        Ok(Admitted::New(Arc::new(RunView::new(file, Arc::new(spec)))))
    }

    /// Adds a run to the registry.
    pub(super) fn insert(&mut self, entry: Entry) {
        let file = entry.view.borrow().file.clone();
        self.keys.extend(key(&file).map(|key| (key, file.run_id.clone())));
        self.newest = self.newest.max(Some(file.run_id.unix_ms()));
        self.runs.insert(file.run_id, entry);
    }

    /// The run that has the submission's key.
    pub(super) fn keyed(&self, submission: &Submission) -> Option<&RunId> {
        let Submission { owner, idempotency_key: key, .. } = submission;
        let own = self.keys.get(&(Some(owner.clone()), key.clone()));
        own.or_else(|| self.keys.get(&(None, key.clone())))
    }

    /// The run that was submitted with the same key.
    fn submitted_before(&self, submission: &Submission) -> Result<Option<Arc<RunView>>, RegistryError> {
        let Some(entry) = self.keyed(submission).and_then(|id| self.runs.get(id)) else { return Ok(None) };
        let view = entry.view.borrow().clone();
        if view.spec.message == submission.spec.message {
            Ok(Some(view))
        } else {
            Err(RegistryError::KeyTaken(view.file.run_id.clone()))
        }
    }

    /// An id that sorts behind all others, even when the clock stands still or was set back.
    pub(super) fn next_id(&mut self, now: UnixMicros) -> RunId {
        let now = now.0.div_euclid(1000);
        let millis = self.newest.map_or(now, |newest| now.max(newest + 1));
        self.newest = Some(millis);
        RunId::new(millis, rand::rng().random())
    }
}
