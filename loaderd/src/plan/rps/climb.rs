//! How mode rps climbs from level to level by the outcomes of its slots. The plan decides by it, and its findings are read
//! off it: both take the same outcomes, in the same order.

use super::{ramp::Ramp, spec::RpsSpec};
use crate::{
    plan::{SlotOutcome, overload::OverloadCount},
    spec::Overload,
};

/// Where the climb stands.
#[derive(Debug, Clone)]
pub(super) struct Climb {
    ramp: Ramp,
    ends_at_overload: bool,
    level: u32,
    overload: OverloadCount,
    sustained_rate: Option<f64>,
    ended_at_overload: bool,
}

impl Climb {
    /// At the first level of `ramp`, which is the spec's, with an end where its cold share needs one.
    pub(super) fn new(spec: &RpsSpec, ramp: Ramp, rule: Overload) -> Self {
        Self {
            ramp,
            ends_at_overload: spec.ramp.end.is_none(),
            level: 0,
            overload: OverloadCount::new(rule),
            sustained_rate: None,
            ended_at_overload: false,
        }
    }

    /// Whether overload repeats slots and ends the run.
    pub(super) fn ends_at_overload(&self) -> bool {
        self.ends_at_overload
    }

    /// The rate of the present level; nothing when the climb has ended.
    pub(super) fn rate(&self) -> Option<f64> {
        if self.ended_at_overload { None } else { self.ramp.rate(self.level) }
    }

    /// The greatest rate of a slot that was not overloaded, if there was one, in invocations per second.
    pub(super) fn sustained_rate(&self) -> Option<f64> {
        self.sustained_rate
    }

    /// Slots that were overloaded.
    pub(super) fn overloaded_slots(&self) -> u32 {
        self.overload.slots()
    }

    /// Whether the climb ended at overload.
    pub(super) fn ended_at_overload(&self) -> bool {
        self.ended_at_overload
    }

    /// Takes the outcome of the slot at the present level, and goes to the next level if that was sustained.
    pub(super) fn take(&mut self, outcome: &SlotOutcome) {
        let overloaded = self.overload.take(outcome);
        if !overloaded {
            let rate = self.ramp.rate(self.level);
            self.sustained_rate = self.sustained_rate.into_iter().chain(rate).reduce(f64::max);
        }
        self.ended_at_overload = self.ends_at_overload && self.overload.is_enough();
        if !(overloaded && self.ends_at_overload) {
            self.level = self.level.saturating_add(1);
        }
    }
}
