//! The search for the greatest rate that is sustained, by the verdicts on its slots. The plan decides by it, and its
//! findings are read off it: both take the same outcomes, in the same order.

use super::{
    bisect::Bisect,
    climb::Climb,
    ramp::Ramp,
    spec::{RpsSpec, SearchKind},
    tries::{Tried, Tries},
    verdict::{Judgement, Rules, Verdict},
};
use crate::{plan::SlotOutcome, spec::RunSpec};

/// How many slots in a row may say nothing before a search ends.
const MOST_UNKNOWN: u32 = 3;

/// A slot that was carried out, and what it says of its rate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JudgedSlot {
    /// Number of the slot, from 0.
    pub(super) slot: u32,
    /// Its rate, in invocations per second.
    pub(super) rate: f64,
    /// What it says.
    pub(super) judgement: Judgement,
}

/// How rates are chosen.
#[derive(Debug, Clone)]
enum Strategy {
    Linear(Climb),
    Bisect(Bisect),
}

/// The state of the search.
#[derive(Debug, Clone)]
pub(super) struct Search {
    strategy: Strategy,
    rules: Rules,
    unknown_in_a_row: u32,
    tries: Tries,
    slots: Vec<JudgedSlot>,
}

impl Search {
    /// At its first rate. `ramp` is the spec's, with an end where its cold share needs one.
    pub(super) fn new(run: &RunSpec, spec: &RpsSpec, ramp: Ramp) -> Self {
        let strategy = match spec.search {
            SearchKind::Linear => {
                let tolerance = spec.ramp.end.is_none().then_some(run.overload.tolerance);
                Strategy::Linear(Climb::new(ramp, tolerance))
            }
            SearchKind::Bisect { precision } => {
                Strategy::Bisect(Bisect::new(ramp.start, ramp.end, precision, spec.slot))
            }
        };
        let rules = Rules::new(run);
        Self { strategy, rules, unknown_in_a_row: 0, tries: Tries::default(), slots: Vec::new() }
    }

    /// Whether the rates do not depend on what becomes of the slots.
    pub(super) fn is_determined(&self) -> bool {
        matches!(&self.strategy, Strategy::Linear(climb) if climb.is_determined())
    }

    /// The rate of the next slot; nothing when the search has ended.
    pub(super) fn rate(&self) -> Option<f64> {
        if self.gave_up() {
            return None;
        }
        match &self.strategy {
            Strategy::Linear(climb) => climb.rate(),
            Strategy::Bisect(bisect) => bisect.rate(),
        }
    }

    /// Whether too many slots in a row said nothing.
    fn gave_up(&self) -> bool {
        !self.is_determined() && self.unknown_in_a_row >= MOST_UNKNOWN
    }

    /// Takes the outcome of the slot at the present rate.
    pub(super) fn take(&mut self, outcome: &SlotOutcome) {
        let Some(rate) = self.rate() else { return };
        let judgement = Judgement::of(outcome.evidence.as_deref(), &self.rules);
        let verdict = judgement.verdict;
        self.unknown_in_a_row = if verdict == Verdict::Unknown { self.unknown_in_a_row + 1 } else { 0 };
        self.tries.take(rate, verdict);
        match &mut self.strategy {
            Strategy::Linear(climb) => climb.take(verdict),
            Strategy::Bisect(bisect) => bisect.take(rate, verdict),
        }
        self.slots.push(JudgedSlot { slot: outcome.slot, rate, judgement });
    }

    /// The slots that were carried out.
    pub(super) fn slots(&self) -> &[JudgedSlot] {
        &self.slots
    }

    /// The greatest rate that was sustained.
    pub(super) fn sustained(&self) -> Option<Tried> {
        self.tries.sustained()
    }

    /// The least rate above that which was not.
    pub(super) fn unsustained(&self) -> Option<Tried> {
        self.tries.unsustained()
    }

    /// Whether the search ended because the platform was overloaded.
    pub(super) fn ended_at_overload(&self) -> bool {
        match &self.strategy {
            Strategy::Linear(climb) => climb.ended_at_overload(),
            Strategy::Bisect(bisect) => !self.gave_up() && bisect.rate().is_none() && self.unsustained().is_some(),
        }
    }

    /// Why there is no answer: no slot said anything, or too many in a row said nothing.
    pub(super) fn unknown(&self) -> Option<String> {
        let nothing_known = self.sustained().is_none() && self.unsustained().is_none();
        let last = self.slots.iter().rfind(|slot| slot.judgement.verdict == Verdict::Unknown);
        let last = last.filter(|_| self.gave_up() || nothing_known)?;
        Some(format!("slot {}: {}", last.slot, last.judgement.reason))
    }
}
