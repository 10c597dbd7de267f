//! The parts of the daemon that studies use.

use super::HookSettings;
use crate::{
    clock::Clock,
    platform::Platforms,
    registry::Registry,
    store::{Store, StudyStore},
};

/// The parts of the daemon that studies use.
#[derive(Clone)]
pub struct StudyParts {
    /// The registry of all runs.
    pub registry: Registry,
    /// The directories of the runs.
    pub runs: Store,
    /// The directories of the studies.
    pub studies: StudyStore,
    /// Platforms by name, to see whether they are idle.
    pub platforms: Platforms,
    /// Where hooks are.
    pub hooks: HookSettings,
    /// For dates and pauses.
    pub clock: Clock,
    /// Most draws that an interval of a ratio in compare.csv is from.
    pub draws: usize,
}
