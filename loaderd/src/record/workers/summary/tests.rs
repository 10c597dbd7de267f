use super::*;
use crate::{
    clock::Anchor,
    invoke::Status,
    plan::{Mark, Phase, SlotHead},
    record::{
        AskedArrivals, Row, Summary, SummaryFacts,
        slots::{Closed, Slots},
        statistics::Rules,
        summarise,
        testkit::{head, row, t0, unsent},
        workers::standing::ClockBound,
    },
};

const BOUND: Duration = Duration::from_millis(10);

fn facts(index: u16) -> WorkerFacts {
    WorkerFacts { node: format!("node-{index}"), batches: 7, bytes: 900, ..WorkerFacts::unknown(WorkerIndex(index)) }
}

fn clock(worst_us: u64) -> Option<WorkerClock> {
    let bound = ClockBound { offset_ns: -50_000_000, bound: Duration::from_micros(20) };
    Some(WorkerClock { first: bound, last: bound, worst: Duration::from_micros(worst_us), exchanges: 9 })
}

/// The summary of these rows, all of one slot, by worker.
fn summary(of: impl Fn(&Anchor, SlotHead) -> Vec<(u16, Row)>, workers: Vec<WorkerFacts>) -> Summary {
    let t0 = t0();
    let rules = Rules { t0, lag_bound: BOUND, slo: None, is_timed: true };
    let planned = of(&t0, head(0, 0)).len() as u64;
    let slot = head(0, planned);
    let mut statistics = Statistics::new(1, AskedArrivals::Uniform, rules);
    let mut slots = Slots::new(t0, BOUND);
    let closed = slots.closed(slot, Closed { cut: None, dispatched: planned, memory_peak_mib: 0 });
    closed.into_iter().for_each(|completed| statistics.slot_completed(completed));
    for (worker, row) in of(&t0, slot) {
        let row = Row { worker: Some(WorkerIndex(worker)), ..row };
        statistics.row(&row);
        slots.row(&row).into_iter().for_each(|completed| statistics.slot_completed(completed));
    }
    let facts = SummaryFacts { workers, max_clock_error: Some(Duration::from_millis(1)), ..SummaryFacts::of(t0.unix) };
    summarise(statistics, facts)
}

#[test]
fn one_late_worker_saturates_the_run_and_is_named() {
    let rows = |t0: &Anchor, slot| {
        let late = |worker, count| (0..count).map(move |_| (worker, row(t0, slot, 30, 5)));
        let on_time = |worker, count| (0..count).map(move |_| (worker, row(t0, slot, 1, 5)));
        // Two of a worker's hundred, of four hundred in all: the run's own percentile is in bounds.
        late(3, 2).chain(on_time(3, 98)).chain(on_time(0, 300)).collect()
    };
    let summary = summary(rows, Vec::new());
    assert_eq!(summary.saturation.reason, "slot 0: own lag p99 of worker 3 30.0 ms");
    assert_eq!((summary.saturation.saturated, summary.saturation.slots), (true, vec![0]));
    assert_eq!(summary.saturation.workers_needed, None, "there are workers already");
    assert!(summary.slots[0].saturated);
    let by_worker: Vec<_> =
        summary.workers.iter().map(|it| (it.index.0, it.rows, it.saturated_slots, it.own_lag_us.max)).collect();
    assert_eq!(by_worker, [(0, 300, 0, Some(1000)), (3, 100, 1, Some(30_000))]);
}

#[test]
fn what_a_lost_worker_did_not_send_saturates_and_names_it() {
    let rows = |t0: &Anchor, slot| {
        let sent = (0..50).map(move |_| (0, row(t0, slot, 1, 5)));
        sent.chain((0..50).map(move |_| (1, unsent(slot, Status::NotSent)))).collect()
    };
    let lost = WorkerFacts { state: WorkerState::Lost, reason: "killed by signal 9".to_owned(), ..facts(1) };
    let summary = summary(rows, vec![lost, facts(0)]);
    assert_eq!(summary.saturation.reason, "slot 0: 0 of 50 invocations of worker 1 sent in time");
    let [first, second] = &summary.workers[..] else { panic!("{:?}", summary.workers) };
    assert_eq!((first.state, first.measured.issued, first.node.as_str()), (WorkerState::Ok, 50, "node-0"));
    assert_eq!((second.state, second.measured.requested, second.measured.issued), (WorkerState::Lost, 50, 0));
    assert_eq!((second.own_lag_us.count, second.own_lag_us.max, second.bytes), (0, None, 900));
}

#[test]
fn stalls_belong_to_their_worker() {
    let rows =
        |t0: &Anchor, slot| vec![(0, row(t0, slot, 30, 5)), (1, row(t0, slot, 50, 5)), (1, row(t0, slot, 20, 5))];
    let summary = summary(rows, Vec::new());
    let millis = Duration::from_millis;
    assert_eq!((summary.stalls.count, summary.stalls.longest, summary.stalls.total), (2, millis(50), millis(80)));
    let by_worker = summary.workers.iter().map(|it| (it.stalls, it.longest_stall, it.total_stall));
    assert_eq!(by_worker.collect::<Vec<_>>(), [(1, millis(30), millis(30)), (1, millis(50), millis(50))]);
}

#[test]
fn figures_are_of_the_populations_of_the_run() {
    let rows = |t0: &Anchor, slot: SlotHead| {
        let mut step = row(t0, slot, 4, 5);
        step.planned.mark = Mark::StepWarmup;
        let mut warmup = row(t0, slot, 5, 5);
        warmup.planned.slot.phase = Phase::Warmup;
        vec![(0, row(t0, slot, 1, 5)), (0, step), (0, warmup)]
    };
    let summary = summary(rows, Vec::new());
    let [worker] = &summary.workers[..] else { panic!("{:?}", summary.workers) };
    assert_eq!((worker.rows, worker.measured.requested, worker.dispatch_lag_us.count), (3, 2, 1));
}

#[test]
fn a_clock_that_is_known_too_badly_marks_the_run() {
    let with_clocks = |clocks: [Option<WorkerClock>; 3]| {
        let workers = (0..).zip(clocks).map(|(index, clock)| WorkerFacts { clock, ..facts(index) });
        summary(|_, _| Vec::new(), workers.collect()).clock_error
    };
    assert_eq!(with_clocks([clock(20), clock(1000), None]), None);
    let error = with_clocks([clock(1001), clock(20), clock(4000)]).expect("is marked");
    assert_eq!(error.workers, [WorkerIndex(0), WorkerIndex(2)]);
    assert_eq!((error.max, error.worst), (Duration::from_millis(1), Duration::from_millis(4)));
}

#[test]
fn a_run_without_workers_has_none() {
    let t0 = t0();
    let rules = Rules { t0, lag_bound: BOUND, slo: None, is_timed: true };
    let mut statistics = Statistics::new(1, AskedArrivals::Uniform, rules);
    statistics.row(&row(&t0, head(0, 1), 1, 5));
    let summary = summarise(statistics, SummaryFacts::of(t0.unix));
    assert_eq!((summary.workers, summary.clock_error), (Vec::new(), None));
}
