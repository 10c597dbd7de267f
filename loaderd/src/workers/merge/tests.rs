use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{InvocationId, Mark, Offset, Phase, PlannedInvocation, Unit},
    record::Flight,
};

/// Slot `index` of a second, with this many invocations over all workers.
fn head(index: u32, planned: u64) -> SlotHead {
    SlotHead {
        index,
        phase: Phase::Warmup,
        start: Offset::from_nanos(u64::from(index) * 1_000_000_000),
        duration: Duration::from_secs(1),
        rate: planned as f64,
        planned,
        measured: planned,
    }
}

fn now() -> tokio::time::Instant {
    crate::clock::Clock.now()
}

fn opened(head: SlotHead, mib: u64) -> Event {
    Event::Opened { head, memory: MemoryLevel { at: now(), mib } }
}

/// As it comes over the wire, the head of a slot that has begun is its number alone.
fn closed(slot: u32, dispatched: u64, complete: bool) -> Event {
    let outcome = SlotOutcome { slot, shortfall: dispatched, ..SlotOutcome::default() };
    Event::Closed { head: head(slot, 0), dispatched, outcome, complete, memory_peak_mib: 3 }
}

fn row(slot: u32, ordinal: u64) -> Event {
    let planned = PlannedInvocation {
        id: InvocationId { of: Unit::Second, unit: 0, number: ordinal },
        ordinal: Some(ordinal),
        slot: head(slot, 0),
        mark: Mark::None,
        function: FunctionIndex(0),
        due: Offset::default(),
        runtime_us: 1000,
        runtime_ms: 1,
        memory_mib: 1,
        clamped: false,
    };
    let outcome = Outcome { exact_runtime: Some(true), ..Outcome::bare(Status::Ok, "") };
    Event::Row(Box::new(Row { planned, outcome, flight: Flight::Never, worker: None }))
}

/// What comes out, a word for each event: `open 0`, `row 7 of 0 by 1`, `close 0 with 3`, and `cut` for `close` of a slot that was cut.
fn words(events: &[Event]) -> Vec<String> {
    let word = |event: &Event| match event {
        Event::Opened { head, .. } => Some(format!("open {}", head.index)),
        Event::Row(row) => {
            let by = row.worker.expect("is known");
            Some(format!("row {} of {} by {by}", row.planned.ordinal.unwrap_or_default(), row.planned.slot.index))
        }
        Event::Closed { head, dispatched, complete, .. } => {
            let word = if *complete { "close" } else { "cut" };
            Some(format!("{word} {} with {dispatched}", head.index))
        }
        Event::Joined { .. } | Event::Stopped(_) | Event::Tick => None,
    };
    events.iter().filter_map(word).collect()
}

const ONE: WorkerIndex = WorkerIndex(0);
const TWO: WorkerIndex = WorkerIndex(1);

/// Merges events of two workers, in this order.
fn merged(events: Vec<(WorkerIndex, Event)>) -> (Merge, Vec<Event>) {
    let (mut merge, mut out) = (Merge::new(2, 1, Phases::default()), Vec::new());
    for (worker, event) in events {
        merge.take(worker, event, &mut out).expect("is in order");
    }
    (merge, out)
}

#[test]
fn a_slot_opens_with_the_first_and_closes_with_the_last() {
    let slot = head(0, 3);
    let (merge, out) = merged(vec![
        (ONE, opened(slot, 5)),
        (ONE, row(0, 0)),
        (ONE, closed(0, 2, true)),
        (ONE, opened(head(1, 0), 0)),
        (TWO, opened(slot, 7)),
        (TWO, closed(0, 1, true)),
        (ONE, row(0, 2)),
        (TWO, row(0, 1)),
    ]);
    assert_eq!(
        words(&out),
        ["open 0", "row 0 of 0 by 0", "open 1", "close 0 with 3", "row 2 of 0 by 0", "row 1 of 0 by 1"]
    );
    let joined: Vec<_> = out
        .iter()
        .filter_map(|event| match event {
            Event::Joined { slot, worker, memory } => Some((*slot, *worker, memory.mib)),
            Event::Opened { .. } | Event::Row(_) | Event::Closed { .. } | Event::Stopped(_) | Event::Tick => None,
        })
        .collect();
    assert_eq!(joined, [(0, ONE, 5), (1, ONE, 0), (0, TWO, 7)]);
    let Some(Event::Closed { outcome, memory_peak_mib, head, .. }) =
        out.iter().find(|event| matches!(event, Event::Closed { .. }))
    else {
        panic!("it is closed")
    };
    assert_eq!((outcome.shortfall, *memory_peak_mib, head.planned), (3, 6, 3));
    assert_eq!(merge.slots.keys().collect::<Vec<_>>(), [&1], "a slot that is over is forgotten");
}

