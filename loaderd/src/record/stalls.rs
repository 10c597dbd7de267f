//! Stalls: times in which the loader itself was late, from the rows that show them.

use std::{collections::BTreeMap, time::Duration};

use crate::id::WorkerIndex;

/// Stalls that are listed.
const LISTED: usize = 20;

/// Most stalls of one side that are told apart; later ones are only counted.
const MOST: usize = 100_000;

/// The thread that was late, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It sends.
    Send,
    /// It reads.
    Receive,
}

impl Side {
    /// The side as in the summary.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// A time in which the loader was late, from the start of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// When it began.
    pub begin: Duration,
    /// When it ended.
    pub end: Duration,
    /// Which thread was late.
    pub side: Side,
    /// The worker whose thread it was; absent of a run without workers.
    pub worker: Option<WorkerIndex>,
}

impl Stall {
    /// How long it lasted.
    pub fn length(&self) -> Duration {
        self.end.saturating_sub(self.begin)
    }
}

/// All stalls of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StallFigures {
    /// How many there were.
    pub count: u64,
    /// The length of the longest.
    pub longest: Duration,
    /// Their lengths in all.
    pub total: Duration,
    /// The longest ones, in order of time.
    pub listed: Vec<Stall>,
}

/// Spans of time of one side, by their begin; those that overlap are one.
#[derive(Debug, Clone, Default)]
struct Spans {
    by_begin: BTreeMap<Duration, Duration>,
    /// Those that found no room.
    beyond: u64,
    beyond_total: Duration,
    beyond_longest: Duration,
}

impl Spans {
    fn add(&mut self, begin: Duration, end: Duration) {
        let (mut from, mut to) = (begin, end);
        while let Some((&known, &known_end)) = self.by_begin.range(..=to).next_back()
            && known_end >= from
        {
            self.by_begin.remove(&known);
            (from, to) = (from.min(known), to.max(known_end));
        }
        if self.by_begin.len() < MOST {
            self.by_begin.insert(from, to);
        } else {
            self.beyond += 1;
            self.beyond_total += to - from;
            self.beyond_longest = self.beyond_longest.max(to - from);
        }
    }
}

/// Collects the stalls of a run. Spans are merged within a worker and a side, never across: two workers that are late at the same time
/// have a stall each.
#[derive(Debug, Clone, Default)]
pub(super) struct Stalls {
    spans: BTreeMap<(Option<WorkerIndex>, Side), Spans>,
}

impl Stalls {
    /// The loader, or this worker, was late from `begin` to `end`.
    pub(super) fn add(&mut self, worker: Option<WorkerIndex>, side: Side, begin: Duration, end: Duration) {
        self.spans.entry((worker, side)).or_default().add(begin, end);
    }

    /// How many there are so far, of sending and of receiving. Two that turn out to be one count as one from then on.
    pub(super) fn counts(&self) -> [u64; 2] {
        [Side::Send, Side::Receive].map(|side| {
            let spans = self.spans.iter().filter(|((_, of), _)| *of == side);
            spans.map(|(_, spans)| spans.by_begin.len() as u64 + spans.beyond).sum()
        })
    }

    /// What there was.
    pub(super) fn figures(&self) -> StallFigures {
        Self::sum(self.spans.iter())
    }

    /// What there was of one worker.
    pub(super) fn figures_of(&self, worker: WorkerIndex) -> StallFigures {
        Self::sum(self.spans.range((Some(worker), Side::Send)..=(Some(worker), Side::Receive)))
    }

    fn sum<'a>(spans: impl Iterator<Item = (&'a (Option<WorkerIndex>, Side), &'a Spans)>) -> StallFigures {
        let mut figures = StallFigures::default();
        for (&(worker, side), Spans { by_begin, beyond, beyond_total, beyond_longest }) in spans {
            let stall = |(&begin, &end): (&Duration, &Duration)| Stall { begin, end, side, worker };
            figures.listed.extend(by_begin.iter().map(stall));
            figures.count += by_begin.len() as u64 + beyond;
            figures.total += *beyond_total;
            figures.longest = figures.longest.max(*beyond_longest);
        }
        figures.total += figures.listed.iter().map(Stall::length).sum::<Duration>();
        figures.longest = figures.listed.iter().map(Stall::length).fold(figures.longest, Duration::max);
        figures.listed.sort_by_key(|stall| std::cmp::Reverse(stall.length()));
        figures.listed.truncate(LISTED);
        figures.listed.sort_by_key(|stall| (stall.begin, stall.worker, stall.side));
        figures
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn rows_that_overlap_show_one_stall() {
        let mut stalls = Stalls::default();
        for (begin, end) in [(100, 150), (300, 320), (120, 155), (90, 101), (155, 160)] {
            stalls.add(None, Side::Send, at(begin), at(end));
        }
        stalls.add(None, Side::Receive, at(95), at(130));
        let StallFigures { count, longest, total, listed } = stalls.figures();
        assert_eq!((count, longest, total), (3, at(70), at(70 + 20 + 35)));
        let listed: Vec<_> = listed.iter().map(|stall| (stall.begin, stall.side.as_str())).collect();
        assert_eq!(listed, [(at(90), "send"), (at(95), "receive"), (at(300), "send")]);
    }

    #[test]
    fn the_longest_are_listed_in_order_of_time() {
        let mut stalls = Stalls::default();
        (0..50).for_each(|place| stalls.add(None, Side::Send, at(1000 * place), at(1001 * place + 20)));
        let StallFigures { count, listed, .. } = stalls.figures();
        assert_eq!((count, listed.len()), (50, LISTED));
        assert!(listed.windows(2).all(|pair| pair[0].begin < pair[1].begin));
        assert_eq!(listed[0].begin, at(30_000));
    }

    #[test]
    fn two_workers_that_are_late_at_the_same_time_have_a_stall_each() {
        let mut stalls = Stalls::default();
        let [first, second] = [0, 1].map(|index| Some(WorkerIndex(index)));
        for (worker, begin, end) in [(first, 100, 150), (second, 120, 180), (first, 140, 160), (second, 400, 410)] {
            stalls.add(worker, Side::Send, at(begin), at(end));
        }
        stalls.add(second, Side::Receive, at(100), at(105));
        let StallFigures { count, longest, total, listed } = stalls.figures();
        assert_eq!((count, longest, total), (4, at(60), at(60 + 60 + 10 + 5)));
        assert_eq!(listed.iter().map(|stall| stall.worker).collect::<Vec<_>>(), [first, second, second, second]);
        let of_second = stalls.figures_of(WorkerIndex(1));
        assert_eq!((of_second.count, of_second.longest, of_second.total), (3, at(60), at(75)));
        assert_eq!(stalls.figures_of(WorkerIndex(2)), StallFigures::default());
        assert_eq!(stalls.counts(), [3, 1]);
    }

    proptest! {
        #[test]
        fn the_total_is_the_time_that_any_row_covers(spans in prop::collection::vec((0_u64..400, 1_u64..30), 0..60)) {
            let mut stalls = Stalls::default();
            spans.iter().for_each(|&(begin, length)| stalls.add(None, Side::Send, at(begin), at(begin + length)));
            let covered = (0..430).filter(|&ms| spans.iter().any(|&(begin, length)| (begin..begin + length).contains(&ms)));
            prop_assert_eq!(stalls.figures().total, at(covered.count() as u64));
        }
    }
}
