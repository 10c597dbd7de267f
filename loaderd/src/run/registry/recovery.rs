//! Runs without a task: those of an earlier process, and one whose task broke.

use std::sync::Arc;

use tokio::task::JoinError;

use super::RegistryTask;
use crate::{
    id::RunId,
    run::{RunDirectory, RunFile, RunView, State, warmup},
};

impl RegistryTask {
    /// Makes a run of an earlier process known. One that was under way is cleaned and interrupted; one that waited waits
    /// on; one that had ended is shown as it ended.
    pub(super) async fn recover_run(&mut self, mut file: RunFile) {
        let id = file.run_id.clone();
        let directory = self.store.directory(&id);
        let spec = match directory.spec() {
            Ok(spec) => spec,
            Err(error) => return log::warn!(RUN_ID = id.as_str(); "skipped the run: {error}"),
        };
        self.put_settings_back(&file, &directory).await;
        if file.state == State::Queued {
            self.queue.push(id.clone());
        } else if !file.state.is_terminal() {
            let reason = format!("the daemon ended while the run was {}", file.state.as_str());
            self.take_down(&mut file, &directory, State::Interrupted, reason).await;
        }
        self.insert(Arc::new(RunView { file, spec: Arc::new(spec), progress: None, summary: None }));
    }

    /// Puts back what a run's warm-up changed of the cluster, if it could not do so itself.
    async fn put_settings_back(&self, file: &RunFile, directory: &RunDirectory) {
        let ledger = warmup::ledger(directory.path());
        let Some(platform) = self.context.platforms.get(file.platform.as_str()).filter(|_| ledger.exists()) else {
            return;
        };
        if let Err(error) = platform.settle(&file.run_id, &ledger).await {
            let ledger = ledger.display();
            log::error!(RUN_ID = file.run_id.as_str(); "the autoscaler's settings are not put back, see {ledger}: {error}");
        }
    }

    /// Ends a run whose task broke, and takes away what it made.
    pub(super) async fn end_broken(&self, id: &RunId, broken: &JoinError) {
        self.context.metrics.idle();
        let Some(entry) = self.runs.get(id) else { return };
        let mut file = entry.view.borrow().file.clone();
        if file.state.is_terminal() {
            return;
        }
        let reason = format!("the run's task broke while it was {}: {broken}", file.state.as_str());
        self.take_down(&mut file, &self.store.directory(id), State::Failed, reason).await;
        entry.view.send_modify(|view| Arc::make_mut(view).file = file);
    }

    /// Takes away what a run made that no task drives any more, and says how it ended.
    async fn take_down(&self, file: &mut RunFile, directory: &RunDirectory, state: State, reason: String) {
        let id = file.run_id.as_str();
        file.reason = reason;
        self.put_settings_back(file, directory).await;
        if let Some(platform) = self.context.platforms.get(file.platform.as_str())
            && let Err(error) = platform.clean(&file.run_id).await
        {
            log::error!(RUN_ID = id; "what the run left could not be cleaned: {error}");
            file.reason = format!("{}; cleaning up: {error}", file.reason);
        }
        if let Some(words) = self.seal(&file.run_id, directory, state).await {
            file.reason = format!("{}; {words}", file.reason);
        }
        file.state = state;
        file.finished_unix_us = Some(self.context.clock.unix().0);
        log::warn!(RUN_ID = id; "{}: {}", state.as_str(), file.reason);
        self.context.metrics.run_ended(state.as_str());
        if let Err(error) = directory.save(file) {
            log::error!(RUN_ID = id; "the run's state is not on disk: {error}");
        }
    }

    /// Writes the manifest of what a run left; what there is to say about it.
    async fn seal(&self, id: &RunId, directory: &RunDirectory, state: State) -> Option<String> {
        let (id, directory, now) = (id.clone(), directory.clone(), self.context.clock.unix());
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
