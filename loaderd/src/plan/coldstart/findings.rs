//! The findings of mode coldstart: requested and missed cold starts.

use super::spec::ColdStartSpec;
use crate::{
    plan::{Collector, Findings, Mark, Observed, SlotHead, SlotOutcome, overload::OverloadCount},
    spec::Overload,
};

/// The findings of mode coldstart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColdStartFindings {
    /// Cold starts that were requested in the slots that began.
    pub(super) requested: u64,
    /// Invocations that were sent to a function that was at zero.
    pub(super) achieved: u64,
    /// By slot that was carried out: invocations that found no function at zero.
    pub(super) shortfall_by_slot: Vec<u64>,
    /// Whether the run ended at overload.
    pub(super) ended_at_overload: bool,
}

/// Counts cold starts during the load.
#[derive(Debug)]
pub(super) struct ColdStartCollector {
    spec: ColdStartSpec,
    overload: OverloadCount,
    found: ColdStartFindings,
}

impl ColdStartCollector {
    pub(super) fn new(spec: &ColdStartSpec, overload: Overload) -> Self {
        let found =
            ColdStartFindings { requested: 0, achieved: 0, shortfall_by_slot: Vec::new(), ended_at_overload: false };
        Self { spec: spec.clone(), overload: OverloadCount::new(overload), found }
    }
}

impl Collector for ColdStartCollector {
    fn slot_opened(&mut self, slot: &SlotHead) {
        self.found.requested += u64::from(self.spec.cold_starts(slot.index));
    }

    fn observe(&mut self, row: &Observed<'_>) {
        // One that found no function at zero has lost its mark.
        self.found.achieved += u64::from(row.planned.mark == Mark::Cold && row.lag.is_some());
    }

    fn slot_closed(&mut self, outcome: &SlotOutcome) {
        outcome.evidence.iter().for_each(|evidence| self.overload.take(evidence));
        self.found.shortfall_by_slot.push(outcome.shortfall);
        self.found.ended_at_overload = self.overload.is_enough();
    }

    fn finish(self: Box<Self>) -> Option<Box<dyn Findings>> {
        Some(Box::new(self.found))
    }
}
