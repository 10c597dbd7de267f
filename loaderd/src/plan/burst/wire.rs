//! The findings of mode burst as the API has them.

use loader_proto::v1;

use super::findings::BurstFindings;
use crate::{
    plan::{Findings, distribution},
    units::micros,
};

impl Findings for BurstFindings {
    fn fill(&self, summary: &mut v1::RunSummary) {
        let Self { steady_before_us, steady_during_us, bursty_before_us, burst_us, victim, victim_cold } = self;
        summary.burst = Some(v1::BurstFindings {
            steady_before_us: Some(distribution(steady_before_us)),
            steady_during_us: Some(distribution(steady_during_us)),
            bursty_before_us: Some(distribution(bursty_before_us)),
            burst_us: Some(distribution(burst_us)),
            victim_us: victim.map(micros),
            victim_cold: *victim_cold,
        });
    }
}
