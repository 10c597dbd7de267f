//! The rates of mode rps.

use crate::plan::checks::HIGHEST_RATE;

/// A rate that rises from level to level, in invocations per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ramp {
    /// Rate of the first level; above 0.
    pub(super) start: f64,
    /// Rate of the last level, not below `start`; `None`: it rises until [`HIGHEST_RATE`].
    pub(super) end: Option<f64>,
    /// By how much it rises from level to level.
    pub(super) step: f64,
}

impl Ramp {
    /// Below this rate a step is at most [`Ramp::SMALL_STEP`].
    const CAREFUL_BELOW: f64 = 100.0;

    /// The greatest step of the careful part.
    const SMALL_STEP: f64 = 5.0;

    /// The rate of a level, counted from 0; `None` beyond the last.
    ///
    /// Computed from the level and not from the rate before it, so that fractional steps add up to no error.
    pub(super) fn rate(&self, level: u32) -> Option<f64> {
        let last = self.end.unwrap_or(HIGHEST_RATE);
        let rate = self.unbounded(f64::from(level));
        // A rate that misses the end by a rounding error is the end.
        let slack = self.step * 1e-9;
        if rate < last - slack {
            return Some(rate);
        }
        let before = level.checked_sub(1).map(|before| self.unbounded(f64::from(before)));
        before.is_none_or(|before| before < last - slack).then_some(last)
    }

    /// The rate of a level when it doubles from level to level.
    pub(super) fn doubled(&self, level: u32) -> Option<f64> {
        let last = self.end.unwrap_or(HIGHEST_RATE);
        let before = level.checked_sub(1).map(|before| self.start * f64::from(before).exp2());
        before.is_none_or(|before| before < last).then(|| (self.start * f64::from(level).exp2()).min(last))
    }

    /// The number of levels up to the end, as a number that may be too large to count; infinite without one that
    /// can be reached.
    pub(super) fn levels(&self) -> f64 {
        let Some(end) = self.end else { return f64::INFINITY };
        let rise = end - self.start;
        if rise <= 0.0 {
            return 1.0;
        }
        let (careful, height) = self.careful();
        let small = self.step.min(Self::SMALL_STEP);
        let steps = if rise <= careful * small { rise / small } else { careful + (rise - height) / self.step };
        // As in `rate`: an error of rounding makes no level.
        (steps - 1e-9).ceil() + 1.0
    }

    fn unbounded(&self, level: f64) -> f64 {
        let (careful, height) = self.careful();
        if level <= careful {
            self.start + level * self.step.min(Self::SMALL_STEP)
        } else {
            self.start + height + (level - careful) * self.step
        }
    }

    /// How many steps are made small, and how far they lead in all.
    fn careful(&self) -> (f64, f64) {
        if self.step <= Self::SMALL_STEP || self.start >= Self::CAREFUL_BELOW {
            return (0.0, 0.0);
        }
        let steps = ((Self::CAREFUL_BELOW - self.start) / Self::SMALL_STEP).ceil();
        (steps, steps * Self::SMALL_STEP)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "levels are whole numbers, and infinity is itself")]
mod tests {
    use super::*;

    fn rates(start: f64, end: f64, step: f64) -> Vec<f64> {
        let ramp = Ramp { start, end: Some(end), step };
        let rates: Vec<_> = (0..).map_while(|level| ramp.rate(level)).collect();
        assert_eq!(rates.len() as f64, ramp.levels(), "{ramp:?}");
        rates
    }

    #[test]
    fn it_ends_at_its_end() {
        assert_eq!(rates(1.0, 4.0, 1.0), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(rates(1.0, 3.5, 1.0), [1.0, 2.0, 3.0, 3.5]);
        assert_eq!(rates(2.0, 2.0, 1.0), [2.0]);
        assert_eq!(rates(2.0, 2.0, 0.0), [2.0]);
    }

    #[test]
    fn fractional_steps_make_no_extra_level() {
        let tenths = rates(0.1, 1.0, 0.1);
        assert_eq!(tenths.len(), 10);
        assert_eq!(tenths.last(), Some(&1.0));
    }

    #[test]
    fn steps_are_small_below_a_hundred() {
        assert_eq!(rates(88.0, 150.0, 20.0), [88.0, 93.0, 98.0, 103.0, 123.0, 143.0, 150.0]);
        assert_eq!(rates(100.0, 140.0, 20.0), [100.0, 120.0, 140.0]);
        assert_eq!(rates(90.0, 97.0, 20.0), [90.0, 95.0, 97.0]);
    }

    #[test]
    fn without_an_end_it_rises_to_the_highest() {
        let ramp = Ramp { start: 1.0, end: None, step: 6_000_000.0 };
        assert_eq!(ramp.levels(), f64::INFINITY);
        let rates: Vec<_> = (0..).map_while(|level| ramp.rate(level)).collect();
        assert_eq!(rates[19..], [96.0, 101.0, 6_000_101.0, HIGHEST_RATE]);
    }
}
