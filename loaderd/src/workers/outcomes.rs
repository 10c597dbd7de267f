//! What became of a slot in all shares, summed for plans that decide by it.
//!
//! Counts add up; the target rate and the planned number are of the whole plan, in each part. Where a worker was lost, its part is
//! missing, and what nobody accounts for was not sent in time, which is the loader's fault.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    id::WorkerIndex,
    plan::{Backlog, Late, Offset, SlotEvidence, SlotOutcome},
};

/// The outcomes of a run's slots: parts until all are there, then their sum.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// Of the slot that is not decided yet, by worker.
    parts: BTreeMap<WorkerIndex, SlotOutcome>,
    /// The sums, by slot.
    decided: Vec<SlotOutcome>,
}

/// What came of a part.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// It was taken.
    Taken,
    /// The slot was decided before.
    Decided(SlotOutcome),
    /// No slot before it may be undecided.
    TooEarly,
}

impl Outcomes {
    /// Takes a worker's part.
    pub(super) fn take(&mut self, worker: WorkerIndex, part: SlotOutcome) -> Part {
        let next = self.decided.len();
        match usize::try_from(part.slot).unwrap_or(usize::MAX) {
            slot if slot == next => {
                self.parts.insert(worker, part);
                Part::Taken
            }
            slot => self.decided.get(slot).map_or(Part::TooEarly, |sum| Part::Decided(sum.clone())),
        }
    }

    /// The sum of the next slot, once all of those that `expected` names have given their parts. The next slot begins no earlier than
    /// `not_before`, so that each worker learns of it in time.
    pub(super) fn decide(
        &mut self,
        mut expected: impl Iterator<Item = WorkerIndex>,
        all: usize,
        not_before: Offset,
    ) -> Option<SlotOutcome> {
        if self.parts.is_empty() || !expected.all(|worker| self.parts.contains_key(&worker)) {
            return None;
        }
        let parts: Vec<_> = std::mem::take(&mut self.parts).into_values().collect();
        let mut sum = sum(&parts, parts.len() < all)?;
        sum.next_start = sum.next_start.max(not_before);
        self.decided.push(sum.clone());
        Some(sum)
    }

    /// The sum of a slot, if it was decided.
    pub(super) fn of(&self, slot: u32) -> Option<&SlotOutcome> {
        self.decided.get(usize::try_from(slot).ok()?)
    }

    /// The last sum.
    pub(super) fn last(&self) -> Option<&SlotOutcome> {
        self.decided.last()
    }
}

/// The sum of parts of one slot; absent without parts. With `incomplete`, parts are missing.
pub(super) fn sum(parts: &[SlotOutcome], incomplete: bool) -> Option<SlotOutcome> {
    let first = parts.first()?;
    let evidence: Vec<_> = parts.iter().filter_map(|part| part.evidence.as_deref()).collect();
    Some(SlotOutcome {
        slot: first.slot,
        shortfall: parts.iter().map(|part| part.shortfall).sum(),
        next_start: parts.iter().map(|part| part.next_start).max()?,
        evidence: evidence_sum(&evidence, incomplete || evidence.len() < parts.len()).map(Box::new),
    })
}

fn evidence_sum(parts: &[&SlotEvidence], incomplete: bool) -> Option<SlotEvidence> {
    let first = parts.first()?;
    let of = |count: fn(&SlotEvidence) -> u64| parts.iter().map(|part| count(part)).sum::<u64>();
    let in_time = of(|it| it.in_time);
    let mut late = Late {
        loader: of(|it| it.late.loader),
        streams: of(|it| it.late.streams),
        connections: of(|it| it.late.connections),
        stream_limit: parts.iter().filter_map(|part| part.late.stream_limit).max(),
    };
    if incomplete {
        late.loader += first.planned.saturating_sub(in_time + late.loader + late.streams + late.connections);
    }
    Some(SlotEvidence {
        slot: first.slot,
        rate: first.rate,
        planned: first.planned,
        in_time,
        late,
        succeeded: of(|it| it.succeeded),
        within_slo: parts.iter().map(|part| part.within_slo).sum(),
        backlog: backlog_sum(parts, first.backlog.every),
    })
}

