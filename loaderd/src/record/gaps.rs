//! The times from one invocation to the next, as sent and as planned.
//!
//! Rows come in the order of completion, gaps are between neighbours in the order of due times. So the rows of a slot are kept
//! until all have ended, two instants for each; of a slot with very many, those that are due in its first part.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    histogram::Histogram,
    plan::SlotHead,
    units::{micros, nanos},
};

/// Most invocations of a slot that are looked at.
const MOST: u64 = 1_000_000;

/// A gap that differs by more than this share of its plan is off, unless that is less than [`LEAST`].
const SHARE: f64 = 0.1;

/// A gap that differs by no more than this is never off.
const LEAST: Duration = Duration::from_millis(1);

/// The figures of the gaps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GapFigures {
    /// Number of gaps.
    pub count: u64,
    /// Median of the absolute difference, in microseconds.
    pub p50_us: Option<u64>,
    /// 99th percentile of the absolute difference, in microseconds.
    pub p99_us: Option<u64>,
    /// The greatest absolute difference, in microseconds.
    pub max_us: Option<u64>,
    /// The share of the gaps that are off; absent without any.
    pub off_ratio: Option<f64>,
}

/// When an invocation was due and sent, in nanoseconds since the start of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    due: u64,
    sent: u64,
}

/// Collects the gaps of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps {
    open: BTreeMap<u32, Vec<Pair>>,
    /// The first and the last of each slot that is complete; the last is absent where not all were looked at.
    edges: BTreeMap<u32, (Pair, Option<Pair>)>,
    differences: Histogram,
    off: u64,
}

impl Gaps {
    /// Takes an invocation of that slot.
    pub(super) fn add(&mut self, slot: &SlotHead, due: Duration, sent: Duration) {
        if !is_cut(slot) || due.saturating_sub(slot.start.as_duration()) < kept(slot) {
            let pair = Pair { due: nanos(due), sent: nanos(sent) };
            self.open.entry(slot.index).or_default().push(pair);
        }
    }

    /// All invocations of the slot have ended.
    pub(super) fn complete(&mut self, slot: &SlotHead) {
        let Some(mut pairs) = self.open.remove(&slot.index) else { return };
        pairs.sort_unstable();
        pairs.windows(2).for_each(|two| self.gap(two[0], two[1]));
        if let (Some(&first), Some(&last)) = (pairs.first(), pairs.last()) {
            self.edges.insert(slot.index, (first, (!is_cut(slot)).then_some(last)));
        }
    }

    fn gap(&mut self, one: Pair, next: Pair) {
        let planned = next.due - one.due;
        let achieved = next.sent.abs_diff(one.sent);
        let difference = if next.sent < one.sent { achieved + planned } else { achieved.abs_diff(planned) };
        let difference = Duration::from_nanos(difference);
        self.differences.add(micros(difference));
        let allowed = Duration::from_nanos(planned).mul_f64(SHARE).max(LEAST);
        self.off += u64::from(difference > allowed);
    }

    /// What there was, once the slots are complete.
    pub(super) fn finish(mut self) -> GapFigures {
        let mut before = None;
        for (first, last) in std::mem::take(&mut self.edges).into_values() {
            if let Some(one) = before {
                self.gap(one, first);
            }
            before = last;
        }
        let count = self.differences.count();
        GapFigures {
            count,
            p50_us: self.differences.percentile(0.5),
            p99_us: self.differences.percentile(0.99),
            max_us: self.differences.max(),
            off_ratio: (count > 0).then(|| self.off as f64 / count as f64),
        }
    }
}

/// Whether the slot has more invocations than are looked at.
fn is_cut(slot: &SlotHead) -> bool {
    slot.planned > MOST
}

/// The part of such a slot that is looked at.
fn kept(slot: &SlotHead) -> Duration {
    slot.duration.mul_f64(MOST as f64 / slot.planned as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testkit::head;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The figures of invocations that were due and sent at these milliseconds.
    fn figures(rows: &[(u32, u64, u64)]) -> GapFigures {
        let mut gaps = Gaps::default();
        rows.iter().for_each(|&(slot, due, sent)| gaps.add(&head(slot, 3), ms(due), ms(sent)));
        rows.iter().for_each(|&(slot, _, _)| gaps.complete(&head(slot, 3)));
        gaps.finish()
    }

    #[test]
    fn gaps_are_between_neighbours_in_order_of_due_over_the_ends_of_slots() {
        // In the order of completion: 100 ms late, in time, in time, and one that overtook.
        let rows = [(0, 5000, 5100), (0, 1000, 1000), (1, 12_000, 12_000), (1, 12_010, 12_000), (0, 9000, 9000)];
        let found = figures(&rows);
        // 4000 + 100, 4000 − 100, 3000, 10 − 10.
        assert_eq!((found.count, found.max_us, found.p50_us), (4, Some(100_000), Some(10_000)));
        // 100 ms are less than a tenth of 4 s; all of 10 ms are more than a millisecond.
        assert_eq!(found.off_ratio, Some(0.25));
    }

    #[test]
    fn without_gaps_nothing_is_known() {
        assert_eq!(figures(&[]), GapFigures::default());
        assert_eq!(figures(&[(0, 1, 1)]), GapFigures::default());
    }

    #[test]
    fn of_a_huge_slot_the_first_part_is_looked_at() {
        let slot = SlotHead { planned: 2 * MOST, ..head(0, 1) };
        let mut gaps = Gaps::default();
        // Ten seconds long, so that the first five count.
        [0, 4999, 5000, 9000].into_iter().for_each(|at| gaps.add(&slot, ms(at), ms(at)));
        gaps.complete(&slot);
        gaps.add(&head(1, 1), ms(10_000), ms(10_000));
        gaps.complete(&head(1, 1));
        assert_eq!(gaps.finish().count, 1);
    }
}