#[test]
fn what_rows_count_for_is_decided_when_the_slot_opens() {
    let phases = Phases::after(Duration::from_millis(500));
    let (mut merge, mut out) = (Merge::new(1, 1, phases.clone()), Vec::new());
    merge.take(ONE, opened(head(0, 2), 0), &mut out).unwrap();
    merge.take(ONE, row(0, 0), &mut out).unwrap();
    phases.measure_from(Duration::ZERO);
    merge.take(ONE, row(0, 1), &mut out).unwrap();
    merge.take(ONE, closed(0, 2, true), &mut out).unwrap();
    merge.take(ONE, opened(head(1, 1), 0), &mut out).unwrap();
    merge.take(ONE, row(1, 2), &mut out).unwrap();
    let phases: Vec<_> = out
        .iter()
        .filter_map(|event| match event {
            Event::Row(row) => Some((row.planned.slot.phase, row.planned.slot.planned)),
            Event::Opened { .. } | Event::Joined { .. } | Event::Closed { .. } | Event::Stopped(_) | Event::Tick => {
                None
            }
        })
        .collect();
    assert_eq!(phases, [(Phase::Warmup, 2), (Phase::Warmup, 2), (Phase::Measure, 1)]);
}

#[test]
fn a_stream_that_is_none_of_the_plan_is_refused() {
    let slot = head(0, 3);
    let refused = |events: Vec<(WorkerIndex, Event)>| {
        let (mut merge, mut out) = (Merge::new(2, 1, Phases::default()), Vec::new());
        events.into_iter().find_map(|(worker, event)| merge.take(worker, event, &mut out).err())
    };
    let unnumbered = || {
        let Event::Row(mut row) = row(0, 0) else { unreachable!() };
        row.planned.ordinal = None;
        Event::Row(row)
    };
    for (events, expected) in [
        (vec![(ONE, opened(head(1, 3), 0))], Disorder::Opened(1)),
        (vec![(ONE, opened(slot, 0)), (ONE, opened(head(1, 3), 0))], Disorder::Opened(1)),
        (vec![(ONE, opened(slot, 0)), (TWO, opened(head(0, 4), 0))], Disorder::OtherPlan(0)),
        (vec![(ONE, opened(slot, 0)), (TWO, row(0, 0))], Disorder::Row(0)),
        (vec![(ONE, opened(slot, 0)), (ONE, unnumbered())], Disorder::NoOrdinal),
        (vec![(ONE, closed(0, 0, true))], Disorder::Closed(0)),
        (vec![(WorkerIndex(2), opened(slot, 0))], Disorder::NoWorker),
    ] {
        assert_eq!(refused(events), Some(expected));
    }
}

#[test]
fn a_stream_that_ends_in_the_middle_cuts_its_slot_and_leaves_out_later_ones() {
    let (mut merge, mut out) = merged(vec![
        (ONE, opened(head(0, 3), 0)),
        (ONE, row(0, 0)),
        (TWO, opened(head(0, 3), 0)),
        (TWO, closed(0, 0, true)),
        (TWO, opened(head(1, 0), 0)),
    ]);
    merge.end(ONE, &mut out);
    merge.end(ONE, &mut out);
    merge.take(TWO, closed(1, 0, true), &mut out).unwrap();
    merge.take(TWO, opened(head(2, 0), 0), &mut out).unwrap();
    merge.take(TWO, closed(2, 0, true), &mut out).unwrap();
    assert_eq!(
        words(&out),
        ["open 0", "row 0 of 0 by 0", "open 1", "cut 0 with 1", "cut 1 with 0", "open 2", "cut 2 with 0"]
    );
}

