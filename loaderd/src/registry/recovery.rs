//! Runs without a task: those of an earlier process, and one whose task panicked.

use std::sync::Arc;

use tokio::{sync::watch, task::JoinError};

use super::{entry::Entry, task::RegistryTask};
use crate::{
    id::RunId,
    run::{CleanUp, CleanedUp, Failure, RunView, Stations, Step, Stops},
    store::{RunDirectory, RunFile, State, Store, SubmittedSpec},
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
        let is_disturbed = !file.state.is_terminal() && is_disturbed(&spec);
        let reverting = Step::reverting(&self.store.directory(&id), is_disturbed);
        let has_workers = spec.checked.as_ref().is_ok_and(|asked| asked.run.workers.is_some());
        let workers = has_workers.then_some(Step::EndWorkers);
        let keeps = spec.checked.as_ref().is_ok_and(|asked| asked.run.deploy.keep);
        let entry = Entry::new(Arc::new(RunView::new(file.clone(), spec)));
        match (file.state, file.ends_as) {
            (State::Queued, _) => self.queue.push(id),
            // Its clean-up may have failed to undo what it changed of the cluster.
            (state, _) if state.is_terminal() => {
                if !reverting.is_empty() {
                    self.clean_up(&entry, Orphan { steps: reverting, file, end: None });
                }
            }
            (_, ends_as) => {
                let removal = if ends_as.is_some() && keeps { Step::Release } else { Step::Remove };
                let end = ends_as.map_or_else(
                    || OrphanEnd::new(&Orphaned::DaemonEnded(file.state)),
                    |state| OrphanEnd { state, reason: file.reason.clone() },
                );
                let steps = workers.into_iter().chain(reverting).chain([removal]).collect();
                self.clean_up(&entry, Orphan { steps, file, end: Some(end) });
            }
        }
        self.insert(entry);
    }

    /// A run without a task has been cleaned up.
    pub(super) fn recovered_run(&mut self, recovered: Result<RunFile, JoinError>) {
        match recovered {
            Ok(file) => {
                if let Some(entry) = self.runs.get(&file.run_id) {
                    // It may have been pinned meanwhile.
                    entry.view.send_modify(|view| {
                        let file = RunFile { pinned: view.file.pinned, ..file };
                        let view = Arc::make_mut(view);
                        view.file = file;
                        view.waiting_for = String::new();
                    });
                }
            }
            Err(error) => log::error!("cannot clean up a run without a task: {error}"),
        }
    }

    /// Ends a run whose task panicked, and cleans up what it deployed.
    pub(super) fn end_panicked(&mut self, id: &RunId, error: &JoinError) {
        self.telemetry().metrics.idle();
        let Some(entry) = self.runs.remove(id) else { return };
        let file = entry.view.borrow().file.clone();
        if !file.state.is_terminal() {
            let end = OrphanEnd::new(&Orphaned::TaskPanicked { state: file.state, error });
            let is_disturbed = is_disturbed(&entry.view.borrow().spec);
            let reverting = Step::reverting(&self.store.directory(id), is_disturbed);
            let steps = reverting.into_iter().chain([Step::Remove]).collect();
            self.clean_up(&entry, Orphan { steps, file, end: Some(end) });
        }
        self.insert(entry);
    }

    /// Begins to clean up a run without a task.
    fn clean_up(&mut self, entry: &Entry, orphan: Orphan) {
        if let Some(end) = &orphan.end {
            entry.view.send_modify(|view| {
                let file = &mut Arc::make_mut(view).file;
                file.state = State::Cleaning;
                file.reason.clone_from(&end.reason);
            });
        }
        let cleanup = OrphanCleanup {
            stations: Arc::clone(&self.stations),
            store: self.store.clone(),
            view: entry.view.clone(),
            // When the daemon ends this task does, and the next start begins anew.
            stops: Stops { give_up: entry.give_up.clone(), ..Stops::default() },
        };
        let untried = Untried::count(&self.untried);
        self.recovering.spawn(cleanup.end(orphan, untried));
    }
}

/// Whether a run disturbs its platform.
fn is_disturbed(spec: &SubmittedSpec) -> bool {
    spec.checked.as_ref().is_ok_and(|asked| !asked.run.disturbances.is_empty())
}

