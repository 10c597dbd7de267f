//! The wait between slots, on a paused clock.

use tokio::time::{advance, sleep};

use super::*;
use crate::plan::{Phase, SlotEvidence};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn judging(drain: Option<Duration>) -> Judging {
    Judging { warmup: seconds(1), verdict: seconds(2), drain, slo: None, lag: Duration::from_millis(10) }
}

fn head(index: u32) -> SlotHead {
    let start = Offset::default().plus(seconds(5) * index);
    SlotHead { index, phase: Phase::Measure, start, duration: seconds(5), rate: 1.0, planned: 5, measured: 4 }
}

fn outcome(slot: u32) -> SlotOutcome {
    SlotOutcome { slot, shortfall: 3, ..SlotOutcome::default() }
}

/// Two slots with so many in flight when the first ends, each of which ends when this has passed since.
async fn closed(drain: Duration, ends_after: &[Duration]) -> (SlotOutcome, SlotOutcome) {
    let (t0, counters, stop) = (Clock.now(), Counters::default(), Stop::default());
    let mut ends = SlotEnds::new(judging(Some(drain)), t0, Clock, stop, ConnectionCount::default());
    ends_after.iter().for_each(|_| assert!(counters.handed_out(1) > 0));
    ends.open(head(0));
    advance(seconds(5)).await;
    let calls = async {
        let begun = Clock.now();
        for after in ends_after {
            tokio::time::sleep_until(begun + *after).await;
            counters.ended(1);
        }
    };
    let slots = async {
        let first = ends.close(head(0), &counters, outcome(0)).await;
        ends.open(head(1));
        let second = ends.close(head(1), &counters, outcome(1)).await;
        (first, second)
    };
    tokio::join!(slots, calls).0
}

fn millis(outcome: &SlotOutcome) -> u64 {
    outcome.next_start.as_nanos() / 1_000_000
}

fn inherited(outcome: &SlotOutcome) -> Option<u64> {
    outcome.evidence.as_ref().map(|evidence| evidence.backlog.inherited)
}

#[tokio::test(start_paused = true)]
async fn slots_touch_where_nothing_is_in_flight() {
    let (first, second) = closed(seconds(5), &[]).await;
    assert_eq!((first.slot, first.shortfall, millis(&first), inherited(&first)), (0, 3, 5000, Some(0)));
    assert_eq!((second.slot, millis(&second), inherited(&second)), (1, 10_000, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn the_next_slot_begins_when_the_last_answer_has_come() {
    let (first, second) = closed(seconds(5), &[seconds(1), Duration::from_millis(3500)]).await;
    assert_eq!((millis(&first), inherited(&first)), (5000 + 3500 + 10, Some(0)));
    assert_eq!(inherited(&second), Some(0));
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_bounded_and_what_is_left_is_the_next_slots_backlog() {
    let (first, second) = closed(seconds(4), &[seconds(1), seconds(60), seconds(60)]).await;
    assert_eq!((millis(&first), inherited(&first)), (5000 + 4000 + 10, Some(0)));
    assert_eq!(inherited(&second), Some(2));
    // Each invocation has its time, however short the wait is to be.
    let (first, _) = closed(Duration::ZERO, &[seconds(60)]).await;
    assert_eq!(millis(&first), 5000 + 2000 + 10);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_and_nothing_is_decided() {
    let (counters, stop) = (Counters::default(), Stop::default());
    let mut ends =
        SlotEnds::new(judging(Some(seconds(3600))), Clock.now(), Clock, stop.clone(), ConnectionCount::default());
    counters.handed_out(1);
    ends.open(head(0));
    let stopping = async {
        sleep(seconds(7)).await;
        stop.stop();
    };
    let begun = Clock.now();
    let (closed, ()) = tokio::join!(ends.close(head(0), &counters, outcome(0)), stopping);
    assert_eq!((closed.evidence, Clock.now() - begun), (None, seconds(7)));
}

#[tokio::test(start_paused = true)]
async fn without_a_wait_a_slot_is_judged_when_the_next_has_ended() {
    let counters = Counters::default();
    let mut ends = SlotEnds::new(judging(None), Clock.now(), Clock, Stop::default(), ConnectionCount::default());
    counters.handed_out(1);
    let mut judged = Vec::new();
    for index in 0..3 {
        ends.open(head(index));
        let closed = ends.close(head(index), &counters, outcome(index)).await;
        assert_eq!(closed.next_start, head(index).end());
        judged.push(closed.evidence.map(|evidence| {
            let SlotEvidence { slot, .. } = *evidence;
            slot
        }));
    }
    assert_eq!(judged, [None, Some(0), Some(1)]);
}
