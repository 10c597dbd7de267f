//! A worker against a coordinator that is as it should be, cuts its streams, vanishes, or does not want it.

mod coordinator;

use std::{collections::BTreeSet, time::Duration};

use loader_proto::{json, v1, worker::WireTrace};
use prost::Message as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use self::coordinator::{Behaviour, Coordinator, Serving, Taken};
use super::{Ending, Settings, channel::connect, clock::WorkerClock, incoming::TERMINATED, trace_files, work};
use crate::{
    clock::Clock,
    id::RunId,
    plan::{Plan, Shared, Shares, testkit::plan},
    record::Event,
    workers::wire::Decoder,
};

/// Invocations of three functions, in two slots.
fn spec() -> serde_json::Value {
    json!({"rps": {"start": 900, "end": 1800, "step": 900, "slot": "600ms", "functions": 3},
           "seed": 7, "arrivals": "poisson"})
}

/// A worker of two, with its coordinator.
struct Case {
    spec: serde_json::Value,
    orphan_timeout: Duration,
    offset: Duration,
    spool_limit: Option<u64>,
    /// When it is told to end; absent: never.
    terminated: Option<Duration>,
    behaviour: Behaviour,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            spec: spec(),
            orphan_timeout: Duration::from_secs(30),
            offset: Duration::ZERO,
            spool_limit: None,
            terminated: None,
            behaviour: Behaviour::default(),
        }
    }
}

const WORKER: u32 = 1;

/// The settings of a worker of this coordinator.
fn settings(serving: &Serving, clock: WorkerClock) -> Settings {
    Settings {
        coordinator: serving.address.clone(),
        run: RunId::new(0, 0),
        index: WORKER,
        token: "secret".into(),
        tls: None,
        spool_directory: None,
        spool_limit: None,
        node: "here".to_owned(),
        pod: String::new(),
        clock,
        patience: Duration::from_secs(30),
    }
}

fn shares(plan: &dyn Plan) -> Shares {
    Shares::of(&plan.outline(), plan.cold_pool(), 2)
}

impl Case {
    /// How it ends, and what the coordinator got.
    async fn run(self) -> (Ending, Taken) {
        let (message, faults) = json::from_value::<v1::RunSpec>(&self.spec);
        assert!(faults.is_empty(), "{faults:?}");
        let shares = shares(&*plan(&self.spec));
        let names: Vec<_> = plan(&self.spec).functions().iter().map(|function| function.name.clone()).collect();
        let hash = crate::plan::fingerprint(plan(&self.spec));
        let coordinator =
            Coordinator::new(self.behaviour, (message.encode_to_vec(), hash), &shares, &names, self.orphan_timeout);
        let clock = WorkerClock::new(Clock, i64::try_from(self.offset.as_nanos()).unwrap());
        let (before, there, after) = (clock.read(), coordinator.now(), clock.read());
        let less = |own: u64| i64::try_from(i128::from(there) - i128::from(own)).unwrap();
        let real = (less(after), less(before));
        let serving = coordinator.serve().await;
        let settings = Settings { spool_limit: self.spool_limit, ..settings(&serving, clock) };
        let terminate = CancellationToken::new();
        let ending = tokio::select! {
            ending = work(settings, terminate.clone()) => ending,
            () = told_to_end(self.terminated, &terminate) => unreachable!("it never returns"),
        };
        let mut taken = serving.taken();
        taken.real = real;
        (ending, taken)
    }
}

/// Tells a worker to end, after this time.
async fn told_to_end(after: Option<Duration>, terminate: &CancellationToken) {
    if let Some(after) = after {
        tokio::time::sleep(after).await;
        terminate.cancel();
    }
    std::future::pending().await
}

