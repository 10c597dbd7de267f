//! Taking runs in: ids, idempotency keys, the queue.

use std::sync::Arc;

use rand::RngExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    handle::{RegistryError, Submission, Submitted},
    queue::MAX_QUEUED,
    task::{Entry, RegistryTask},
};
use crate::{clock::UnixMicros, id::RunId, run::RunView, store::RunFile};

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
        self.export_queue_length();
        Ok(Submitted { view, existing: false })
    }

    /// Adds a run to the registry.
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

    /// An id that sorts behind all others, even when the clock stands still or was set back.
    fn next_id(&self, now: UnixMicros) -> RunId {
        let now = now.0.div_euclid(1000);
        let millis = self.runs.last_key_value().map_or(now, |(last, _)| now.max(last.unix_ms() + 1));
        RunId::new(millis, rand::rng().random())
    }
}
