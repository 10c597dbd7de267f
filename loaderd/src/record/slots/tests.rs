use loader_proto::schema::Row as _;

use super::*;
use crate::{
    plan::Mark,
    record::testkit::{head, row, t0, unsent},
};

const BOUND: Duration = Duration::from_millis(10);

fn settle(rows: impl Fn(&Anchor) -> Vec<Row>, planned: u64, complete: bool) -> Settled {
    let t0 = t0();
    let mut slots = Slots::new(t0, BOUND);
    let rows = rows(&t0);
    let dispatched = rows.len() as u64;
    assert_eq!(slots.closed(head(0, planned), dispatched, complete).is_some(), dispatched == 0);
    let mut settled = None;
    for row in rows {
        assert!(settled.is_none(), "it settles with its last row");
        settled = slots.row(&row);
    }
    settled.expect("all rows were given")
}

#[test]
fn a_slot_adds_up_its_rows_and_settles_with_the_last_one() {
    let settled = settle(
        |t0| {
            let mut cold = row(t0, head(0, 3), 2, 30);
            cold.outcome.cold_start = Some(true);
            vec![row(t0, head(0, 3), 1, 20), cold, unsent(head(0, 3), Status::ConnectError)]
        },
        3,
        true,
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
        lag_p99_us: 2000,
        saturated: false,
        response_p50_us: 20_000,
        response_p99_us: 30_000,
    };
    assert_eq!(settled.row, expected);
    assert_eq!(record(&settled.row).fields().join(","), "0,measure,1000000000,10000000,0.3,3,2,2,1,1,2000,false");
}

#[test]
fn step_warmup_is_left_out_but_waited_for() {
    let settled = settle(
        |t0| {
            let mut warmup = row(t0, head(0, 1), 500, 500);
            warmup.planned.mark = Mark::StepWarmup;
            vec![warmup, row(t0, head(0, 1), 1, 20)]
        },
        1,
        true,
    );
    assert_eq!((settled.row.issued, settled.row.lag_p99_us, settled.row.saturated), (1, 1000, false));
}

#[test]
fn lag_above_the_bound_is_a_verdict_but_not_the_time_that_a_connection_took() {
    let late = settle(|t0| vec![row(t0, head(0, 1), 11, 20)], 1, true);
    assert_eq!(late.verdict.map(|verdict| verdict.to_string()), Some("slot 0: dispatch lag p99 11.0 ms".to_owned()));
    let connecting = settle(
        |t0| {
            let mut row = row(t0, head(0, 1), 11, 20);
            row.outcome.connect = Some(Duration::from_millis(5));
            vec![row]
        },
        1,
        true,
    );
    assert_eq!((connecting.verdict, connecting.row.lag_p99_us), (None, 6000));
}

#[test]
fn too_few_sent_is_a_verdict_unless_the_slot_was_cut_short() {
    let rows = |t0: &Anchor| {
        let mut rows: Vec<_> = (0..97).map(|_| row(t0, head(0, 100), 1, 20)).collect();
        rows.extend((0..3).map(|_| unsent(head(0, 100), Status::NotSent)));
        rows
    };
    let verdict = settle(rows, 100, true).verdict.map(|verdict| verdict.to_string());
    assert_eq!(verdict, Some("slot 0: 97 of 100 invocations sent in time".to_owned()));
    assert_eq!(settle(rows, 100, false).verdict, None);
}

#[test]
fn what_found_no_connection_is_not_the_loaders_fault() {
    let rows = |_: &Anchor| (0..5).map(|_| unsent(head(0, 5), Status::ConnectTimeout)).collect();
    let settled = settle(rows, 5, true);
    assert_eq!((settled.verdict, settled.row.issued, settled.row.failed), (None, 0, 5));
}

#[test]
fn an_empty_slot_settles_when_it_closes() {
    let settled = Slots::new(t0(), BOUND).closed(head(3, 0), 0, true).expect("settles");
    assert_eq!((settled.row.slot, settled.row.planned, settled.verdict), (3, 0, None));
}
