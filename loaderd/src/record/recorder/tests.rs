use std::fs;

use super::*;
use crate::{
    id::{FunctionIndex, WorkerIndex},
    invoke::Status,
    plan::NoFindings,
    platform::{Scale, ScaleSample},
    record::testkit::{head, row, t0, unsent},
};

struct Kept {
    directory: tempfile::TempDir,
    recorded: Recorded,
    progress: Progress,
    failure: Option<String>,
}

fn record(events: impl FnOnce(&Anchor) -> Vec<Event>) -> Kept {
    let directory = tempfile::tempdir().expect("a directory");
    let t0 = t0();
    let (progress, show_progress) = watch::channel(Progress::default());
    let (failure, show_failure) = watch::channel(None);
    let settings = settings(t0, progress);
    let recorder = Recorder::create(directory.path(), settings, failure).expect("creates");
    let (sender, receiver) = mpsc::channel(64);
    for event in events(&t0) {
        sender.try_send(event).expect("room");
    }
    drop(sender);
    let recorded = recorder.run(receiver);
    let (progress, failure) = (show_progress.borrow().clone(), show_failure.borrow().clone());
    Kept { directory, recorded, progress, failure }
}

/// The scales of the function: one instance of two from shortly before t0 on.
fn history() -> ScaleHistory {
    let history = ScaleHistory::new(1, Duration::from_secs(60));
    let scale = Scale { running: 1, desired: 2, ..Scale::default() };
    history.add(&ScaleSample { at: UnixMicros(1_000_000_000 - 5), function: FunctionIndex(0), scale, source: None });
    history
}

fn settings(t0: Anchor, progress: watch::Sender<Progress>) -> RecorderSettings {
    RecorderSettings {
        aborts: None,
        run: RunId::new(0, 1),
        functions: ["f".to_owned()].into(),
        t0,
        lag_bound: Duration::from_millis(10),
        slo: None,
        is_timed: true,
        arrivals: AskedArrivals::Planned,
        spans: None,
        scales: Arc::new(history()),
        latencies: Latencies::default(),
        collector: Box::new(NoFindings),
        metrics: Metrics::new(),
        progress,
        clock: Clock,
    }
}

/// A slot that begins with 2 MiB in flight of earlier ones.
fn opened(t0: &Anchor, head: SlotHead) -> Event {
    Event::Opened { head, memory: MemoryLevel { at: t0.instant + head.start.as_duration(), mib: 2 } }
}

fn closed(head: SlotHead, dispatched: u64) -> Event {
    Event::Closed { head, dispatched, outcome: SlotOutcome::default(), complete: true, memory_peak_mib: 4 }
}

#[test]
fn rows_and_slots_are_on_disk_as_columns_md_has_them() {
    let kept = record(|t0| {
        let slot = head(0, 2);
        vec![
            opened(t0, slot),
            Event::Row(Box::new(row(t0, slot, 1, 25))),
            closed(slot, 2),
            Event::Row(Box::new(unsent(slot, Status::NotSent))),
        ]
    });
    let read = |name: &str| fs::read_to_string(kept.directory.path().join(name)).expect("reads");
    insta::assert_snapshot!(read("invocations.csv"), @r"
    run_id,invocation_id,function,phase,slot,mark,due_unix_us,sent_unix_us,dispatch_lag_us,connect_us,response_us,requested_runtime_us,actual_runtime_us,requested_memory_kib,actual_memory_kib,status,error,instance,cold_start,instance_started_unix_us,saturated,response_bytes,stream_wait_us,receive_lag_us,instances,instances_desired,worker
    19700101t000000000-0001,sec0.inv0,f,measure,0,,1000000000,1000001000,1000,,25000,10000,10000,2048,2048,ok,,f-1,false,7,false,,,,1,2,
    19700101t000000000-0001,sec0.inv0,f,measure,0,,1000000000,,,,,10000,,2048,,not_sent,why,,,,true,,,,1,2,
    ");
    insta::assert_snapshot!(read("slots.csv"), @r"
    slot,phase,start_unix_us,duration_us,rps,planned,issued,returned,failed,cold_starts,lag_p99_us,saturated,own_lag_p99_us,open_loop,memory_peak_mib,memory_mean_mib
    0,measure,1000000000,10000000,0.2,2,1,1,1,0,,true,,true,4,2.005
    ");
    assert_eq!(kept.failure, None);
    assert!(kept.recorded.error.is_none() && kept.recorded.statistics.is_saturated());
}

#[test]
fn progress_counts_what_has_ended() {
    let kept = record(|t0| {
        let slot = head(4, 2);
        vec![
            opened(t0, slot),
            Event::Row(Box::new(row(t0, slot, 1, 25))),
            Event::Row(Box::new(unsent(slot, Status::ConnectError))),
            Event::Tick,
        ]
    });
    let expected = Progress {
        slot: 4,
        phase: Some(Phase::Measure),
        target_rate: 0.2,
        completed: 2,
        failed: 1,
        ..Progress::default()
    };
    assert_eq!(kept.progress, expected);
}

#[test]
fn rows_of_workers_name_them_and_progress_has_their_lags() {
    let kept = record(|t0| {
        let slot = head(0, 102);
        let of = |worker, row| Event::Row(Box::new(Row { worker: Some(WorkerIndex(worker)), ..row }));
        let late = (0..2).map(|_| of(1, row(t0, slot, 40, 25)));
        let rest = (0..48).map(|_| of(1, unsent(slot, Status::ConnectError)));
        std::iter::once(opened(t0, slot)).chain(late).chain(rest).collect()
    });
    let csv = fs::read_to_string(kept.directory.path().join("invocations.csv")).expect("reads");
    assert_eq!(csv.lines().skip(1).filter(|line| line.ends_with(",1,2,1")).count(), 50, "{csv}");
    let lags: Vec<_> = kept.progress.workers.iter().map(|it| (it.index.0, it.own_lag_p99_us)).collect();
    assert_eq!(lags, [(1, None)], "two values have no 99th percentile");
}

#[test]
fn existing_records_are_never_overwritten() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("invocations.csv");
    fs::write(&path, "precious").expect("writes");
    let error = CsvFile::<schema::Invocations>::create(directory.path()).err().expect("is refused");
    assert!(error.to_string().starts_with(&format!("cannot create {}", path.display())), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("reads"), "precious");
}

#[test]
fn a_full_disk_is_reported_with_its_path_and_figures_continue() {
    // Every write to /dev/full fails as on a full disk.
    let directory = tempfile::tempdir().expect("a directory");
    let (progress, show_progress) = watch::channel(Progress::default());
    let (failure, show_failure) = watch::channel(None);
    let settings = settings(t0(), progress);
    let t0 = settings.t0;
    let mut recorder = Recorder::create(directory.path(), settings, failure).expect("creates");
    recorder.invocations = CsvFile::onto("/dev/full".as_ref());
    let (sender, receiver) = mpsc::channel(64);
    for _ in 0..3 {
        sender.try_send(Event::Row(Box::new(row(&t0, head(0, 3), 1, 25)))).expect("room");
        sender.try_send(Event::Tick).expect("room");
    }
    sender.try_send(closed(head(0, 3), 3)).expect("room");
    drop(sender);
    let recorded = recorder.run(receiver);
    let expected = "cannot write /dev/full: No space left on device (os error 28)";
    assert_eq!(show_failure.borrow().as_deref(), Some(expected));
    assert_eq!(recorded.error.map(|error| error.to_string()).as_deref(), Some(expected));
    assert_eq!((recorded.statistics.rows(), show_progress.borrow().completed), (3, 3));
}
