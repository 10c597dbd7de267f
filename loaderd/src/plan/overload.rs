//! When a plan that raises its rate has had enough.

use super::SlotOutcome;
use crate::spec::Overload;

/// The number of overloaded slots so far, and the rule that judges them.
#[derive(Debug, Clone, Copy)]
pub(super) struct OverloadCount {
    rule: Overload,
    slots: u32,
}

impl OverloadCount {
    /// A count of 0.
    pub(super) fn new(rule: Overload) -> Self {
        Self { rule, slots: 0 }
    }

    /// Takes a slot's outcome: whether it was overloaded. A slot without returned invocations does not count.
    pub(super) fn take(&mut self, outcome: &SlotOutcome) -> bool {
        let overloaded =
            outcome.returned > 0 && outcome.failed as f64 / outcome.returned as f64 > self.rule.failure_ratio;
        self.slots = self.slots.saturating_add(overloaded.into());
        overloaded
    }

    /// Overloaded slots so far.
    pub(super) fn slots(&self) -> u32 {
        self.slots
    }

    /// Whether enough slots were overloaded to end the run.
    pub(super) fn is_enough(&self) -> bool {
        self.slots >= self.rule.tolerance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_share_must_fail() {
        for (returned, failed, overloaded) in [(10, 3, false), (10, 4, true), (0, 0, false), (1, 1, true)] {
            let mut count = OverloadCount::new(Overload { failure_ratio: 0.3, tolerance: 2 });
            let outcome = SlotOutcome { returned, failed, ..SlotOutcome::default() };
            assert_eq!(count.take(&outcome), overloaded, "{failed} of {returned}");
            assert_eq!(count.slots(), u32::from(overloaded));
            assert!(!count.is_enough());
            count.take(&SlotOutcome { returned: 1, failed: 1, ..outcome });
            assert_eq!(count.is_enough(), overloaded);
        }
    }
}
