//! How fast a loader sent that did not keep up, and how many like it would.
//!
//! A loader that is asked for more than it can send is behind from early in a slot on, and sends as fast as it can: its sends are spread
//! evenly over the slot's time. One that stalled, as its machine did something else, sends little in one part of it and catches up in
//! another. Only the first says what the loader can send. The slot is looked at in parts, without the first one, in which it falls
//! behind, and the last.

use std::time::Duration;

use tokio::time::Instant;

use super::{Flight, Row};
use crate::{
    plan::SlotHead,
    units::{rounded, to_u32},
};

/// Parts of a slot's time.
const PARTS: usize = 10;

/// By how much the parts may differ: the least has at least this share of the most.
const EVEN: f64 = 0.8;

/// The share of what it can send at most that a worker is planned for. Near its maximum a loader's lag grows without need.
const LOADED: f64 = 0.7;

/// The sends of a slot over its time.
#[derive(Debug, Clone, Default)]
pub(super) struct Sends {
    parts: [u64; PARTS],
    /// Whether the run's own bounds held some back.
    limited: bool,
}

impl Sends {
    /// Takes a row of the slot.
    pub(super) fn add(&mut self, row: &Row, t0: Instant, head: &SlotHead) {
        self.limited |= row.is_over_limit() || row.flight == Flight::OverMemory;
        let begin = t0 + head.start.as_duration();
        let Some(since) = row.outcome.sent.and_then(|sent| sent.checked_duration_since(begin)) else { return };
        if let Some(part) = self.parts.get_mut(part_of(since, head.duration)) {
            *part += 1;
        }
    }

    /// How many workers like this loader would about do for the slot; absent where its sends do not tell what it can send.
    pub(super) fn workers_needed(&self, head: &SlotHead) -> Option<u32> {
        let middle = &self.parts[1..PARTS - 1];
        let (least, most) = (middle.iter().min().copied()?, middle.iter().max().copied()?);
        let is_even = least as f64 >= EVEN * most as f64;
        if self.limited || most == 0 || !is_even {
            return None;
        }
        let can = middle.iter().sum::<u64>() as f64 / middle.len() as f64 * PARTS as f64;
        let asked = head.planned as f64;
        (can < asked).then(|| to_u32(rounded((asked / (LOADED * can)).ceil())))
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
        invoke::{Outcome, Status},
        record::testkit::{head, row, t0, unsent},
    };

    /// What a slot of `planned` invocations with so many sends in each tenth of its time needs.
    fn needed(planned: u64, sends: [u64; PARTS]) -> Option<u32> {
        let (t0, slot) = (t0(), head(2, planned));
        let mut all = Sends::default();
        for (part, count) in (0_u64..).zip(sends) {
            (0..count).for_each(|_| all.add(&row(&t0, slot, part * 1000 + 500, 5), t0.instant, &slot));
        }
        all.workers_needed(&slot)
    }

    #[test]
    fn a_loader_that_sends_evenly_and_too_little_says_how_many_would_do() {
        for (planned, sends, expected) in [
            // Half of what was asked for: a worker is planned for 0.7 of what it can, so 2/0.7 of them.
            (2000, [100; PARTS], Some(3)),
            (1010, [100; PARTS], Some(2)),
            (10_000, [100; PARTS], Some(15)),
            (1400, [100; PARTS], Some(2)),
            (1401, [100; PARTS], Some(3)),
            // What it sent before it was behind, and at the end, does not matter.
            (2000, [180, 100, 100, 100, 100, 100, 100, 100, 100, 7], Some(3)),
            (2000, [100, 100, 100, 90, 100, 100, 82, 100, 100, 100], Some(3)),
        ] {
            assert_eq!(needed(planned, sends), expected, "{planned} {sends:?}");
        }
    }

    #[test]
    fn a_loader_that_stalled_does_not_tell() {
        for (planned, sends) in [
            // Nothing for three tenths of the slot; caught up, or not.
            (1000, [100, 100, 0, 0, 0, 400, 100, 100, 100, 100]),
            (1000, [100, 100, 100, 100, 100, 100, 0, 0, 0, 0]),
            (1000, [100, 100, 100, 100, 79, 100, 100, 100, 100, 100]),
            // It kept up.
            (1000, [100; PARTS]),
            (900, [100; PARTS]),
            (1000, [0; PARTS]),
        ] {
            assert_eq!(needed(planned, sends), None, "{planned} {sends:?}");
        }
    }

    #[test]
    fn the_runs_own_bounds_are_no_measure_of_the_loader() {
        let (t0, slot) = (t0(), head(0, 2000));
        let of = |held: Row| {
            let mut sends = Sends { parts: [100; PARTS], limited: false };
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
