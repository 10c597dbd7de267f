//! The autoscaler's arithmetic: how many instances a load needs.

use std::time::Duration;

use crate::platform::Scaling;

/// A function's [`Scaling`], made consistent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    /// Instances until the first stable window has passed; at least `min`.
    pub(super) initial: u32,
    /// Minimum number of instances.
    pub(super) min: u32,
    /// Maximum number of instances.
    pub(super) max: u32,
    /// Calls that an instance takes at the same time, at least 1.
    pub(super) concurrency: u32,
    /// How long an instance is kept idle.
    pub(super) stable_window: Duration,
}

impl Rule {
    /// The rule that `scaling` asks for. Where its numbers disagree the greatest allowed one wins, as in Knative;
    /// `stable_window` serves where it names none.
    pub(super) fn new(scaling: &Scaling, stable_window: Duration) -> Self {
        let max = scaling.max.unwrap_or(u32::MAX);
        let min = scaling.min.min(max);
        Self {
            initial: scaling.initial.clamp(min, max),
            min,
            max,
            concurrency: scaling.container_concurrency.max(1),
            stable_window: scaling.stable_window.unwrap_or(stable_window),
        }
    }

    /// Instances that `load` calls, at work or waiting, need, given that at least `floor` are kept.
    pub(super) fn needed(&self, load: u32, floor: u32) -> u32 {
        load.div_ceil(self.concurrency).max(floor).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    fn scaling(initial: u32, min: u32, max: Option<u32>) -> Scaling {
        Scaling { initial, min, max, container_concurrency: 1, stable_window: None }
    }

    #[test]
    fn disagreeing_numbers_are_made_consistent() {
        for (given, (initial, min, max)) in [
            (scaling(0, 0, None), (0, 0, u32::MAX)),
            (scaling(0, 2, None), (2, 2, u32::MAX)),
            (scaling(5, 2, Some(3)), (3, 2, 3)),
            (scaling(0, 7, Some(3)), (3, 3, 3)),
        ] {
            let rule = Rule::new(&given, WINDOW);
            assert_eq!((rule.initial, rule.min, rule.max), (initial, min, max), "{given:?}");
        }
    }

    #[test]
    fn a_function_s_own_window_wins() {
        let own = Some(Duration::from_secs(6));
        assert_eq!(
            Rule::new(&Scaling { stable_window: own, ..scaling(0, 0, None) }, WINDOW).stable_window.as_secs(),
            6
        );
        assert_eq!(Rule::new(&scaling(0, 0, None), WINDOW).stable_window, WINDOW);
    }

    #[test]
    fn needed_follows_the_load_within_the_bounds() {
        let rule = Rule { initial: 0, min: 0, max: 10, concurrency: 4, stable_window: WINDOW };
        for (load, floor, needed) in [(0, 0, 0), (0, 3, 3), (1, 0, 1), (4, 0, 1), (5, 0, 2), (5, 3, 3), (4000, 0, 10)] {
            assert_eq!(rule.needed(load, floor), needed, "load {load}, floor {floor}");
        }
    }
}
