use loader_proto::schema::Row as _;

use super::*;
use crate::{
    plan::Mark,
    record::testkit::{head, row, t0, unsent},
};

const BOUND: Duration = Duration::from_millis(10);

fn completed_slot(rows: impl Fn(&Anchor) -> Vec<Row>, planned: u64) -> CompletedSlot {
    completed_or_cut(rows, planned, None)
}

fn completed_or_cut(rows: impl Fn(&Anchor) -> Vec<Row>, planned: u64, cut: Option<Duration>) -> CompletedSlot {
    let t0 = t0();
    let mut slots = Slots::new(t0, BOUND);
    let rows = rows(&t0);
    let dispatched = rows.len() as u64;
    assert_eq!(
        slots.closed(head(0, planned), Closed { cut, dispatched, memory_peak_mib: 6 }).is_some(),
        dispatched == 0
    );
    let mut completed = None;
    for row in rows {
        assert!(completed.is_none(), "it completes with its last row");
        completed = slots.row(&row);
    }
    completed.expect("all rows were given")
}

#[test]
fn a_slot_adds_up_its_rows_and_is_complete_with_the_last_one() {
    let completed = completed_slot(
        |t0| {
            let mut cold = row(t0, head(0, 3), 2, 30);
            cold.outcome.cold_start = Some(true);
            vec![row(t0, head(0, 3), 1, 20), cold, unsent(head(0, 3), Status::ConnectError)]
        },
        3,
    );
    let expected = SlotRow {
        slot: 0,
        phase: Phase::Measure,
        start: UnixMicros(1_000_000_000),
        duration: Duration::from_secs(10),
        rps: 0.3,
        planned: 3,
        issued: 2,
        returned: 2,
        failed: 1,
        cold_starts: 1,
        lag_p99_us: None,
        saturated: false,
        response_p50_us: Some(20_000),
        response_p99_us: None,
        own_lag_p99_us: None,
        open_loop: true,
        memory_peak_mib: 6,
        memory_mean_mib: None,
    };
    assert_eq!(completed.row, expected);
    assert_eq!(
        record(&completed.row).fields().join(","),
        "0,measure,1000000000,10000000,0.3,3,2,2,1,1,,false,,true,6,"
    );
}

#[test]
fn step_warmup_is_left_out_but_waited_for() {
    let completed = completed_slot(
        |t0| {
            let mut warmup = row(t0, head(0, 1), 500, 500);
            warmup.planned.mark = Mark::StepWarmup;
            vec![warmup, row(t0, head(0, 1), 1, 20)]
        },
        1,
    );
    assert_eq!((completed.row.issued, completed.row.returned, completed.row.saturated), (1, 1, false));
}

/// A hundred rows like this one.
fn hundred(row: &Row) -> Vec<Row> {
    vec![row.clone(); 100]
}

#[test]
fn lag_above_the_bound_is_a_verdict_but_not_what_it_waited_for_others() {
    let late = completed_slot(|t0| hundred(&row(t0, head(0, 100), 11, 20)), 100);
    let why = late.saturated.map(|verdict| verdict.to_string());
    assert_eq!(why.as_deref(), Some("slot 0: the loader's own lag p99 11.0 ms"));
    assert_eq!((late.row.lag_p99_us, late.row.own_lag_p99_us), (Some(11_000), Some(11_000)));
    for wait in [Some(Duration::from_millis(5)), None] {
        let waited = completed_slot(
            |t0| {
                let mut row = row(t0, head(0, 100), 11, 20);
                row.outcome.connect = wait;
                row.outcome.stream_wait = Some(Duration::from_millis(5)).xor(wait);
                hundred(&row)
            },
            100,
        );
        assert_eq!(
            (waited.saturated, waited.held),
            (None, None),
            "five of eleven are not the loader's, and no long wait"
        );
        assert_eq!((waited.row.lag_p99_us, waited.row.own_lag_p99_us), (Some(11_000), Some(6_000)));
    }
}

#[test]
fn one_late_row_of_a_hundred_is_no_verdict_and_two_are() {
    for (late, saturated) in [(1, false), (2, true)] {
        let rows =
            |t0: &Anchor| (0..100).map(|place| row(t0, head(0, 100), if place < late { 50 } else { 1 }, 20)).collect();
        assert_eq!(completed_slot(rows, 100).saturated.is_some(), saturated, "{late}");
    }
}

#[test]
fn too_few_sent_is_a_verdict() {
    let rows = |t0: &Anchor| {
        let mut rows: Vec<_> = (0..97).map(|_| row(t0, head(0, 100), 1, 20)).collect();
        rows.extend((0..3).map(|_| unsent(head(0, 100), Status::NotSent)));
        rows
    };
    let verdict = completed_slot(rows, 100).saturated.map(|verdict| verdict.to_string());
    assert_eq!(verdict, Some("slot 0: 97 of 100 invocations sent in time".to_owned()));
}

