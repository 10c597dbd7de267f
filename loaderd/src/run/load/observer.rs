//! Who follows a load.

use crate::{plan::Phase, run::RunProgress};

/// Where the load's stages and figures are shown.
pub(in crate::run) trait Show {
    /// The first invocation is about to be due; of a warm-up, or of what is measured.
    fn began(&mut self, phase: Phase);
    /// What is measured has begun, after a warm-up.
    fn measuring(&mut self);
    /// The last invocation was handed out.
    fn paced(&mut self);
    /// New figures.
    fn progress(&mut self, progress: RunProgress);
}
