//! Workers of runs as processes of this machine: for trying out, for tests, and for machines with processors to spare.
//!
//! ```text
//! start ─▶ directory of the run (token, CA, a spool for each) ─▶ processes, started by one thread ─▶ news
//! stop  ─▶ SIGTERM ─▶ (grace) SIGKILL ─▶ directory removed
//! ```
//!
//! As instances do they end with the daemon: each asks the kernel to end it with the thread that started it. The directory of a
//! run whose daemon was killed stays, and is removed when the run is cleaned. All workers share this machine's one node: placement
//! and resources are those of the daemon.

mod directory;
mod worker;

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    directory::Directory,
    worker::{Worker, node},
};
use super::process_thread::ProcessThread;
use crate::{
    id::RunId,
    platform::{CoordinatorListen, PlatformError, StartWorkers, WorkerNews, Workers},
};

/// How long a worker that is stopped may take before it is killed.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Starts workers as processes of a platform that has this machine only.
#[derive(Debug)]
pub struct WorkerProcesses {
    /// The platform's name in a spec.
    platform: &'static str,
    program: PathBuf,
    stop_grace: Duration,
    /// Started with the first workers.
    thread: OnceLock<ProcessThread>,
    runs: Mutex<Runs>,
}

#[derive(Debug, Default)]
struct Runs {
    by_id: HashMap<RunId, Started>,
    /// Whether no more are started.
    closed: bool,
}

/// The workers of a run.
#[derive(Debug, Clone)]
struct Started {
    stop: CancellationToken,
    workers: TaskTracker,
}

impl WorkerProcesses {
    /// Workers of `platform`, which run `program worker …`: the daemon's own program.
    pub fn new(platform: &'static str, program: PathBuf) -> Self {
        Self { platform, program, stop_grace: STOP_GRACE, thread: OnceLock::new(), runs: Mutex::default() }
    }

    /// Stops all workers, and refuses further ones.
    pub(in crate::platform) async fn shutdown(&self) {
        let runs: Vec<RunId> = {
            let mut runs = self.runs();
            runs.closed = true;
            runs.by_id.keys().cloned().collect()
        };
        for stopped in futures_util::future::join_all(runs.iter().map(|run| self.end(run))).await {
            if let Err(error) = stopped {
                log::warn!("{error}");
            }
        }
        if let Some(thread) = self.thread.get() {
            thread.end().await;
        }
    }

    /// Ends the workers of a run, and removes their files.
    async fn end(&self, run: &RunId) -> Result<(), PlatformError> {
        let started = self.runs().by_id.get(run).cloned();
        if let Some(Started { stop, workers }) = started {
            stop.cancel();
            workers.close();
            workers.wait().await;
        }
        let removed = Directory::remove(run);
        removed.map_err(|error| self.refused(format!("cannot remove the workers' files: {error}")))?;
        self.runs().by_id.remove(run);
        Ok(())
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, reason: String) -> PlatformError {
        PlatformError::Platform { platform: self.platform, reason }
    }

    fn thread(&self) -> io::Result<&ProcessThread> {
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        let started = ProcessThread::start("workers")?;
        // Should another run have started one meanwhile, this one ends, as it has nothing to do.
        Ok(self.thread.get_or_init(|| started))
    }

    /// Notes that the workers of a run are being started.
    fn begin(&self, run: &RunId) -> Result<Started, PlatformError> {
        let mut runs = self.runs();
        if runs.closed {
            return Err(self.refused("shutting down".to_owned()));
        }
        if runs.by_id.contains_key(run) {
            return Err(self.refused(format!("the workers of run {run} were started already")));
        }
        let started = Started { stop: CancellationToken::new(), workers: TaskTracker::new() };
        runs.by_id.insert(run.clone(), started.clone());
        Ok(started)
    }
}

impl Drop for WorkerProcesses {
    /// Without a shutdown the processes still end, but are not awaited.
    fn drop(&mut self) {
        self.runs().by_id.values().for_each(|started| started.stop.cancel());
    }
}

#[tonic::async_trait]
impl Workers for WorkerProcesses {
    fn refusal(&self) -> Option<String> {
        None
    }

    /// On loopback, where connections need no securing: the token keeps other users of the machine out.
    fn listen(&self) -> CoordinatorListen {
        CoordinatorListen { address: ([127, 0, 0, 1], 0).into(), tls: false, advertise: None }
    }

    async fn check(&self) -> Result<(), PlatformError> {
        Ok(())
    }

    async fn start(&self, request: StartWorkers, news: mpsc::Sender<WorkerNews>) -> Result<(), PlatformError> {
        let Started { stop, workers } = self.begin(&request.run)?;
        let unmade = |error: io::Error| self.refused(format!("cannot prepare the workers: {error}"));
        let directory = Directory::make(&request).map_err(unmade)?;
        let thread = self.thread().map_err(unmade)?;
        let node = node();
        let mut spawned = Vec::new();
        for index in 0..request.count {
            let (spawns, spawn) = oneshot::channel();
            let worker = Worker {
                run: request.run.clone(),
                index,
                node: node.clone(),
                news: news.clone(),
                stop: stop.clone(),
                stop_grace: self.stop_grace,
            };
            let command = worker.command(&self.program, &request.coordinator, &directory);
            thread.spawn(workers.track_future(worker.live(command, spawns)));
            spawned.push(spawn);
        }
        for spawn in spawned {
            let ended = || io::Error::other("the thread of local workers has ended");
            let spawned = spawn.await.unwrap_or_else(|_| Err(ended()));
            spawned.map_err(|error| self.refused(format!("cannot run {}: {error}", self.program.display())))?;
        }
        Ok(())
    }

    /// Processes have a few seconds to end by themselves, in any case.
    async fn stop(&self, run: &RunId, _hurry: &CancellationToken) -> Result<(), PlatformError> {
        self.end(run).await
    }
}

#[cfg(test)]
mod tests;
