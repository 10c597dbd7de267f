//! The disturbances of a run: checked with its plan, carried out while its load goes, undone when the load is over, and what they
//! did to invocations.
//!
//! ```text
//! check ─▶ schedule: sleep until due ─▶ begin ─▶ sleep, or the end of the load ─▶ end
//!               (one task, all of them at once)     │                               │
//!                                                   └───▶ events.csv, view ◀────────┘ ─▶ effects ─▶ summary
//! ```
//! Whatever way the run ends, the driver restores what the task could not undo, and the daemon's next start what the driver could not.

mod check;
mod effects;
mod schedule;

pub(super) use check::check;
pub(super) use effects::findings;
pub(super) use schedule::{Disturbing, Schedule};

use crate::{platform::SettingsBackup, store::RunDirectory};

/// The backup of what a run's disturbances change.
pub(crate) fn disturbances_backup(directory: &RunDirectory) -> SettingsBackup {
    SettingsBackup::at(directory.disturbances_backup())
}
