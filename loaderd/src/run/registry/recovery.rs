//! Taking up the runs of an earlier process.

use std::sync::Arc;

use super::RegistryTask;
use crate::run::{RunDirectory, RunFile, RunView, State};

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
        if file.state == State::Queued {
            self.queue.push(id.clone());
        } else if !file.state.is_terminal() {
            self.interrupt(&mut file, &directory).await;
        }
        self.insert(Arc::new(RunView { file, spec: Arc::new(spec), progress: None, summary: None }));
    }

    async fn interrupt(&self, file: &mut RunFile, directory: &RunDirectory) {
        let id = file.run_id.as_str();
        file.reason = format!("the daemon ended while the run was {}", file.state.as_str());
        if let Some(platform) = self.context.platforms.get(file.platform.as_str())
            && let Err(error) = platform.clean(&file.run_id).await
        {
            log::error!(RUN_ID = id; "what the run left could not be cleaned: {error}");
            file.reason = format!("{}; cleaning up: {error}", file.reason);
        }
        file.state = State::Interrupted;
        file.finished_unix_us = Some(self.context.clock.unix().0);
        log::warn!(RUN_ID = id; "interrupted: {}", file.reason);
        if let Err(error) = directory.save(file) {
            log::error!(RUN_ID = id; "the run's state is not on disk: {error}");
        }
    }
}
