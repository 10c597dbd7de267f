//! Notifications of a load's progress.

use crate::{plan::Phase, run::RunProgress};

/// Is notified of the load's stages and figures.
pub(in crate::run) trait LoadObserver {
    /// The first invocation is about to be due, in this phase.
    fn load_started(&mut self, phase: Phase);
    /// After a warm-up, the measured phase has begun.
    fn measurement_started(&mut self);
    /// The last invocation was handed out.
    fn load_dispatched(&mut self);
    /// New figures of the load.
    fn progress(&mut self, progress: RunProgress);
}
