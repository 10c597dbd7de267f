//! How fast a loader sent that did not keep up, and how many like it would.
//!
//! A loader that is asked for more than it can send is behind from early in a slot on, and sends as fast as it can. One that stalled, as
//! its machine did something else, stands still for some parts of the slot's time, and catches up. So what counts are the parts
//! throughout which it was behind: where they are many, and it stood still in none, their mean is what it can send. The first part of
//! the slot, in which it falls behind, and the last never count.

use std::time::Duration;

use tokio::time::Instant;

use super::{Flight, Row};
use crate::{
    invoke::Status,
    plan::SlotHead,
    units::{rounded, to_u32},
};

/// Parts of a slot's time.
const PARTS: usize = 10;

/// The parts that may count.
const MIDDLE: std::ops::Range<usize> = 1..PARTS - 1;

/// How many parts it must have been behind.
const LEAST_BEHIND: usize = 4;

/// The share of a part's plan by which it is behind.
const BEHIND: f64 = 0.01;

/// The share of their mean that each of them has at least. With less the loader stood still.
const STILL: f64 = 0.1;

/// The share of what it can send at most that a worker is planned for. Near its maximum a loader's lag grows without need.
const LOADED: f64 = 0.7;

/// The sends of a slot over its time.
#[derive(Debug, Clone, Default)]
pub(super) struct Sends {
    /// By when they were sent.
    sent: [u64; PARTS],
    /// Those that were sent at any time, by when they came due.
    due: [u64; PARTS],
    /// Those that the loader was too late to send, by when they came due.
    dropped: [u64; PARTS],
    /// Whether the run's own bounds held some back.
    limited: bool,
}

impl Sends {
    /// Takes a row of the slot.
    pub(super) fn add(&mut self, row: &Row, t0: Instant, head: &SlotHead) {
        self.limited |= row.is_over_limit() || row.flight == Flight::OverMemory;
        let part = |since: Duration| part_of(since, head.duration);
        let due = part(row.planned.due.as_duration().saturating_sub(head.start.as_duration()));
        match row.outcome.sent {
            Some(sent) => {
                let begin = t0 + head.start.as_duration();
                count(&mut self.due, due);
                count(&mut self.sent, part(sent.saturating_duration_since(begin)));
            }
            None if row.outcome.status == Status::NotSent => count(&mut self.dropped, due),
            None => {}
        }
    }

    /// How many workers like this loader would about do for the slot; absent where its sends do not tell what it can send.
    pub(super) fn workers_needed(&self, head: &SlotHead) -> Option<u32> {
        let asked = head.planned as f64;
        let behind: Vec<_> = self.sent_while_behind(BEHIND * asked / PARTS as f64).collect();
        if self.limited || behind.len() < LEAST_BEHIND {
            return None;
        }
        let mean = behind.iter().sum::<u64>() as f64 / behind.len() as f64;
        let stood_still = behind.iter().any(|&sent| sent as f64 <= STILL * mean);
        let can = mean * PARTS as f64;
        (!stood_still && can < asked).then(|| to_u32(rounded((asked / (LOADED * can)).ceil())))
    }

    /// The sends of each part throughout which the loader was behind: at its begin and at its end by so many, or as it dropped some.
    fn sent_while_behind(&self, by: f64) -> impl Iterator<Item = u64> {
        let waiting = |parts: usize| {
            let of = |counts: &[u64; PARTS]| counts[..parts].iter().sum::<u64>();
            of(&self.due).saturating_sub(of(&self.sent)) as f64
        };
        let is_behind =
            move |part: usize| (waiting(part) > by && waiting(part + 1) > by) || self.dropped[part] as f64 > by;
        MIDDLE.filter(move |&part| is_behind(part)).map(|part| self.sent[part])
    }
}

fn count(parts: &mut [u64; PARTS], part: usize) {
    if let Some(count) = parts.get_mut(part) {
        *count += 1;
    }
}

