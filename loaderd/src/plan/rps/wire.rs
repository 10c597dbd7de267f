//! The findings of mode rps as the API has them.

use loader_proto::v1;

use super::findings::RpsFindings;
use crate::plan::Findings;

impl Findings for RpsFindings {
    fn fill(&self, summary: &mut v1::RunSummary) {
        let &Self { sustained_rate, overloaded_slots, ended_at_overload } = self;
        let held_rate = sustained_rate.unwrap_or_default();
        summary.rps = Some(v1::RpsFindings { held_rate, overloaded_slots, ended_at_overload });
    }
}
