//! Runs without a task: those of an earlier process, and one whose task broke.

use std::sync::Arc;

use tokio::task::JoinError;

use super::task::RegistryTask;
use crate::{
    id::RunId,
    run::{RunView, Stations, settings_backup},
    store::{RunDirectory, RunFile, State, Store},
};

impl RegistryTask {
    /// Makes a run of an earlier process known. One that was under way is cleaned and interrupted, which takes as long as its
    /// platform takes; until then it is shown as being cleaned. One that waited waits on; one that had ended is shown as it
    /// ended.
    pub(super) fn recover_run(&mut self, file: RunFile) {
        let id = file.run_id.clone();
        let spec = match self.store.directory(&id).spec() {
            Ok(spec) => Arc::new(spec),
            Err(error) => return log::warn!(RUN_ID = id.as_str(); "skipped the run: {error}"),
        };
        let mut shown = file.clone();
        let abandoned = self.abandoned();
        if file.state == State::Queued {
            self.queue.push(id);
        } else if file.state.is_terminal() {
            // Its clean-up may have ended without the cluster's settings.
            if settings_backup(&self.store.directory(&id)).exists() {
                self.recovering.spawn(async move {
                    abandoned.put_settings_back(&file).await;
                    file
                });
            }
        } else {
            let orphaned = Orphaned::DaemonEnded(file.state);
            shown.state = State::Cleaning;
            shown.reason = orphaned.to_string();
            self.recovering.spawn(abandoned.take_down(file, orphaned));
        }
        self.insert(Arc::new(RunView { file: shown, spec, progress: None, summary: None }));
    }

    /// A run of an earlier process has been cleaned.
    pub(super) fn recovered_run(&mut self, recovered: Result<RunFile, JoinError>) {
        match recovered {
            Ok(file) => {
                if let Some(entry) = self.runs.get(&file.run_id) {
                    // Whoever pinned it meanwhile was heard.
                    entry.view.send_modify(|view| {
                        let file = RunFile { pinned: view.file.pinned, ..file };
                        Arc::make_mut(view).file = file;
                    });
                }
            }
            Err(broken) => log::error!("a run of an earlier process could not be cleaned: {broken}"),
        }
        self.recovered.send_replace(self.recovering.is_empty());
    }

    /// Ends a run whose task broke, and takes away what it made.
    pub(super) async fn end_broken(&self, id: &RunId, broken: JoinError) {
        self.telemetry().metrics.idle();
        let Some(entry) = self.runs.get(id) else { return };
        let file = entry.view.borrow().file.clone();
        if file.state.is_terminal() {
            return;
        }
        let orphaned = Orphaned::TaskBroke { state: file.state, error: broken };
        let file = self.abandoned().take_down(file, orphaned).await;
        entry.view.send_modify(|view| Arc::make_mut(view).file = file);
    }

    fn abandoned(&self) -> Abandoned {
        Abandoned { stations: Arc::clone(&self.stations), store: self.store.clone() }
    }
}

/// Why no task drives a run any more.
#[derive(Debug, thiserror::Error)]
enum Orphaned {
    /// The process that drove it is gone.
    #[error("the daemon ended while the run was {}", .0.as_str())]
    DaemonEnded(State),
    /// Its task panicked.
    #[error("the run's task broke while it was {}: {error}", state.as_str())]
    TaskBroke {
        /// Where the run stood.
        state: State,
        /// The panic.
        error: JoinError,
    },
}

impl Orphaned {
    /// How the run ends.
    fn state(&self) -> State {
        match self {
            Self::DaemonEnded(_) => State::Interrupted,
            Self::TaskBroke { .. } => State::Failed,
        }
    }
}

/// What it takes to end a run that no task drives any more.
struct Abandoned {
    stations: Arc<Stations>,
    store: Store,
}

impl Abandoned {
    /// Puts back what a run's warm-up changed of the cluster, if it could not do so itself.
    async fn put_settings_back(&self, file: &RunFile) {
        let backup = settings_backup(&self.store.directory(&file.run_id));
        let Some(platform) = self.stations.platforms.get(file.platform.as_str()).filter(|_| backup.exists()) else {
            return;
        };
        let Some(warm_up) = platform.warm_up() else { return };
        if let Err(error) = warm_up.restore_settings(&file.run_id, &backup).await {
            let backup = backup.path().display();
            log::error!(RUN_ID = file.run_id.as_str(); "the autoscaler's settings are not put back, see {backup}: {error}");
        }
    }

    /// Takes away what a run made, and says how it ended.
    async fn take_down(self, mut file: RunFile, orphaned: Orphaned) -> RunFile {
        let state = orphaned.state();
        let (id, directory) = (file.run_id.clone(), self.store.directory(&file.run_id));
        let id = id.as_str();
        file.reason = orphaned.to_string();
        self.put_settings_back(&file).await;
        if let Some(platform) = self.stations.platforms.get(file.platform.as_str())
            && let Err(error) = platform.clean(&file.run_id).await
        {
            log::error!(RUN_ID = id; "what the run left could not be cleaned: {error}");
            file.reason = format!("{}; cleaning up: {error}", file.reason);
        }
        if let Some(words) = self.seal(&file.run_id, &directory, state).await {
            file.reason = format!("{}; {words}", file.reason);
        }
        file.state = state;
        file.finished_unix_us = Some(self.stations.telemetry.clock.unix().0);
        log::warn!(RUN_ID = id; "{}: {}", state.as_str(), file.reason);
        self.stations.telemetry.metrics.run_ended(state.as_str());
        if let Err(error) = directory.save(&file) {
            log::error!(RUN_ID = id; "the run's state is not on disk: {error}");
        }
        file
    }

    /// Writes the manifest of what a run left; what there is to say about it.
    async fn seal(&self, id: &RunId, directory: &RunDirectory, state: State) -> Option<String> {
        let (id, directory, now) = (id.clone(), directory.clone(), self.stations.telemetry.clock.unix());
        let sealed = tokio::task::spawn_blocking(move || directory.seal(&id, state, now)).await;
        match sealed {
            Ok(Ok(manifest)) => {
                let cut_off = manifest.files.iter().filter(|file| file.cut_off_bytes > 0);
                let files: Vec<_> = cut_off.map(|file| file.name.as_str()).collect();
                (!files.is_empty()).then(|| format!("the last row was cut off in {}", files.join(", ")))
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(broken) => Some(format!("the manifest broke: {broken}")),
        }
    }
}
