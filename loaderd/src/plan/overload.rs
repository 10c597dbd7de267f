//! When a slot was overloaded: the part of the rule that all modes share.

use super::SlotEvidence;
use crate::spec::Overload;

/// The share of a slot's invocations that must be sent in time for the slot to tell anything about the platform.
pub(super) const SENT_SHARE: f64 = 0.99;

/// Why a slot tells nothing about the platform: too little of what was asked for was sent in time. Absent when it does tell.
pub(super) fn not_offered(evidence: &SlotEvidence) -> Option<String> {
    let SlotEvidence { planned, in_time, late, .. } = evidence;
    let share = *in_time as f64 / *planned as f64;
    if share >= SENT_SHARE {
        return None;
    }
    let percent = percent(share);
    Some(if late.loader >= late.streams && late.loader >= late.connections {
        format!("the loader sent {percent} in time")
    } else if late.streams >= late.connections {
        let limit = late.stream_limit.map_or_else(String::new, |limit| format!(" of {limit}"));
        format!("the peer's stream limit{limit} let {percent} go out in time")
    } else {
        format!("connections let {percent} go out in time")
    })
}

/// A share in percent, with as many digits as a verdict needs: it never reads as the bound that it misses.
pub(super) fn percent(share: f64) -> String {
    let tenths = (share * 1000.0 + 1e-9).floor();
    let digits = usize::from(tenths % 10.0 != 0.0);
    format!("{:.digits$} %", tenths / 10.0)
}

/// The share of invocations that failed, or had no answer in the time that they were given. Of none it is 0.
pub(super) fn failed_ratio(evidence: &SlotEvidence) -> f64 {
    let SlotEvidence { planned, succeeded, .. } = evidence;
    if *planned == 0 { 0.0 } else { planned.saturating_sub(*succeeded) as f64 / *planned as f64 }
}

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

    /// Takes what a slot showed. One of which too little was sent, or nothing was due, does not count.
    pub(super) fn take(&mut self, evidence: &SlotEvidence) {
        let tells = evidence.planned > 0 && not_offered(evidence).is_none();
        let overloaded = tells && failed_ratio(evidence) > self.rule.failure_ratio;
        self.slots = self.slots.saturating_add(overloaded.into());
    }

    /// Whether enough slots were overloaded to end the run.
    pub(super) fn is_enough(&self) -> bool {
        self.slots >= self.rule.tolerance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Late, testkit::evidence};

    #[test]
    fn more_than_the_share_must_fail() {
        for (planned, succeeded, overloaded) in [(10, 7, false), (10, 6, true), (0, 0, false), (1, 0, true)] {
            let mut count = OverloadCount::new(Overload { failure_ratio: 0.3, tolerance: 1 });
            count.take(&SlotEvidence { planned, in_time: planned, succeeded, ..SlotEvidence::default() });
            assert_eq!(count.is_enough(), overloaded, "{succeeded} of {planned}");
        }
    }

    #[test]
    fn a_slot_that_was_not_sent_does_not_count() {
        let mut count = OverloadCount::new(Overload { failure_ratio: 0.3, tolerance: 1 });
        count.take(&SlotEvidence { in_time: 98, ..evidence(0, 100) });
        assert!(!count.is_enough());
        count.take(&SlotEvidence { in_time: 99, ..evidence(0, 100) });
        assert!(count.is_enough());
    }

    #[test]
    fn who_delayed_most_is_named() {
        let late = |loader, streams, connections, stream_limit| Late { loader, streams, connections, stream_limit };
        for (in_time, late, expected) in [
            (99, late(1, 0, 0, None), None),
            (0, late(100, 0, 0, None), Some("the loader sent 0 % in time")),
            (81, late(19, 0, 0, None), Some("the loader sent 81 % in time")),
            (50, late(10, 40, 0, Some(100)), Some("the peer's stream limit of 100 let 50 % go out in time")),
            (50, late(0, 50, 0, None), Some("the peer's stream limit let 50 % go out in time")),
            (50, late(0, 10, 40, None), Some("connections let 50 % go out in time")),
        ] {
            let evidence = SlotEvidence { in_time, late, ..evidence(0, 0) };
            assert_eq!(not_offered(&evidence).as_deref(), expected, "{evidence:?}");
        }
        assert_eq!([0.98999, 0.29, 1.0].map(percent), ["98.9 %", "29 %", "100 %"]);
    }
}
