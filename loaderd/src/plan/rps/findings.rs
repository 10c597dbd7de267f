//! The findings of mode rps: which rate the platform sustains, read off the search.

use super::{
    search::{JudgedSlot, Search},
    tries::Tried,
};
use crate::plan::{Collector, Findings, SlotOutcome};

/// The findings of mode rps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RpsFindings {
    /// The greatest rate that was sustained.
    pub(super) sustained: Option<Tried>,
    /// The least rate above that which was not.
    pub(super) unsustained: Option<Tried>,
    /// Why the search ended without an answer.
    pub(super) unknown: Option<String>,
    /// Whether the run ended at overload.
    pub(super) ended_at_overload: bool,
    /// The slots that were carried out.
    pub(super) slots: Vec<JudgedSlot>,
}

/// Searches along with the plan.
#[derive(Debug)]
pub(super) struct RpsCollector(pub(super) Search);

impl Collector for RpsCollector {
    fn slot_closed(&mut self, outcome: &SlotOutcome) {
        self.0.take(outcome);
    }

    fn finish(self: Box<Self>) -> Option<Box<dyn Findings>> {
        let Self(search) = *self;
        Some(Box::new(RpsFindings {
            sustained: search.sustained(),
            unsustained: search.unsustained(),
            unknown: search.unknown(),
            ended_at_overload: search.ended_at_overload(),
            slots: search.slots().to_vec(),
        }))
    }
}
