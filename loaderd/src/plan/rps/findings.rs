//! What mode rps finds: which rate the platform sustains, read off the climb.

use super::climb::Climb;
use crate::plan::{Collector, Findings, SlotOutcome};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RpsFindings {
    /// The greatest rate of a slot that was not overloaded, if there was one, in invocations per second.
    pub(super) sustained_rate: Option<f64>,
    /// Slots that were overloaded.
    pub(super) overloaded_slots: u32,
    /// Whether the run ended at overload.
    pub(super) ended_at_overload: bool,
}

/// Climbs along with the plan.
#[derive(Debug)]
pub(super) struct RpsCollector(pub(super) Climb);

impl Collector for RpsCollector {
    fn slot_closed(&mut self, outcome: &SlotOutcome) {
        self.0.take(outcome);
    }

    fn finish(self: Box<Self>) -> Option<Box<dyn Findings>> {
        let Self(climb) = *self;
        Some(Box::new(RpsFindings {
            sustained_rate: climb.sustained_rate(),
            overloaded_slots: climb.overloaded_slots(),
            ended_at_overload: climb.ended_at_overload(),
        }))
    }
}
