//! The findings of mode rps as the API has them.

use loader_proto::v1;

use super::{findings::RpsFindings, search::JudgedSlot, verdict::Judgement, verdict::Verdict};
use crate::plan::Findings;

impl Findings for RpsFindings {
    fn fill(&self, summary: &mut v1::RunSummary) {
        let Self { sustained, unsustained, unknown, ended_at_overload, slots } = self;
        let overloaded = slots.iter().filter(|slot| slot.judgement.verdict == Verdict::NotSustained).count();
        let (lower, upper) = (sustained.unwrap_or_default(), unsustained.unwrap_or_default());
        summary.rps = Some(v1::RpsFindings {
            overloaded_slots: crate::units::to_u32(overloaded),
            ended_at_overload: *ended_at_overload,
            sustained_rate: sustained.map(|tried| tried.rate),
            sustained_passed: lower.passed,
            sustained_tried: lower.tried,
            unsustained_rate: unsustained.map(|tried| tried.rate),
            unsustained_passed: upper.passed,
            unsustained_tried: upper.tried,
            at_least: sustained.is_some() && unsustained.is_none(),
            unknown: unknown.clone().unwrap_or_default(),
            slots: slots.iter().map(slot).collect(),
        });
    }
}

fn slot(judged: &JudgedSlot) -> v1::RpsSlot {
    let JudgedSlot { slot, rate, judgement } = judged;
    let Judgement { verdict, reason, failed_ratio, backlog_slope, slo_share } = judgement;
    v1::RpsSlot {
        slot: *slot,
        rate: *rate,
        verdict: verdict.as_str().to_owned(),
        reason: reason.clone(),
        failed_ratio: *failed_ratio,
        backlog_slope: *backlog_slope,
        slo_share: *slo_share,
    }
}
