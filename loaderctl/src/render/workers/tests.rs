use insta::assert_snapshot;
use loader_proto::v1::{ClockOffset, Counts, Distribution, RunProgress, WorkerClock};

use super::*;
use crate::render::fixtures;

fn offset_of(offset_ns: i64, bound_ns: u64) -> Option<ClockOffset> {
    Some(ClockOffset { offset_ns, bound_ns })
}

/// A worker that keeps up.
fn worker(index: u32) -> WorkerProgress {
    WorkerProgress {
        worker: index,
        node: format!("node-{index}"),
        state: "ok".to_owned(),
        due: 120_000 + u64::from(index),
        issued: 119_998,
        in_flight: 31,
        own_lag_p99_us: Some(100 + u64::from(index)),
        clock: offset_of(0, 21_300),
        ..WorkerProgress::default()
    }
}

/// The lines of a run with these workers, which are not too wide.
fn lines(workers: Vec<WorkerProgress>) -> String {
    let progress = RunProgress { workers, ..fixtures::running().progress.unwrap_or_default() };
    let lines = under_way(&Run { progress: Some(progress), ..fixtures::running() });
    assert!(lines.iter().all(|line| line.chars().count() <= 76), "{lines:#?}");
    lines.join("\n")
}

#[test]
fn four_workers_have_a_line_each() {
    let lost = WorkerProgress {
        state: LOST.to_owned(),
        node: "gke-load-generators-pool-1-8f6c".to_owned(),
        own_lag_p99_us: None,
        clock: None,
        ..worker(2)
    };
    assert_snapshot!(lines(vec![worker(0), worker(1), lost, worker(3)]));
}

#[test]
fn of_a_hundred_the_worst_have() {
    let with_state = |index: u32, state: &str| WorkerProgress { state: state.to_owned(), ..worker(index) };
    let mut all: Vec<_> = (0..100).map(worker).collect();
    all[71] = with_state(71, LOST);
    all[40] = with_state(40, "suspect");
    all[7].own_lag_p99_us = Some(12_700);
    all[9].own_lag_p99_us = Some(1_234_000);
    let shown = lines(all.clone());
    assert!(shown.lines().count() <= 8, "{shown}");
    assert_snapshot!(shown);
    assert_snapshot!(standing(&all).unwrap_or_default(), @"workers 100: 1 lost, 98 ok, 1 suspect");
}

#[test]
fn a_run_without_workers_shows_none() {
    assert_eq!((lines(Vec::new()).as_str(), standing(&[])), ("", None));
    assert_eq!(workers(&RunSummary::default()), "");
    assert_eq!(lost(&RunSummary::default()), None);
}

/// What became of a worker.
fn ended(index: u32, requested: u64, issued: u64) -> WorkerSummary {
    let lag = |p99| Some(Distribution { p99: Some(p99), ..Distribution::default() });
    WorkerSummary {
        worker: index,
        node: format!("node-{index}"),
        state: "ok".to_owned(),
        rows: requested + 600,
        counts: Some(Counts { requested, issued, ..Counts::default() }),
        own_lag_us: lag(120),
        receive_lag_us: lag(45),
        stalls: 2,
        longest_stall_us: 14_000,
        total_stall_us: 26_000,
        clock: Some(WorkerClock {
            first: offset_of(-50_003_100, 18_000),
            last: offset_of(-50_004_200, 20_000),
            worst_bound_ns: 21_300,
            exchanges: 68,
        }),
        ..WorkerSummary::default()
    }
}

/// A summary of three workers, one of which was lost.
fn summary() -> RunSummary {
    let lost = WorkerSummary {
        state: LOST.to_owned(),
        reason: "killed by signal 9".to_owned(),
        saturated_slots: 1,
        clock: None,
        receive_lag_us: None,
        ..ended(1, 400, 150)
    };
    RunSummary { workers: vec![ended(0, 600, 600), lost, ended(2, 200, 200)], ..RunSummary::default() }
}

#[test]
fn what_became_of_each() {
    assert_snapshot!(workers(&summary()));
}

/// As they are on a cluster: long names, a load of hours, clocks that are far apart, one that was the bottleneck.
#[test]
fn what_became_of_each_is_no_wider_than_a_terminal() {
    let of = |index: u32| WorkerSummary {
        node: format!("gke-load-generators-pool-1-8f6c-{index}"),
        rows: 12_345_678,
        counts: Some(Counts { requested: 12_345_678, issued: 12_345_600, ..Counts::default() }),
        saturated_slots: u32::from(index == 2) * 300,
        stalls: 12_345,
        ..ended(index, 0, 0)
    };
    let mut all: Vec<_> = (8..12).map(of).chain([of(2)]).collect();
    all[1].state = "resumed".to_owned();
    let shown = workers(&RunSummary { workers: all, ..RunSummary::default() });
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert_snapshot!(shown);
}

#[test]
fn of_many_the_worst_are_shown() {
    let mut all: Vec<_> = (0..64).map(|index| ended(index, 100, 100)).collect();
    all[40].state = LOST.to_owned();
    all[50].saturated_slots = 3;
    all[60].own_lag_us = Some(Distribution { p99: Some(90_000), max: Some(90_000), ..Distribution::default() });
    let shown = workers(&RunSummary { workers: all, ..RunSummary::default() });
    assert_eq!(shown.lines().count(), 2 + SHOWN + 1, "{shown}");
    assert!(shown.ends_with("44 more workers were better off\n"), "{shown}");
    for expected in ["\n40 ", "\n50 ", "\n60 ", " lost ", " saturated ", " 90.0 ms "] {
        assert!(shown.contains(expected), "{expected:?}: {shown}");
    }
}

#[test]
fn one_node_of_all_is_named_once() {
    let of = |index| WorkerSummary { node: "here".to_owned(), ..ended(index, 100, 100) };
    let shown = workers(&RunSummary { workers: vec![of(0), of(1)], ..RunSummary::default() });
    assert!(shown.starts_with("Workers, all on node here\nworker  state") && !shown.contains("node-"), "{shown}");
}

#[test]
fn lost_workers_are_named_with_their_reasons() {
    assert_snapshot!(lost(&summary()).unwrap_or_default());
    let many = (0..7).map(|index| WorkerSummary { state: LOST.to_owned(), ..ended(index, 10, 4) }).collect();
    assert_snapshot!(lost(&RunSummary { workers: many, ..RunSummary::default() }).unwrap_or_default());
}

#[test]
fn a_clock_that_is_known_too_badly_is_a_verdict() {
    let error = |workers: Vec<u32>| ClockError { max_ns: 1_000_000, workers, worst_bound_ns: 4_250_000 };
    assert_snapshot!(clock_error(&error(vec![3])));
    assert_snapshot!(clock_error(&error((0..9).collect())));
}