fn backlog_sum(parts: &[&SlotEvidence], every: Duration) -> Backlog {
    let of = |count: fn(&Backlog) -> u64| parts.iter().map(|part| count(&part.backlog)).sum::<u64>();
    let instants = parts.iter().map(|part| part.backlog.in_flight.len()).max().unwrap_or_default();
    let at = |instant: usize| parts.iter().filter_map(|part| part.backlog.in_flight.get(instant)).sum();
    Backlog {
        inherited: of(|it| it.inherited),
        sent: of(|it| it.sent),
        answered: of(|it| it.answered),
        in_flight: (0..instants).map(at).collect(),
        every,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(in_time: u64, loader: u64, in_flight: &[u64], next_start: u64) -> SlotOutcome {
        let backlog = Backlog {
            inherited: 1,
            sent: in_time,
            answered: 3,
            in_flight: in_flight.to_vec(),
            every: Duration::from_millis(500),
        };
        let late = Late { loader, streams: 1, connections: 2, stream_limit: Some(u32::try_from(loader).unwrap()) };
        let evidence = SlotEvidence {
            slot: 0,
            rate: 5.0,
            planned: 100,
            in_time,
            late,
            succeeded: in_time - 1,
            within_slo: Some(in_time - 2),
            backlog,
        };
        SlotOutcome {
            slot: 0,
            shortfall: 2,
            next_start: Offset::from_nanos(next_start),
            evidence: Some(Box::new(evidence)),
        }
    }

    #[test]
    fn counts_add_up_and_what_is_of_the_whole_stays() {
        let sum = sum(&[part(40, 4, &[1, 2, 3], 7), part(50, 0, &[10, 20, 30], 9)], false).unwrap();
        assert_eq!((sum.slot, sum.shortfall, sum.next_start), (0, 4, Offset::from_nanos(9)));
        let evidence = *sum.evidence.unwrap();
        let late = Late { loader: 4, streams: 2, connections: 4, stream_limit: Some(4) };
        assert_eq!((evidence.planned, evidence.rate, evidence.in_time, evidence.late), (100, 5.0, 90, late));
        assert_eq!((evidence.succeeded, evidence.within_slo), (88, Some(86)));
        let backlog = evidence.backlog;
        assert_eq!((backlog.inherited, backlog.sent, backlog.answered), (2, 90, 6));
        assert_eq!((backlog.in_flight, backlog.every), (vec![11, 22, 33], Duration::from_millis(500)));
    }

    #[test]
    fn what_a_lost_worker_was_to_send_is_late_by_the_loader() {
        let evidence = sum(&[part(40, 4, &[1], 7)], true).unwrap().evidence.unwrap();
        assert_eq!((evidence.in_time, evidence.late.loader), (40, 57), "of a hundred, three are accounted for");
        assert_eq!(sum(&[], true), None);
    }

    #[test]
    fn a_slot_is_decided_once_with_the_parts_of_all_who_are_left() {
        let [one, two] = [0, 1].map(WorkerIndex);
        let mut outcomes = Outcomes::default();
        let not_before = Offset::from_nanos(8);
        assert_eq!(outcomes.take(one, SlotOutcome { slot: 1, ..part(2, 1, &[], 1) }), Part::TooEarly);
        assert_eq!(outcomes.take(one, part(40, 4, &[], 7)), Part::Taken);
        assert_eq!(outcomes.decide([one, two].into_iter(), 2, not_before), None);
        let sum = outcomes.decide([one].into_iter(), 2, not_before).unwrap();
        assert_eq!((sum.next_start, outcomes.last()), (not_before, Some(&sum)));
        assert_eq!(outcomes.take(two, part(2, 1, &[], 1)), Part::Decided(sum.clone()));
        assert_eq!(outcomes.of(0), Some(&sum));
        assert_eq!(outcomes.decide([].into_iter(), 2, not_before), None, "nothing is known of the next one");
    }
}