/// The ordinals of the rows, and the numbers of the slots that were opened and closed.
fn rows(spec: &serde_json::Value, taken: &Taken) -> (Vec<u64>, Vec<(u32, u32)>) {
    let decoder = Decoder::new(&*plan(spec));
    let (mut ordinals, mut opened, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    for batch in &taken.batches {
        for event in decoder.decode(batch, Clock.now()).expect("a batch of the plan") {
            match event {
                Event::Row(row) => ordinals.push(row.planned.ordinal.expect("it has a place")),
                Event::Opened { head, .. } => opened.push(head.index),
                Event::Closed { head, complete, .. } => {
                    assert!(complete);
                    closed.push(head.index);
                }
                Event::Joined { .. } | Event::Stopped(_) | Event::Tick => panic!("none travels"),
            }
        }
    }
    (ordinals, opened.into_iter().zip(closed).collect())
}

/// The ordinals of the worker's share, when nothing fails.
fn share(spec: &serde_json::Value) -> BTreeSet<u64> {
    let whole = plan(spec);
    let shares = shares(&*whole);
    let mut plan = Shared::new(whole, shares, WORKER, 7);
    let mut ordinals = BTreeSet::new();
    let mut previous = None;
    while let Some(slot) = plan.next_slot(previous.as_ref()) {
        previous = Some(crate::plan::SlotOutcome { slot: slot.index, ..Default::default() });
        ordinals.extend(slot.invocations.map(|it| it.place.expect("it has a place").ordinal));
    }
    ordinals
}

/// Bursts need no outcomes, so that the share is known beforehand.
fn burst() -> serde_json::Value {
    json!({"burst": {"targetRps": 2, "burst": 800, "hold": "2s", "stepDuration": "250ms"}, "seed": 7})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_is_handed_over_once_and_whole() {
    let (ending, taken) = Case { spec: burst(), ..Case::default() }.run().await;
    assert_eq!((ending, taken.streams, &taken.failed), (Ending::Dismissed, 1, &None));
    let (ordinals, slots) = rows(&burst(), &taken);
    assert_eq!(ordinals.len(), share(&burst()).len());
    assert_eq!(ordinals.into_iter().collect::<BTreeSet<_>>(), share(&burst()));
    assert_eq!(slots, [(0, 0), (1, 1), (2, 2)]);
    assert_eq!(taken.done, Some(taken.batches.len() as u64));
    assert!(taken.reports > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_cut_anywhere_lose_nothing_and_double_nothing() {
    // Drawn once: after so many messages, on each stream. The last of them is taken, and its answer lost.
    for cuts in [vec![3, 7, 5, 9, 6, 4, 8], vec![1, 6, 6, 6, 6, 6, 6], vec![4, 12, 3, 3, 10, 2, 5]] {
        let behaviour = Behaviour { cuts: cuts.clone(), ..Behaviour::default() };
        let (ending, taken) = Case { spec: burst(), behaviour, ..Case::default() }.run().await;
        assert_eq!((ending, taken.gap), (Ending::Dismissed, false), "{cuts:?}");
        assert!(taken.streams > 2, "{cuts:?}");
        let (ordinals, _) = rows(&burst(), &taken);
        assert_eq!(ordinals.len(), share(&burst()).len(), "{cuts:?}");
        assert_eq!(ordinals.into_iter().collect::<BTreeSet<_>>(), share(&burst()), "{cuts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_decides_by_outcomes_waits_for_those_of_all() {
    let behaviour = Behaviour { cuts: vec![5, 6, 7], ..Behaviour::default() };
    let (ending, taken) = Case { behaviour, ..Case::default() }.run().await;
    assert_eq!((ending, &taken.failed), (Ending::Dismissed, &None));
    // Nothing was deployed, so the first rate is not sustained, and the search goes on as the plan says.
    let (ordinals, slots) = rows(&spec(), &taken);
    assert!(!ordinals.is_empty());
    assert_eq!(taken.outcomes, slots.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), "one for each slot, in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_does_not_take_is_not_claimed() {
    let (ending, taken) = Case { spec: burst(), spool_limit: Some(10), ..Case::default() }.run().await;
    let reason = taken.failed.expect("it says why");
    assert!(reason.contains("cannot be kept") && reason.ends_with("10 bytes are the most"), "{reason}");
    assert_eq!((ending, taken.batches.len(), taken.done), (Ending::Failed(reason), 0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_coordinator_it_ends() {
    let long = json!({"burst": {"targetRps": 1, "burst": 10, "hold": "1h", "stepDuration": "1h"}});
    let behaviour = Behaviour { vanishes: true, ..Behaviour::default() };
    let case = Case { spec: long, orphan_timeout: Duration::from_millis(300), behaviour, ..Case::default() };
    let (ending, _) = case.run().await;
    assert_eq!(ending.code(), 4, "{ending:?}");
}

/// By a signal, which the first process of a container would not hear otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_told_to_end_hands_over_what_it_has_recorded() {
    let long = json!({"burst": {"targetRps": 40, "burst": 100, "hold": "1h", "stepDuration": "50ms"}, "seed": 7});
    let terminated = Some(Duration::from_secs(3));
    let (ending, taken) = Case { spec: long.clone(), terminated, ..Case::default() }.run().await;
    assert_eq!((ending, taken.failed), (Ending::Failed(TERMINATED.to_owned()), None));
    assert_eq!(taken.done, Some(taken.batches.len() as u64), "all that it has sent has its row");
    let decoder = Decoder::new(&*plan(&long));
    let events =
        taken.batches.iter().flat_map(|batch| decoder.decode(batch, Clock.now()).expect("a batch of the plan"));
    let (mut sent, mut is_cut) = (0, false);
    for event in events {
        match event {
            Event::Row(_) => sent += 1,
            Event::Closed { complete, .. } => is_cut = !complete,
            Event::Opened { .. } | Event::Joined { .. } | Event::Stopped(_) | Event::Tick => {}
        }
    }
    assert!(sent > 10 && is_cut, "{sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_told_to_end_before_it_sends_does_so_at_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (directory, token) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    // Nobody answers.
    let settings = Settings {
        coordinator: listener.local_addr().unwrap().to_string(),
        run: RunId::new(0, 0),
        index: WORKER,
        token: "secret".into(),
        tls: None,
        spool_directory: Some(directory.path().to_owned()),
        spool_limit: None,
        node: "here".to_owned(),
        pod: String::new(),
        clock: WorkerClock::new(Clock, 0),
        patience: Duration::from_hours(1),
    };
    token.cancel();
    assert_eq!(work(settings, token).await, Ending::Failed(TERMINATED.to_owned()));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_not_wanted_ends_at_once() {
    let behaviour = Behaviour { dismisses: Some("worker 1 was lost".to_owned()), ..Behaviour::default() };
    let (ending, taken) = Case { behaviour, ..Case::default() }.run().await;
    assert_eq!((ending.code(), ending.reason(), taken.batches.len()), (3, Some("worker 1 was lost"), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_plan_is_refused() {
    let behaviour = Behaviour { other_plan: true, ..Behaviour::default() };
    let (ending, taken) = Case { behaviour, ..Case::default() }.run().await;
    assert_eq!(ending.code(), 1);
    assert!(taken.failed.expect("it says why").starts_with("the plan made here is another than the coordinator's"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_apart_are_found_so() {
    let quick = json!({"burst": {"targetRps": 1, "burst": 1, "hold": "2s", "stepDuration": "100ms"}});
    let of = async |millis| {
        let offset = Duration::from_millis(millis);
        let (ending, taken) = Case { spec: quick.clone(), offset, ..Case::default() }.run().await;
        assert_eq!(ending, Ending::Dismissed);
        (taken.clock.expect("it was ready"), taken.real)
    };
    for (millis, (found, (least, most))) in [(0, of(0).await), (50, of(50).await)] {
        assert!(found.exchanges >= 8);
        let (estimate, bound) = (found.offset_ns, i64::try_from(found.bound_ns).unwrap());
        assert!(
            estimate + bound >= least && estimate - bound <= most,
            "{millis} ms: {found:?}, in fact {least} to {most}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_is_known_by_its_content() {
    let files = [("b.csv", vec![1; 5000]), ("d/a.csv", Vec::new())].map(|(name, bytes)| (name.to_owned(), bytes));
    let behaviour = Behaviour { files: files.clone().into(), ..Behaviour::default() };
    let shares = shares(&*plan(&burst()));
    let coordinator = Coordinator::new(behaviour, (Vec::new(), [0; 32]), &shares, &[], Duration::ZERO);
    let serving = coordinator.serve().await;
    let mut client = connect(&settings(&serving, WorkerClock::new(Clock, 0))).await.unwrap();
    let mut whole = Sha256::new();
    for (name, bytes) in &files {
        whole.update((name.len() as u64).to_le_bytes());
        whole.update(name);
        whole.update(Sha256::digest(bytes));
    }
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let hash = whole.finalize().to_vec();
    let (focus, folder) = ("b.csv".to_owned(), "inv-minute".to_owned());
    let trace = WireTrace { hash, files: names(["d/a.csv", "b.csv"]), focus, folder };
    let place = tempfile::tempdir().unwrap();
    let fetched = trace_files::fetch(&mut client, &trace, place.path()).await.unwrap();
    for (name, bytes) in &files {
        assert_eq!(&std::fs::read(fetched.path.parent().unwrap().join(name)).unwrap(), bytes);
    }
    assert!(fetched.path.ends_with("inv-minute/b.csv"), "{fetched:?}");
    for (trace, expected) in [
        (WireTrace { hash: vec![1; 32], ..trace.clone() }, "the trace that was sent is another"),
        (WireTrace { files: names(["b.csv", "../c"]), ..trace.clone() }, "\"../c\" is no name of a file of a trace"),
        (WireTrace { files: names(["b.csv", "c"]), ..trace.clone() }, "c: there is no such file"),
        (WireTrace { folder: "../x".to_owned(), ..trace.clone() }, "\"../x\" is no name of a file of a trace"),
        (WireTrace { focus: "/etc/passwd".to_owned(), ..trace }, "\"/etc/passwd\" is no name of a file of a trace"),
    ] {
        let error = trace_files::fetch(&mut client, &trace, place.path()).await.unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    drop(fetched);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left");
}