#[test]
fn a_slot_that_was_cut_short_is_judged_by_what_came_due() {
    let rows = |t0: &Anchor| vec![row(t0, head(0, 100), 1, 20); 40];
    let CompletedSlot { row, saturated, .. } = completed_or_cut(rows, 100, Some(Duration::from_secs(4)));
    assert_eq!((row.planned, row.issued, row.duration), (40, 40, Duration::from_secs(4)));
    assert_eq!(saturated, None);
}

#[test]
fn what_waited_for_streams_is_not_open_loop_and_not_the_loaders_fault() {
    let rows = |t0: &Anchor| {
        let mut held = row(t0, head(0, 1000), 500, 20);
        held.outcome.stream_wait = Some(Duration::from_millis(499));
        held.outcome.stream_limit = Some(10);
        let mut never = unsent(head(0, 1000), Status::NotSent);
        never.outcome.stream_wait = Some(Duration::from_secs(1));
        never.outcome.stream_limit = Some(10);
        [vec![row(t0, head(0, 1000), 1, 250); 900], vec![held; 50], vec![never; 50]].concat()
    };
    let CompletedSlot { row, saturated, held, .. } = completed_slot(rows, 1000);
    assert_eq!((saturated, row.saturated, row.open_loop), (None, false, false));
    let Held { held, of, stream_limit, connections_needed, .. } = held.expect("it waited");
    assert_eq!((held, of, stream_limit), (100, 1000, Some(10)));
    // A hundred a second for almost 0.24 s keep 24 streams busy.
    assert_eq!(connections_needed, Some(3));
}

#[test]
fn one_of_a_hundred_may_wait() {
    let rows = |t0: &Anchor| {
        let mut held = row(t0, head(0, 100), 50, 20);
        held.outcome.connect = Some(Duration::from_millis(49));
        [vec![row(t0, head(0, 100), 1, 20); 99], vec![held]].concat()
    };
    assert_eq!(completed_slot(rows, 100).held, None);
}

#[test]
fn what_found_no_connection_is_not_the_loaders_fault() {
    let rows = |_: &Anchor| vec![unsent(head(0, 5), Status::ConnectTimeout); 5];
    let completed = completed_slot(rows, 5);
    assert_eq!((completed.saturated, completed.row.issued, completed.row.failed), (None, 0, 5));
    assert_eq!(completed.held, None, "it failed, which is a count of its own");
}

#[test]
fn an_empty_slot_is_complete_when_it_closes() {
    let completed = Slots::new(t0(), BOUND)
        .closed(head(3, 0), Closed { cut: None, dispatched: 0, memory_peak_mib: 0 })
        .expect("completes");
    assert_eq!((completed.row.slot, completed.row.planned, completed.saturated), (3, 0, None));
}

#[test]
fn memory_in_flight_is_that_of_all_slots_whose_time_it_is() {
    let t0 = t0();
    let mut slots = Slots::new(t0, BOUND);
    let asking = |slot, lag_ms, response_ms| {
        let mut row = row(&t0, slot, lag_ms, response_ms);
        row.planned.memory_mib = 100;
        row
    };
    let level = |slot: SlotHead, mib| MemoryLevel { at: t0.instant + slot.start.as_duration(), mib };
    let closed = |dispatched| Closed { cut: None, dispatched, memory_peak_mib: 200 };
    // Two of slot 0, of ten seconds: one ends in its middle, the other, due at its begin, in the middle of slot 1, where a
    // third one of slot 1 is in flight from 7.5 s on, until after it.
    let (first, second) = (head(0, 2), head(1, 1));
    slots.opened(first, level(first, 0));
    assert_eq!(slots.row(&asking(first, 0, 5_000)), None);
    assert_eq!(slots.closed(first, closed(2)), None);
    slots.opened(second, level(second, 100));
    let row = slots.row(&asking(first, 0, 15_000)).expect("completes slot 0").row;
    assert_eq!((row.memory_mean_mib, row.memory_peak_mib), (Some(150.0), 200));
    assert_eq!(slots.closed(second, closed(1)), None);
    let row = slots.row(&asking(second, 7_500, 15_000)).expect("completes slot 1").row;
    assert_eq!(row.memory_mean_mib, Some(75.0));
    assert_eq!(record(&row).fields().last().map(|it| it.to_string()).as_deref(), Some("75"));
}

#[test]
fn what_the_bound_of_memory_held_back_is_not_the_loaders_fault() {
    let refused = |_: &Anchor| vec![Row { flight: Flight::OverMemory, ..unsent(head(0, 5), Status::NotSent) }; 5];
    let completed = completed_slot(refused, 5);
    assert_eq!((completed.saturated, completed.row.issued, completed.row.failed), (None, 0, 5));
}
