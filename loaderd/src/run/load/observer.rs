//! Who follows a load.

use crate::{plan::Phase, run::RunProgress};

/// Where the load's stages and figures are shown.
pub(in crate::run) trait LoadObserver {
    /// The first invocation is about to be due; of a warm-up, or of what is measured.
    fn load_started(&mut self, phase: Phase);
    /// What is measured has begun, after a warm-up.
    fn measurement_started(&mut self);
    /// The last invocation was handed out.
    fn load_dispatched(&mut self);
    /// New figures.
    fn progress(&mut self, progress: RunProgress);
}
