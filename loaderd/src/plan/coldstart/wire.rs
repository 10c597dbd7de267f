//! The findings of mode coldstart as the API has them.

use loader_proto::v1;

use super::findings::ColdStartFindings;
use crate::plan::Findings;

impl Findings for ColdStartFindings {
    fn fill(&self, summary: &mut v1::RunSummary) {
        let Self { requested, achieved, shortfall_by_slot, ended_at_overload } = self;
        summary.coldstart = Some(v1::ColdStartFindings {
            requested: *requested,
            achieved: *achieved,
            shortfall: shortfall_by_slot.iter().sum(),
            shortfall_by_slot: shortfall_by_slot.clone(),
            ended_at_overload: *ended_at_overload,
        });
    }
}