/// The part in which something is so long after the slot's begin; none of them where it is after the slot.
fn part_of(since: Duration, slot: Duration) -> usize {
    let parts = (since.as_nanos() * PARTS as u128).checked_div(slot.as_nanos());
    parts.and_then(|part| usize::try_from(part).ok()).unwrap_or(PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Anchor,
        invoke::Outcome,
        plan::Offset,
        record::testkit::{head, row, t0, unsent},
    };

    /// A row of a slot, due so many microseconds after its begin, and sent so many after it, or not.
    fn due(t0: &Anchor, slot: SlotHead, due_us: u64, sent_us: Option<u64>) -> Row {
        let begin = slot.start.as_duration();
        let at = |us| begin + Duration::from_micros(us);
        let mut row = match sent_us {
            Some(_) => row(t0, slot, 0, 5),
            None => unsent(slot, Status::NotSent),
        };
        row.planned.due = Offset::from_nanos(u64::try_from(at(due_us).as_nanos()).expect("fits"));
        row.outcome.sent = sent_us.map(|us| t0.instant + at(us));
        row
    }

    /// What a slot of `planned` invocations needs, that come due evenly, of which so many are sent in each tenth of its time, in their
    /// order. The others are sent later, or not.
    fn needed(planned: u64, sends: [u64; PARTS], later: Option<u64>) -> Option<u32> {
        let (t0, slot) = (t0(), head(2, planned));
        let part = 1_000_000;
        let mut sent =
            (0_u64..).zip(sends).flat_map(|(index, of)| (0..of).map(move |it| part * index + part * it / of));
        let mut all = Sends::default();
        for index in 0..planned {
            let due_us = 10 * part * index / planned;
            let sent = sent.next().or(later).map(|sent| sent.max(due_us));
            all.add(&due(&t0, slot, due_us, sent), t0.instant, &slot);
        }
        all.workers_needed(&slot)
    }

    /// After the slot.
    const LATER: Option<u64> = Some(70_000_000);

    #[test]
    fn a_loader_that_is_behind_says_how_many_would_do() {
        for (planned, sends, expected) in [
            // Half of what was asked for: a worker is planned for 0.7 of what it can, so 2/0.7 of them.
            (2000, [100; PARTS], Some(3)),
            (1050, [100; PARTS], Some(2)),
            (10_000, [100; PARTS], Some(15)),
            (1400, [100; PARTS], Some(2)),
            (1401, [100; PARTS], Some(3)),
            // What it sent before it was behind, and at the end, does not matter.
            (2000, [180, 100, 100, 100, 100, 100, 100, 100, 100, 7], Some(3)),
            (2000, [200, 200, 200, 100, 100, 100, 100, 100, 100, 100], Some(3)),
            // Its rate may vary.
            (2000, [100, 100, 110, 90, 100, 100, 82, 100, 130, 100], Some(3)),
            (2250, [124, 170, 51, 73, 17, 81, 89, 105, 118, 51], Some(4)),
        ] {
            assert_eq!(needed(planned, sends, LATER), expected, "{planned} {sends:?}");
        }
    }

    #[test]
    fn a_loader_that_drops_what_it_cannot_send_says_how_many_would_do() {
        let (t0, slot) = (t0(), head(2, 2000));
        let mut all = Sends::default();
        for index in 0..2000 {
            let due_us = index * 5_000;
            let is_sent = index % 2 == 0;
            all.add(&due(&t0, slot, due_us, is_sent.then_some(due_us)), t0.instant, &slot);
        }
        assert_eq!(all.workers_needed(&slot), Some(3));
        assert_eq!(needed(2000, [100; PARTS], None), Some(3), "in the end");
    }

    #[test]
    fn a_loader_that_stalled_does_not_tell() {
        for (planned, sends) in [
            // Nothing for some of the slot; caught up, or not.
            (1000, [100, 100, 0, 0, 0, 400, 100, 100, 100, 100]),
            (1000, [100, 100, 100, 100, 100, 100, 0, 0, 0, 0]),
            (1000, [100, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (2000, [200, 0, 0, 0, 0, 0, 0, 300, 300, 300]),
            (2000, [100, 100, 100, 100, 7, 100, 100, 100, 100, 100]),
            (1000, [100, 100, 100, 100, 79, 100, 100, 100, 100, 100]),
            // It kept up.
            (1000, [100; PARTS]),
            (1000, [0; PARTS]),
        ] {
            assert_eq!(needed(planned, sends, LATER), None, "{planned} {sends:?}");
        }
    }

    #[test]
    fn the_runs_own_bounds_are_no_measure_of_the_loader() {
        let (t0, slot) = (t0(), head(0, 2000));
        let of = |held: Row| {
            let counts = [100; PARTS];
            let mut sends = Sends { sent: counts, due: [200; PARTS], dropped: [0; PARTS], limited: false };
            sends.add(&held, t0.instant, &slot);
            sends.workers_needed(&slot)
        };
        let in_flight = Outcome::bare(Status::NotSent, "7 invocations are in flight already (maxInFlight)");
        assert_eq!(of(Row { outcome: in_flight, ..unsent(slot, Status::NotSent) }), None);
        assert_eq!(of(Row { flight: Flight::OverMemory, ..unsent(slot, Status::NotSent) }), None);
        assert_eq!(of(unsent(slot, Status::NotSent)), Some(3), "a full queue is the loader's own");
    }

    #[test]
    fn sends_after_a_slot_are_in_none_of_its_parts() {
        let second = Duration::from_secs(1);
        let part = |ms| part_of(Duration::from_millis(ms), 10 * second);
        assert_eq!([0, 999, 1000, 9999, 10_000, 60_000].map(part), [0, 0, 1, 9, 10, 60]);
        assert_eq!(part_of(second, Duration::ZERO), PARTS);
    }
}
