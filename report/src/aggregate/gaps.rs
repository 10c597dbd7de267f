//! The times from one invocation to the next, as sent and as planned.
//!
//! Rows come in the order of completion, gaps are between neighbours in the order of due times. So the instants of some hundred
//! thousand rows are kept, by the second in which they were due; the earliest second is closed when there is no more room.

use std::collections::BTreeMap;

use super::distribution::Distribution;

/// Most pairs of instants that are kept.
const MOST: usize = 1 << 18;

/// When an invocation was due and sent, in Unix microseconds.
type Pair = (i64, i64);

/// By how much gaps differ from their plan.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    open: BTreeMap<i64, Vec<Pair>>,
    held: usize,
    closed_before: Option<i64>,
    last: Option<Pair>,
    differences: Distribution,
    left_out: u64,
}

impl Gaps {
    /// Takes an invocation that was sent.
    pub(super) fn add(&mut self, due: i64, sent: i64) {
        let second = due.div_euclid(1_000_000);
        if self.closed_before.is_some_and(|closed| second < closed) {
            self.left_out += 1;
            return;
        }
        self.open.entry(second).or_default().push((due, sent));
        self.held += 1;
        if self.held > MOST
            && let Some((second, pairs)) = self.open.pop_first()
        {
            self.held -= pairs.len();
            self.closed_before = Some(second + 1);
            self.close(pairs);
        }
    }

    fn close(&mut self, mut pairs: Vec<Pair>) {
        pairs.sort_unstable();
        for pair in pairs {
            if let Some(before) = self.last.replace(pair) {
                let difference = (pair.1 - before.1) - (pair.0 - before.0);
                self.differences.add(difference.unsigned_abs());
            }
        }
    }

    /// The absolute differences in microseconds, and how many rows came too late to be in them.
    pub(super) fn finish(mut self) -> (Distribution, u64) {
        while let Some((_, pairs)) = self.open.pop_first() {
            self.close(pairs);
        }
        self.differences.sort();
        (self.differences, self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_between_neighbours_in_the_order_of_due_times() {
        let mut gaps = Gaps::default();
        for (due, sent) in [(2_000_000, 2_000_010), (0, 5), (1_000_000, 1_000_105)] {
            gaps.add(due, sent);
        }
        let (differences, left_out) = gaps.finish();
        assert_eq!((differences.steps(9), left_out), (vec![(95, 1), (100, 2)], 0));
    }

    #[test]
    fn a_row_that_comes_after_its_second_was_closed_is_counted() {
        let mut gaps = Gaps::default();
        let count = i64::try_from(MOST).expect("fits") + 2;
        (0..count).for_each(|number| gaps.add(number * 10_000, number * 10_000 + 3));
        gaps.add(0, 3);
        let (differences, left_out) = gaps.finish();
        assert_eq!((differences.count(), differences.max(), left_out), (MOST as u64 + 1, Some(0), 1));
    }
}
