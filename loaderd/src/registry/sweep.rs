//! Applies retention: removes expired runs and uploads.

use std::{collections::HashSet, fs, path::Path, time::Duration};

use super::task::RegistryTask;
use crate::{
    clock::{Anchor, UnixMicros},
    id::RunId,
    store::{EndedRun, Retention, RunDirectory},
    units,
};

/// The interval between sweeps.
pub(super) const PERIOD: Duration = Duration::from_hours(1);

/// A step of the wall clock that makes ages unreliable.
const CLOCK_STEP: Duration = Duration::from_mins(10);

impl RegistryTask {
    /// Starts a search for expired runs, unless retention is unbounded.
    pub(super) fn sweep(&mut self) {
        let now = self.telemetry().clock.anchor();
        let was_set = std::mem::replace(&mut self.swept, now).was_set(now);
        if was_set {
            log::warn!("the clock was set: nothing is removed by age for an hour");
        } else {
            self.expire_traces();
        }
        let retention = *self.keeping.retention.borrow();
        if !retention.is_bounded() {
            return;
        }
        let max_age = retention.max_age.filter(|_| !was_set);
        let retention = Retention { max_age, ..retention };
        let needed = self.keeping.needed.borrow().clone();
        let ended: Vec<(RunDirectory, RunId, UnixMicros)> = self
            .runs
            .iter()
            .filter_map(|(id, entry)| {
                let file = &entry.view.borrow().file;
                let removable = file.state.is_terminal() && !file.pinned && !needed.runs.contains(id);
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
            retention.expired(&measured.collect::<Vec<_>>(), now.unix)
        });
    }

    /// Removes traces that no run has named for long, on a blocking thread.
    fn expire_traces(&mut self) {
        let active = self.runs.values().map(|entry| entry.view.borrow().clone());
        let mut in_use: HashSet<String> =
            active.filter(|view| !view.file.state.is_terminal()).filter_map(|view| view.spec.upload.clone()).collect();
        in_use.extend(self.keeping.needed.borrow().uploads.iter().cloned());
        let (traces, now) = (self.keeping.traces.clone(), self.telemetry().clock.unix());
        self.sweeps.spawn_blocking(move || {
            traces.expire(&in_use, now);
            // No run expires by this.
            Vec::new()
        });
    }
}

/// Bytes of the files in a directory; unreadable ones count as 0.
fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|metadata| metadata.len()).sum()
}

impl Anchor {
    /// Whether the wall clock was set between the two anchors.
    fn was_set(self, later: Self) -> bool {
        self.unix_at(later.instant).0.abs_diff(later.unix.0) > units::micros(CLOCK_STEP)
    }
}
