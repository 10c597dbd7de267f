//! Removes runs and uploads that are to be kept no longer.

use std::{collections::HashSet, fs, path::Path, time::Duration};

use super::task::RegistryTask;
use crate::{
    clock::{Anchor, UnixMicros},
    id::RunId,
    store::{EndedRun, Retention, RunDirectory},
    units,
};

/// How often it is looked.
pub(super) const PERIOD: Duration = Duration::from_hours(1);

/// A step of the wall clock that makes ages doubtful.
const LEAP: Duration = Duration::from_mins(10);

impl RegistryTask {
    /// Begins to look, unless nothing is ever removed.
    pub(super) fn sweep(&mut self) {
        let now = self.telemetry().clock.anchor();
        let leapt = std::mem::replace(&mut self.swept, now).leapt(now);
        if leapt {
            log::warn!("the clock was set: nothing is removed by age for an hour");
        } else {
            self.expire_traces();
        }
        let retention = *self.keeping.retention.borrow();
        if !retention.is_bounded() {
            return;
        }
        let max_age = retention.max_age.filter(|_| !leapt);
        let retention = Retention { max_age, ..retention };
        let ended: Vec<(RunDirectory, RunId, UnixMicros)> = self
            .runs
            .iter()
            .filter_map(|(id, entry)| {
                let file = &entry.view.borrow().file;
                let removable = file.state.is_terminal() && !file.pinned;
                let finished = UnixMicros(file.finished_unix_us.unwrap_or(file.submitted_unix_us));
                removable.then(|| (self.store.directory(id), id.clone(), finished))
            })
            .collect();
        self.sweeps.spawn_blocking(move || {
            let measured = ended.into_iter().map(|(directory, run, finished)| EndedRun {
                run,
                finished,
                bytes: size(directory.path()),
            });
            retention.doomed(&measured.collect::<Vec<_>>(), now.unix)
        });
    }

    /// Removes what was found to be kept no longer, unless it was pinned meanwhile.
    pub(super) fn remove_all(&mut self, doomed: &[RunId]) {
        for run in doomed {
            match self.delete(run) {
                Ok(()) => log::info!(RUN_ID = run.as_str(); "removed: [retention] keeps it no longer"),
                Err(error) => log::warn!(RUN_ID = run.as_str(); "not removed, though [retention] says so: {error}"),
            }
        }
    }

    fn expire_traces(&self) {
        let active = self.runs.values().map(|entry| entry.view.borrow().clone());
        let in_use: HashSet<String> =
            active.filter(|view| !view.file.state.is_terminal()).filter_map(|view| view.spec.upload.clone()).collect();
        self.keeping.traces.expire(&in_use, self.telemetry().clock.unix());
    }
}

/// Bytes of the files in a directory; what can't be read counts for nothing.
fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|metadata| metadata.len()).sum()
}

impl Anchor {
    /// Whether the wall clock was set between the two.
    fn leapt(self, later: Self) -> bool {
        self.unix_at(later.instant).0.abs_diff(later.unix.0) > units::micros(LEAP)
    }
}