#[test]
fn a_worker_that_stopped_by_itself_can_be_continued_and_one_that_was_stopped_is_closed() {
    let begin = || merged(vec![(ONE, opened(head(0, 3), 0)), (ONE, row(0, 0)), (ONE, closed(0, 1, false))]);
    let (mut merge, mut out) = begin();
    assert!(merge.has_stopped(ONE) && !merge.has_stopped(TWO));
    merge.take(TWO, opened(head(0, 3), 0), &mut out).unwrap();
    merge.take(TWO, closed(0, 0, true), &mut out).unwrap();
    merge.take(ONE, row(0, 2), &mut out).unwrap();
    merge.take(ONE, closed(0, 2, true), &mut out).unwrap();
    assert_eq!(words(&out), ["open 0", "row 0 of 0 by 0", "row 2 of 0 by 0", "close 0 with 2"]);
    let (mut merge, mut out) = begin();
    merge.stop(&mut out);
    merge.end(TWO, &mut out);
    assert_eq!(words(&out), ["open 0", "row 0 of 0 by 0", "cut 0 with 1"]);
    assert!(!merge.has_stopped(ONE));
}

#[test]
fn the_recorder_gets_the_outcome_that_the_plan_gets() {
    let (mut merge, mut out) = merged(vec![(ONE, opened(head(0, 0), 0)), (TWO, opened(head(0, 0), 0))]);
    let decided = SlotOutcome { slot: 0, shortfall: 9, ..SlotOutcome::default() };
    merge.decided(&decided);
    for worker in [ONE, TWO] {
        merge.take(worker, closed(0, 0, true), &mut out).unwrap();
    }
    assert!(matches!(out.last(), Some(Event::Closed { outcome, .. }) if *outcome == decided), "{out:?}");
}

/// A worker's stream: slots, each with ordinals of rows, of which the last `late` come after it was closed.
fn stream(worker: u64, workers: u64, slots: &[u64]) -> Vec<Event> {
    let mut first = 0;
    let (mut events, mut late) = (Vec::new(), Vec::new());
    for (index, &planned) in (0..).zip(slots) {
        events.push(opened(head(index, planned), 0));
        events.append(&mut late);
        let mine: Vec<_> = (first..first + planned).filter(|ordinal| ordinal % workers == worker).collect();
        let (early, rest) = mine.split_at(mine.len() / 2);
        events.extend(early.iter().map(|&ordinal| row(index, ordinal)));
        events.push(closed(index, mine.len() as u64, true));
        late.extend(rest.iter().rev().map(|&ordinal| row(index, ordinal)));
        first += planned;
    }
    events.append(&mut late);
    events
}

proptest! {
    #[test]
    fn any_interleaving_gives_each_row_once_and_each_slot_once(
        slots in prop::collection::vec(0_u64..9, 1..6),
        workers in 1_u64..5,
        draws in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let mut streams: Vec<_> =
            (0..workers).map(|worker| stream(worker, workers, &slots).into_iter().peekable()).collect();
        let mut merge = Merge::new(streams.len(), 1, Phases::default());
        let mut out = Vec::new();
        for draw in draws.iter().cycle() {
            let left: Vec<_> = (0..streams.len()).filter(|&it| streams[it].peek().is_some()).collect();
            if left.is_empty() {
                break;
            }
            let chosen = left[draw.index(left.len())];
            let event = streams[chosen].next().expect("is left");
            merge.take(worker(chosen), event, &mut out).expect("is in order");
        }
        (0..streams.len()).for_each(|it| merge.end(worker(it), &mut out));
        let (mut rows, mut opened, mut closed) = (BTreeMap::new(), Vec::new(), Vec::new());
        for event in &out {
            match event {
                Event::Opened { head, .. } => opened.push(head.index),
                Event::Row(row) => {
                    let slot = row.planned.slot;
                    prop_assert!(opened.contains(&slot.index), "a row comes after its slot has begun");
                    prop_assert_eq!((slot.phase, slot.planned), (Phase::Measure, slots[slot.index as usize]));
                    prop_assert_eq!(rows.insert(row.planned.ordinal.unwrap(), row.worker), None);
                }
                Event::Closed { head, dispatched, complete, .. } => {
                    prop_assert!(*complete);
                    prop_assert_eq!(*dispatched, slots[head.index as usize]);
                    closed.push(head.index);
                }
                Event::Joined { .. } | Event::Stopped(_) | Event::Tick => {}
            }
        }
        let all: Vec<_> = (0..).take(slots.len()).collect();
        prop_assert_eq!((&opened, &closed), (&all, &all));
        prop_assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (0..slots.iter().sum()).collect::<Vec<_>>());
        prop_assert!(merge.slots.is_empty(), "nothing is kept of what is over");
    }
}
