//! What the verdicts of runs that have ended come to: read once, on a thread of low priority.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use loader_report::page::{self, Outlook};
use tokio::{sync::Semaphore, time::timeout};

use super::background;
use crate::id::RunId;

/// Outlooks that are kept.
const KEPT: usize = 4096;

/// How long a page waits for outlooks.
const PATIENCE: Duration = Duration::from_secs(2);

/// Outlooks of runs that have ended, which do not change.
pub(super) struct Outlooks {
    known: Arc<Mutex<HashMap<RunId, Outlook>>>,
    /// One list at a time is read.
    reader: Arc<Semaphore>,
}

impl Default for Outlooks {
    fn default() -> Self {
        Self { known: Arc::default(), reader: Arc::new(Semaphore::new(1)) }
    }
}

impl Outlooks {
    /// Those of these runs, by their directories, as far as they are known after a while.
    pub(super) async fn of(&self, runs: Vec<(RunId, PathBuf)>) -> HashMap<RunId, Outlook> {
        // What is not read in time is read on, and known the next time.
        let _late = timeout(PATIENCE, self.read(&runs)).await;
        let known = lock(&self.known);
        runs.into_iter().filter_map(|(run, _)| Some((run.clone(), known.get(&run)?.clone()))).collect()
    }

    async fn read(&self, runs: &[(RunId, PathBuf)]) {
        let unknown = || {
            let known = lock(&self.known);
            runs.iter().filter(|(run, _)| !known.contains_key(run)).cloned().collect::<Vec<_>>()
        };
        if unknown().is_empty() {
            return;
        }
        let Ok(reader) = Arc::clone(&self.reader).acquire_owned().await else { return };
        let (missing, known) = (unknown(), Arc::clone(&self.known));
        let read = background::run(move || {
            for (run, directory) in missing {
                let outlook = page::outlook(&directory).unwrap_or_else(|error| Outlook {
                    class: "open",
                    title: "Cannot be read".to_owned(),
                    text: error.to_string(),
                });
                let mut known = lock(&known);
                if known.len() >= KEPT {
                    known.clear();
                }
                known.insert(run, outlook);
            }
            drop(reader);
        });
        if let Err(error) = read.await {
            log::warn!("verdicts of runs are not read: {error}");
        }
    }
}

fn lock(known: &Mutex<HashMap<RunId, Outlook>>) -> MutexGuard<'_, HashMap<RunId, Outlook>> {
    // Each change is whole.
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
