//! The linear search: the rate rises from level to level.

use super::{ramp::Ramp, verdict::Verdict};

/// How far the climb has come.
#[derive(Debug, Clone)]
pub(super) struct Climb {
    ramp: Ramp,
    /// After how many slots that were not sustained the climb ends; absent: it goes through all levels whatever happens.
    tolerance: Option<u32>,
    level: u32,
    overloaded: u32,
}

impl Climb {
    /// At the first level.
    pub(super) fn new(ramp: Ramp, tolerance: Option<u32>) -> Self {
        Self { ramp, tolerance, level: 0, overloaded: 0 }
    }

    /// The rate of the present level; nothing when the climb has ended.
    pub(super) fn rate(&self) -> Option<f64> {
        if self.ended_at_overload() { None } else { self.ramp.rate(self.level) }
    }

    /// Whether it ended because enough slots were not sustained.
    pub(super) fn ended_at_overload(&self) -> bool {
        self.tolerance.is_some_and(|tolerance| self.overloaded >= tolerance)
    }

    /// Whether it goes through all levels whatever happens.
    pub(super) fn is_determined(&self) -> bool {
        self.tolerance.is_none()
    }

    /// Takes the verdict on the present level. One that was not sustained, or of which nothing is known, is repeated where
    /// the climb may end.
    pub(super) fn take(&mut self, verdict: Verdict) {
        self.overloaded = self.overloaded.saturating_add((verdict == Verdict::NotSustained).into());
        if self.is_determined() || matches!(verdict, Verdict::Sustained | Verdict::Empty) {
            self.level = self.level.saturating_add(1);
        }
    }
}
