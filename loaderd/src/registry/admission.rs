//! Taking runs in: ids, idempotency keys, the queue.

use std::{collections::VecDeque, sync::Arc};

use rand::RngExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Entry, MAX_QUEUED, RegistryError, RegistryTask, Submission, Submitted};
use crate::{clock::UnixMicros, id::RunId, run::RunView, store::RunFile, units};

/// Runs that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<RunId>);

impl Queue {
    pub(super) fn push(&mut self, run: RunId) {
        self.0.push_back(run);
    }

    pub(super) fn next(&mut self) -> Option<RunId> {
        self.0.pop_front()
    }

    /// Takes a run out; whether it was in.
    pub(super) fn remove(&mut self, run: &RunId) -> bool {
        let before = self.0.len();
        self.0.retain(|other| other != run);
        self.0.len() < before
    }

    /// How many runs go before this one, counting it: 1 for the first, 0 for one that does not wait.
    pub(super) fn position(&self, run: &RunId) -> u32 {
        let place = self.0.iter().position(|other| other == run).map_or(0, |index| index + 1);
        units::to_u32(place)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl RegistryTask {
    pub(super) fn submit(&mut self, submission: Submission) -> Result<Submitted, RegistryError> {
        if let Some(existing) = self.submitted_before(&submission)? {
            return Ok(existing);
        }
        if self.ends.shutdown.is_cancelled() {
            return Err(RegistryError::ShuttingDown);
        }
        if self.queue.len() >= MAX_QUEUED {
            return Err(RegistryError::QueueFull);
        }
        let Submission { spec, name, mode, platform, idempotency_key } = submission;
        let submitted = self.telemetry().clock.unix();
        let id = self.next_id(submitted);
        let file = RunFile::new(id.clone(), (&name, mode, &platform), submitted, &idempotency_key);
        self.store.create(&file, &spec)?;
        log::info!(RUN_ID = id.as_str(); "queued: {name} ({mode} on {platform})");
        let view = Arc::new(RunView { file, spec: Arc::new(spec), progress: None, summary: None });
        self.insert(Arc::clone(&view));
        self.queue.push(id);
        self.show_queue();
        Ok(Submitted { view, existing: false })
    }

    /// Makes a run known.
    pub(super) fn insert(&mut self, view: Arc<RunView>) {
        let RunFile { run_id, idempotency_key, .. } = view.file.clone();
        if !idempotency_key.is_empty() {
            self.keys.insert(idempotency_key, run_id.clone());
        }
        self.runs.insert(run_id, Entry { view: watch::Sender::new(view), cancel: CancellationToken::new() });
    }

    /// The run that was submitted with the same key.
    fn submitted_before(&self, submission: &Submission) -> Result<Option<Submitted>, RegistryError> {
        let Some(entry) = self.keys.get(&submission.idempotency_key).and_then(|id| self.runs.get(id)) else {
            return Ok(None);
        };
        let view = entry.view.borrow().clone();
        if view.spec.message == submission.spec.message {
            Ok(Some(Submitted { view, existing: true }))
        } else {
            Err(RegistryError::KeyTaken(view.file.run_id.clone()))
        }
    }

    /// An id that sorts behind all others, even when the clock stood still or was set back.
    fn next_id(&self, now: UnixMicros) -> RunId {
        let now = now.0.div_euclid(1000);
        let millis = self.runs.last_key_value().map_or(now, |(last, _)| now.max(last.unix_ms() + 1));
        RunId::new(millis, rand::rng().random())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_keeps_its_order() {
        let ids: Vec<_> = (0..3).map(|millis| RunId::new(millis, 0)).collect();
        let mut queue = Queue::default();
        ids.iter().for_each(|id| queue.push(id.clone()));
        assert_eq!(ids.iter().map(|id| queue.position(id)).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(queue.remove(&ids[1]) && !queue.remove(&ids[1]));
        assert_eq!(queue.position(&ids[1]), 0);
        assert_eq!([queue.next(), queue.next(), queue.next()], [Some(ids[0].clone()), Some(ids[2].clone()), None]);
    }
}
