//! Runs without a task: those of an earlier process, and one whose task panicked.

use std::sync::Arc;

use tokio::task::JoinError;

use super::{entry::Entry, task::RegistryTask};
use crate::{
    id::RunId,
    run::{RunView, Stations, disturbances_backup, settings_backup},
    store::{RunDirectory, RunFile, State, Store},
};

impl RegistryTask {
    /// Adds a run of an earlier process. One that was under way is cleaned up and interrupted, which takes as long as its platform
    /// takes; until then its state is `Cleaning`. A queued one stays queued; one that had ended stays as it is.
    pub(super) fn recover_run(&mut self, file: RunFile) {
        let id = file.run_id.clone();
        let spec = match self.store.directory(&id).spec() {
            Ok(spec) => Arc::new(spec),
            Err(error) => return log::warn!(RUN_ID = id.as_str(); "skipped the run: {error}"),
        };
        let mut shown = file.clone();
        let cleanup = self.cleanup();
        if file.state == State::Queued {
            self.queue.push(id);
        } else if file.state.is_terminal() {
            // Its clean-up may have failed to restore the cluster's settings.
            let directory = self.store.directory(&id);
            if settings_backup(&directory).exists() || disturbances_backup(&directory).exists() {
                self.recovering.spawn(async move {
                    cleanup.restore_settings(&file).await;
                    cleanup.undo_disturbances(&file).await;
                    file
                });
            }
        } else {
            let orphaned = Orphaned::DaemonEnded(file.state);
            shown.state = State::Cleaning;
            shown.reason = orphaned.to_string();
            self.recovering.spawn(cleanup.end(file, orphaned));
        }
        self.insert(Entry::new(Arc::new(RunView {
            file: shown,
            spec,
            progress: None,
            events: Vec::new(),
            summary: None,
        })));
    }

    /// A run of an earlier process has been cleaned up.
    pub(super) fn recovered_run(&mut self, recovered: Result<RunFile, JoinError>) {
        match recovered {
            Ok(file) => {
                if let Some(entry) = self.runs.get(&file.run_id) {
                    // It may have been pinned meanwhile.
                    entry.view.send_modify(|view| {
                        let file = RunFile { pinned: view.file.pinned, ..file };
                        Arc::make_mut(view).file = file;
                    });
                }
            }
            Err(error) => log::error!("cannot clean up a run of an earlier process: {error}"),
        }
        self.recovered.send_replace(self.recovering.is_empty());
    }

    /// Ends a run whose task panicked, and cleans up what it deployed.
    pub(super) async fn end_panicked(&self, id: &RunId, error: JoinError) {
        self.telemetry().metrics.idle();
        let Some(entry) = self.runs.get(id) else { return };
        let file = entry.view.borrow().file.clone();
        if file.state.is_terminal() {
            return;
        }
        let orphaned = Orphaned::TaskPanicked { state: file.state, error };
        let file = self.cleanup().end(file, orphaned).await;
        entry.view.send_modify(|view| Arc::make_mut(view).file = file);
    }

    fn cleanup(&self) -> OrphanCleanup {
        OrphanCleanup { stations: Arc::clone(&self.stations), store: self.store.clone() }
    }
}

/// Why a run has no task any more.
#[derive(Debug, thiserror::Error)]
enum Orphaned {
    /// The process of its task has ended.
    #[error("the daemon ended while the run was {}", .0.as_str())]
    DaemonEnded(State),
    /// Its task panicked.
    #[error("the run's task panicked while the run was {}: {error}", state.as_str())]
    TaskPanicked {
        /// The run's state then.
        state: State,
        error: JoinError,
    },
}

impl Orphaned {
    /// How the run ends.
    fn state(&self) -> State {
        match self {
            Self::DaemonEnded(_) => State::Interrupted,
            Self::TaskPanicked { .. } => State::Failed,
        }
    }
}

/// Ends a run that has no task any more.
struct OrphanCleanup {
    stations: Arc<Stations>,
    store: Store,
}

impl OrphanCleanup {
    /// Restores the settings of the cluster that a run's warm-up changed, if the run could not do so itself.
    async fn restore_settings(&self, file: &RunFile) {
        let backup = settings_backup(&self.store.directory(&file.run_id));
        let Some(platform) = self.stations.platforms.get(file.platform.as_str()).filter(|_| backup.exists()) else {
            return;
        };
        let Some(warm_up) = platform.warm_up() else { return };
        if let Err(error) = warm_up.restore_settings(&file.run_id, &backup).await {
            let backup = backup.path().display();
            log::error!(RUN_ID = file.run_id.as_str(); "cannot restore the autoscaler's settings, see {backup}: {error}");
        }
    }

    /// Undoes what a run's disturbances changed, if the run could not do so itself.
    async fn undo_disturbances(&self, file: &RunFile) {
        let backup = disturbances_backup(&self.store.directory(&file.run_id));
        let Some(platform) = self.stations.platforms.get(file.platform.as_str()) else { return };
        let Some(disturb) = platform.disturb() else { return };
        if let Err(error) = disturb.restore(&file.run_id, &backup).await {
            let backup = backup.path().display();
            log::error!(RUN_ID = file.run_id.as_str(); "cannot undo the disturbances, see {backup}: {error}");
        }
    }

    /// Cleans up what a run deployed, and saves how it ended.
    async fn end(self, mut file: RunFile, orphaned: Orphaned) -> RunFile {
        let state = orphaned.state();
        let (id, directory) = (file.run_id.clone(), self.store.directory(&file.run_id));
        let id = id.as_str();
        file.reason = orphaned.to_string();
        self.restore_settings(&file).await;
        self.undo_disturbances(&file).await;
        if let Some(platform) = self.stations.platforms.get(file.platform.as_str())
            && let Err(error) = platform.clean(&file.run_id).await
        {
            log::error!(RUN_ID = id; "cannot clean up the run: {error}");
            file.reason = format!("{}; cannot clean up: {error}", file.reason);
        }
        if let Some(remark) = self.seal(&file.run_id, &directory, state).await {
            file.reason = format!("{}; {remark}", file.reason);
        }
        file.state = state;
        file.finished_unix_us = Some(self.stations.telemetry.clock.unix().0);
        log::warn!(RUN_ID = id; "{}: {}", state.as_str(), file.reason);
        self.stations.telemetry.metrics.run_ended(state.as_str());
        if let Err(error) = directory.save(&file) {
            log::error!(RUN_ID = id; "cannot save the run's state: {error}");
        }
        file
    }

    /// Writes the manifest of a run's files; returns a remark for the run's reason, if there is one.
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
            Err(error) => Some(format!("panic while writing the manifest: {error}")),
        }
    }
}