/// Why a run has no task any more.
#[derive(Debug, thiserror::Error)]
enum Orphaned<'a> {
    /// The process of its task has ended.
    #[error("the daemon ended while the run was {}", .0.as_str())]
    DaemonEnded(State),
    /// Its task panicked.
    #[error("the run's task panicked while the run was {}: {error}", state.as_str())]
    TaskPanicked {
        /// The run's state then.
        state: State,
        error: &'a JoinError,
    },
}

/// How an orphaned run ends.
struct OrphanEnd {
    state: State,
    reason: String,
}

impl OrphanEnd {
    fn new(orphaned: &Orphaned<'_>) -> Self {
        let state = match orphaned {
            Orphaned::DaemonEnded(_) => State::Interrupted,
            Orphaned::TaskPanicked { .. } => State::Failed,
        };
        Self { state, reason: orphaned.to_string() }
    }
}

/// A run without a task.
struct Orphan {
    file: RunFile,
    /// What is to be cleaned up.
    steps: Vec<Step>,
    /// How it ends; absent when it had ended before.
    end: Option<OrphanEnd>,
}

/// Counts a clean-up as untried while it lives.
struct Untried(watch::Sender<usize>);

impl Untried {
    fn count(untried: &watch::Sender<usize>) -> Self {
        untried.send_modify(|untried| *untried += 1);
        Self(untried.clone())
    }
}

impl Drop for Untried {
    fn drop(&mut self) {
        self.0.send_modify(|untried| *untried -= 1);
    }
}

/// Ends a run that has no task any more.
struct OrphanCleanup {
    stations: Arc<Stations>,
    store: Store,
    view: watch::Sender<Arc<RunView>>,
    stops: Stops,
}

impl OrphanCleanup {
    /// Cleans up what a run left, and saves how it ended.
    async fn end(self, orphan: Orphan, untried: Untried) -> RunFile {
        let Orphan { file, steps, end } = orphan;
        let left = self.clean(&file, steps, untried).await;
        let Some(OrphanEnd { state, mut reason }) = end else { return file };
        let directory = self.store.directory(&file.run_id);
        for remark in left.into_iter().chain(self.seal(&file.run_id, &directory, state).await) {
            let separator = if reason.is_empty() { "" } else { "; " };
            reason = format!("{reason}{separator}{remark}");
        }
        let finished_unix_us = Some(self.stations.telemetry.clock.unix().0);
        let file = RunFile { state, reason, finished_unix_us, ends_as: None, ..file };
        let id = file.run_id.as_str();
        log::warn!(RUN_ID = id; "{}: {}", state.as_str(), file.reason);
        self.stations.telemetry.metrics.run_ended(state.as_str());
        if let Err(error) = directory.save(&file) {
            log::error!(RUN_ID = id; "cannot save the run's state: {error}");
        }
        file
    }

    /// Does the steps; returns what went wrong with those that were not done.
    async fn clean(&self, file: &RunFile, steps: Vec<Step>, untried: Untried) -> Vec<Failure> {
        let Some(platform) = self.stations.platforms.get(file.platform.as_str()) else { return Vec::new() };
        let clean_up = CleanUp {
            platform: &**platform,
            run: &file.run_id,
            clock: self.stations.telemetry.clock,
            stops: self.stops.clone(),
        };
        let mut untried = Some(untried);
        let waiting = |what| {
            untried = None;
            self.view.send_modify(|view| {
                let view = Arc::make_mut(view);
                view.waiting_for = what;
                view.file.state = State::Cleaning;
            });
        };
        let (ended, failures) = clean_up.carry_out(steps, waiting).await;
        for failure in &failures {
            log::error!(RUN_ID = file.run_id.as_str(); "{failure}");
        }
        if ended == CleanedUp::GivenUp { vec![Failure::given_up(&failures)] } else { failures }
    }

    /// Writes the manifest of a run's files; returns a remark for the run's reason, if there is one.
    async fn seal(&self, id: &RunId, directory: &RunDirectory, state: State) -> Option<Failure> {
        let (id, directory, now) = (id.clone(), directory.clone(), self.stations.telemetry.clock.unix());
        let sealed = tokio::task::spawn_blocking(move || directory.seal(&id, state, now)).await;
        match sealed {
            Ok(Ok(manifest)) => {
                let cut_off = manifest.files.iter().filter(|file| file.cut_off_bytes > 0);
                let files: Vec<_> = cut_off.map(|file| file.name.clone()).collect();
                (!files.is_empty()).then(|| Failure::CutOff(files))
            }
            Ok(Err(error)) => Some(error.into()),
            Err(error) => Some(Failure::SealingPanicked(error)),
        }
    }
}
