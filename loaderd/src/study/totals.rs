//! What the runs of a study come to.

use std::time::Duration;

use super::StudyPlan;
use crate::{plan::Outline, units};

/// Bytes of a row of invocations.csv: those of a burst on platform local had 179 on average.
const ROW_BYTES: u64 = 180;

/// What the runs of a study come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StudyTotals {
    /// Length of the load of all runs, with the pauses between them; of runs without an end, of their beginning.
    pub load: Duration,
    /// Invocations of all runs; of runs without an end, of their beginning.
    pub invocations: u64,
    /// Whether some runs end by what they find.
    pub open_ended: bool,
    /// Whether the load of some runs waits between slots, which `load` does not have.
    pub waits: bool,
}

impl StudyTotals {
    /// Those of a study before any run is added: the pauses.
    pub fn without_runs(study: &StudyPlan) -> Self {
        let pauses = units::to_u32(study.runs.len().saturating_sub(1));
        Self { load: study.settings.pause.saturating_mul(pauses), ..Self::default() }
    }

    /// Adds `times` runs of a plan.
    pub fn add(&mut self, outline: &Outline, times: u32) {
        self.load = self.load.saturating_add(outline.duration().saturating_mul(times));
        self.invocations = self.invocations.saturating_add(outline.invocations().saturating_mul(times.into()));
        self.open_ended |= outline.open_ended;
        self.waits |= outline.waits;
    }

    /// About how many bytes the records of the invocations take.
    pub fn bytes(&self) -> u64 {
        self.invocations.saturating_mul(ROW_BYTES)
    }
}
