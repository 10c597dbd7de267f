//! The registry and the runs' tasks over a fake platform whose functions refuse connections: failed invocations are data,
//! so that runs succeed without a function server.

use std::{collections::HashMap, sync::Arc};

use loader_proto::{schema::InvocationRecord, v1};
use loader_report::indicator::Figures;
use tokio::{sync::watch, task::JoinSet};

mod owners;

use super::*;
use crate::{
    clock::{Clock, UnixMicros},
    control::WireCodec,
    id::RunId,
    metrics::Metrics,
    platform::{
        Platform,
        fake::{Deploying, FakePlatform},
    },
    record::Summary,
    results::RecordReader,
    run::{DrainLimits, LoadSettings, Planner, RunView, Stations, Telemetry},
    spec::Defaults,
    store::{
        Codec, Manifest, Reading, Retention, RunDirectory, RunFile, RunSummary, State, Store, SubmittedSpec,
        SubmittedStudy, UnreadableSpec,
    },
    study::{PlannedRun, StudyPlan},
    traces::{Limits, TraceStore},
};

mod disturbances;
mod workers;

/// A registry over a state directory.
struct Daemon {
    registry: Registry,
    fake: Arc<FakePlatform>,
    store: Store,
    ends: Ends,
    untried: watch::Receiver<usize>,
    tasks: JoinSet<()>,
}

impl Daemon {
    async fn start(state: &std::path::Path, deploying: Deploying) -> Self {
        Self::start_on(state, FakePlatform::new("local").deploying(deploying)).await
    }

    async fn start_on(state: &std::path::Path, fake: FakePlatform) -> Self {
        Self::start_with(state, fake, opened(state)).await
    }

    async fn start_with(state: &std::path::Path, fake: FakePlatform, store: Store) -> Self {
        let fake = Arc::new(fake);
        let platform: Arc<dyn Platform> = Arc::clone(&fake) as _;
        let platforms = HashMap::from([("local", platform)]);
        let limits = Limits {
            max_bytes: 0,
            max_total_bytes: 0,
            max_client_bytes: 0,
            max_count: 1,
            max_per_client: 1,
            expire: None,
        };
        let traces = TraceStore::open(&state.join("traces"), limits).expect("opens");
        let planner = Planner {
            traces: traces.clone(),
            trace_roots: Vec::new(),
            platforms: platforms.clone(),
            connections: 1,
            max_files: u64::MAX,
            memory: u64::MAX,
        };
        let ends = Ends::default();
        let stations = Stations {
            platforms,
            planner: Arc::new(planner),
            load: LoadSettings {
                workers: 1,
                connections: 1,
                isolation: crate::dispatch::Isolation::default(),
                heartbeat: crate::dispatch::Heartbeat::new(Clock),
            },
            drain: DrainLimits { shutdown: std::time::Duration::from_secs(1), skip_drain: ends.skip_drain.clone() },
            sampling_period: std::time::Duration::from_secs(5),
            telemetry: Telemetry { metrics: Metrics::new(), tracer: None, clock: Clock },
        };
        let needed = watch::channel(NeededByStudies::default()).1;
        let keeping = Keeping { retention: watch::channel(Retention::default()).1, traces, needed };
        let (task, registry) =
            RegistryTask::recover(store.clone(), Arc::new(stations), keeping, ends.clone()).expect("recovers");
        let (untried, mut tasks) = (task.untried(), JoinSet::new());
        tasks.spawn(task.run());
        Self { registry, fake, store, ends, untried, tasks }
    }

    /// Submits a run whose one slot has 20 invocations within `slot_ms`.
    async fn submit(&self, slot_ms: i32, key: &str) -> Result<Submitted, RegistryError> {
        self.submit_as("ann", slot_ms, key).await
    }

    async fn submit_as(&self, owner: &str, slot_ms: i32, key: &str) -> Result<Submitted, RegistryError> {
        let slot = prost_types::Duration { seconds: (slot_ms / 1000).into(), nanos: slot_ms % 1000 * 1_000_000 };
        let rate = Some(20_000.0 / f64::from(slot_ms));
        let rps = v1::RpsMode { start: rate, end: rate, slot: Some(slot), ..v1::RpsMode::default() };
        let spec = v1::RunSpec { mode: Some(v1::run_spec::Mode::Rps(rps)), ..v1::RunSpec::default() };
        let submission = Submission {
            spec: codec().submitted(&spec),
            name: "demo".to_owned(),
            mode: "rps",
            platform: "local".to_owned(),
            owner: owner.to_owned(),
            idempotency_key: key.to_owned(),
            study: None,
        };
        self.registry.submit(submission).await
    }

    async fn run(&self, slot_ms: i32) -> RunId {
        self.submit(slot_ms, "").await.expect("is taken").view.file.run_id.clone()
    }

    /// The run's view once `reached` holds of it.
    async fn until(&self, id: &RunId, reached: impl FnMut(&Arc<RunView>) -> bool) -> Arc<RunView> {
        let mut views = self.registry.watch(Selector::Id(id.clone())).await.expect("is known");
        views.wait_for(reached).await.expect("is reached").clone()
    }

    async fn ended(&self, id: &RunId) -> (State, String) {
        let view = self.until(id, |view| view.file.state.is_terminal()).await;
        (view.file.state, view.file.reason.clone())
    }

    async fn deploying(&self, count: u32) {
        self.fake.asked_to_deploy(count).await;
    }

    fn cleaned(&self) -> Vec<RunId> {
        self.fake.cleaned()
    }

    async fn stop(mut self) {
        self.ends.shutdown.cancel();
        self.ends.interrupt.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("does not break");
        }
    }
}

fn codec() -> WireCodec {
    WireCodec { defaults: Defaults { platform: "local".to_owned() } }
}

fn opened(state: &std::path::Path) -> Store {
    Store::open(state, Arc::new(codec())).expect("opens")
}

fn summary(directory: &RunDirectory) -> v1::RunSummary {
    let text = directory.summary().expect("exists");
    codec().read_summary(&text).expect("is a summary")
}

fn rows(directory: &RunDirectory) -> Vec<InvocationRecord<'static>> {
    let mut reader = RecordReader::new(directory.path());
    let mut rows = Vec::new();
    loop {
        match reader.read().expect("reads") {
            batch if batch.is_empty() => return rows,
            batch => rows.extend(batch),
        }
    }
}

#[tokio::test]
async fn a_run_is_carried_out_and_leaves_its_records() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    let id = daemon.run(200).await;
    assert_eq!(daemon.ended(&id).await, (State::Succeeded, String::new()));
    assert_eq!(daemon.cleaned(), std::slice::from_ref(&id));
    let directory = daemon.store.directory(&id);
    let rows = rows(&directory);
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row.status == "connect_error"), "{rows:?}");
    let summary = summary(&directory);
    assert_eq!((summary.run_id, summary.requested, summary.failed), (id.to_string(), 20, 20));
    for file in ["run.json", "spec.yaml", "functions.csv", "slots.csv", "scales.csv", "loader.csv"] {
        assert!(directory.path().join(file).exists(), "{file}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn runs_take_turns_in_order() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Waits).await;
    let (first, second, third) = (daemon.run(50).await, daemon.run(50).await, daemon.run(50).await);
    daemon.deploying(1).await;
    let positions = [&first, &second, &third].map(|id| daemon.registry.position(id.clone()));
    let positions = futures_util::future::try_join_all(positions).await.expect("known");
    assert_eq!(positions, [0, 1, 2]);
    assert_eq!(daemon.registry.activity().await.expect("known"), Activity { active: Some(first.clone()), queued: 2 });
    for id in [&first, &second, &third] {
        daemon.fake.let_go();
        assert_eq!(daemon.ended(id).await.0, State::Succeeded);
    }
    assert_eq!(daemon.cleaned(), [first, second, third]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_run_can_be_cancelled_in_every_state() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Waits).await;
    let (deploying, queued) = (daemon.run(50).await, daemon.run(50).await);
    daemon.deploying(1).await;
    // While it is queued: nothing was deployed.
    daemon.registry.cancel(Selector::Id(queued.clone()), Scope::All).await.expect("cancels");
    assert_eq!(daemon.ended(&queued).await.0, State::Cancelled);
    assert_eq!(daemon.cleaned(), []);
    // While it deploys, twice, and after it has ended.
    for _ in 0..2 {
        daemon.registry.cancel(Selector::Id(deploying.clone()), Scope::All).await.expect("cancels");
    }
    assert_eq!(daemon.ended(&deploying).await.0, State::Cancelled);
    daemon.registry.cancel(Selector::Id(deploying.clone()), Scope::All).await.expect("changes nothing");
    assert_eq!(daemon.cleaned(), std::slice::from_ref(&deploying));
    // While it runs: what was recorded stays. The second invocation is due in half a minute.
    daemon.fake.set_deploying(Deploying::Works);
    let running = daemon.run(600_000).await;
    daemon.until(&running, |view| view.progress.as_ref().is_some_and(|progress| progress.completed > 0)).await;
    daemon.registry.cancel(Selector::Id(running.clone()), Scope::All).await.expect("cancels");
    assert_eq!(daemon.ended(&running).await.0, State::Cancelled);
    assert_eq!(rows(&daemon.store.directory(&running)).len(), 1);
    assert_eq!(daemon.cleaned(), [deploying, running]);
    daemon.stop().await;
}

#[tokio::test]
async fn only_runs_that_have_ended_can_be_deleted() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Waits).await;
    let id = daemon.run(50).await;
    daemon.deploying(1).await;
    let refused = daemon.registry.delete(id.clone()).await.expect_err("is refused").to_string();
    assert_eq!(refused, format!("run {id} is deploying: cancel it first, or wait until it has ended"));
    daemon.fake.let_go();
    daemon.ended(&id).await;
    let path = daemon.store.directory(&id).path().to_owned();
    assert!(path.exists());
    daemon.registry.delete(id.clone()).await.expect("deletes");
    assert!(!path.exists());
    assert!(matches!(daemon.registry.delete(id).await, Err(RegistryError::NotFound(_))));
    daemon.stop().await;
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_one_run() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    let first = daemon.submit(50, "k").await.expect("is taken");
    let again = daemon.submit(50, "k").await.expect("is taken");
    assert_eq!((first.existing, again.existing), (false, true));
    let id = first.view.file.run_id.clone();
    assert_eq!(again.view.file.run_id, id);
    assert!(matches!(daemon.submit(60, "k").await, Err(RegistryError::KeyTaken(other)) if other == id));
    daemon.ended(&id).await;
    daemon.stop().await;
    // Also after a restart of the daemon; a deleted run's key is free.
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    assert!(daemon.submit(50, "k").await.expect("is taken").existing);
    daemon.registry.delete(id.clone()).await.expect("deletes");
    let fresh = daemon.submit(60, "k").await.expect("is taken");
    assert!(!fresh.existing);
    daemon.ended(&fresh.view.file.run_id).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_failure_or_panic_ends_the_run_which_is_cleaned_and_the_next_one_starts() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Fails).await;
    let failed = daemon.run(50).await;
    assert_eq!(daemon.ended(&failed).await, (State::Failed, "function rps-0: no room".to_owned()));
    daemon.fake.set_deploying(Deploying::Breaks);
    let broken = daemon.run(50).await;
    let (ended, reason) = daemon.ended(&broken).await;
    assert_eq!(ended, State::Failed);
    assert!(reason.starts_with("the run's task panicked while the run was deploying: "), "{reason}");
    daemon.fake.set_deploying(Deploying::Works);
    let next = daemon.run(50).await;
    assert_eq!(daemon.ended(&next).await.0, State::Succeeded);
    assert_eq!(daemon.cleaned(), [failed, broken, next]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_run_that_cannot_be_cleaned_has_failed() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start_on(state.path(), FakePlatform::new("local").failing_to_clean("stuck")).await;
    let id = daemon.run(50).await;
    assert_eq!(daemon.ended(&id).await, (State::Failed, "cannot clean up: platform local: stuck".to_owned()));
    assert_eq!(summary(&daemon.store.directory(&id)).requested, 20);
    daemon.stop().await;
}

#[tokio::test]
async fn records_that_cannot_be_written_fail_the_run_with_their_path() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Waits).await;
    let id = daemon.run(50).await;
    daemon.deploying(1).await;
    let path = daemon.store.directory(&id).path().join("invocations.csv");
    std::fs::create_dir(&path).expect("makes");
    daemon.fake.let_go();
    let (ended, reason) = daemon.ended(&id).await;
    assert_eq!(ended, State::Failed);
    assert!(reason.contains(&format!("cannot create {}", path.display())), "{reason}");
    assert_eq!(daemon.cleaned(), [id]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_daemon_that_stops_interrupts_its_run_and_keeps_its_queue() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Waits).await;
    let (active, waiting) = (daemon.run(50).await, daemon.run(50).await);
    daemon.deploying(1).await;
    let store = daemon.store.clone();
    daemon.stop().await;
    let states: Vec<_> = store.load().expect("loads").into_iter().map(|file| (file.run_id, file.state)).collect();
    assert_eq!(states, [(active.clone(), State::Interrupted), (waiting.clone(), State::Queued)]);
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    assert_eq!(daemon.ended(&waiting).await.0, State::Succeeded);
    assert_eq!(daemon.ended(&active).await, (State::Interrupted, "the daemon was stopped".to_owned()));
    daemon.stop().await;
}

#[tokio::test]
async fn a_run_of_a_killed_daemon_is_interrupted_and_cleaned_at_the_next_start() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let id = RunId::new(1_000, 7);
    let mut file = RunFile::new(id.clone(), ("demo", "rps", "local"), UnixMicros(1_000_000), "");
    file.state = State::Running;
    store.create(&file, &codec().submitted(&v1::RunSpec::default())).expect("creates");
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    let (ended, reason) = daemon.ended(&id).await;
    assert_eq!((ended, reason.as_str()), (State::Interrupted, "the daemon ended while the run was running"));
    assert_eq!(daemon.cleaned(), [id]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_run_sorts_behind_one_of_a_clock_that_was_far_ahead() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let ahead = RunId::new(4_102_444_800_000, 0xffff);
    let mut file = RunFile::new(ahead.clone(), ("demo", "rps", "local"), UnixMicros(4_102_444_800_000_000), "");
    file.state = State::Succeeded;
    store.create(&file, &codec().submitted(&v1::RunSpec::default())).expect("creates");
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    let (next, third) = (daemon.run(50).await, daemon.run(50).await);
    assert_eq!([next.unix_ms() - ahead.unix_ms(), third.unix_ms() - next.unix_ms()], [1, 1]);
    daemon.ended(&third).await;
    daemon.stop().await;
}

#[tokio::test]
async fn lists_go_backwards_page_by_page() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Waits).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(daemon.run(50).await);
    }
    daemon.registry.cancel(Selector::Id(ids[2].clone()), Scope::All).await.expect("cancels");
    let listed = |page: &Page| page.runs.iter().map(|view| view.file.run_id.clone()).collect::<Vec<_>>();
    let page = daemon.registry.list(None, Vec::new(), 3).await.expect("lists");
    assert_eq!((listed(&page), page.more), (vec![ids[3].clone(), ids[2].clone(), ids[1].clone()], true));
    let page = daemon.registry.list(Some(ids[1].clone()), Vec::new(), 3).await.expect("lists");
    assert_eq!((listed(&page), page.more), (vec![ids[0].clone()], false));
    let page = daemon.registry.list(None, vec![State::Cancelled], 3).await.expect("lists");
    assert_eq!((listed(&page), page.more), (vec![ids[2].clone()], false));
    daemon.stop().await;
}

/// A codec whose specs take as long to write as the test wants: as on a slow disk.
#[derive(Debug)]
struct SlowCodec {
    codec: WireCodec,
    go: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Codec for SlowCodec {
    fn read_spec(&self, text: &str) -> Result<SubmittedSpec, UnreadableSpec> {
        self.codec.read_spec(text)
    }

    fn write_spec(&self, spec: &SubmittedSpec) -> String {
        self.go.lock().expect("is not poisoned").recv().expect("is let go");
        self.codec.write_spec(spec)
    }

    fn read_study(&self, text: &str) -> Result<SubmittedStudy, UnreadableSpec> {
        self.codec.read_study(text)
    }

    fn write_study(&self, study: &SubmittedStudy) -> String {
        self.codec.write_study(study)
    }

    fn spec_of(&self, study: &StudyPlan, run: PlannedRun) -> SubmittedSpec {
        self.codec.spec_of(study, run)
    }

    fn read_figures(&self, summary: &str, figure: Option<&str>) -> Reading {
        self.codec.read_figures(summary, figure)
    }

    fn write_summary(&self, summary: &RunSummary) -> String {
        self.codec.write_summary(summary)
    }

    fn figures(&self, load: &Summary) -> Figures {
        self.codec.figures(load)
    }

    fn write_manifest(&self, manifest: &Manifest) -> String {
        self.codec.write_manifest(manifest)
    }
}

#[tokio::test]
async fn the_registry_answers_while_a_disk_is_slow() {
    let state = tempfile::tempdir().expect("a directory");
    let (go, wait) = std::sync::mpsc::channel();
    let codec = SlowCodec { codec: codec(), go: std::sync::Mutex::new(wait) };
    let store = Store::open(state.path(), Arc::new(codec)).expect("opens");
    let daemon = Daemon::start_with(state.path(), FakePlatform::new("local").deploying(Deploying::Waits), store).await;
    let submitting = [daemon.submit(50, "k"), daemon.submit(50, "k"), daemon.submit(50, "other")];
    let mut submitting = Box::pin(futures_util::future::join_all(submitting));
    assert!(futures_util::poll!(&mut submitting).is_pending());
    // These wait for no disk.
    assert_eq!(daemon.registry.activity().await.expect("answers").queued, 0);
    assert!(daemon.registry.list(None, Vec::new(), 9).await.expect("answers").runs.is_empty());
    go.send(()).expect("waits");
    go.send(()).expect("waits");
    let submitted: Vec<_> = submitting.await.into_iter().map(|it| it.expect("is taken")).collect();
    // The second waited for the first, whose key it has.
    assert_eq!([0, 1, 2].map(|index| submitted[index].existing), [false, true, false]);
    let id = |index: usize| submitted[index].view.file.run_id.clone();
    assert_eq!(id(0), id(1));
    assert_ne!(id(0), id(2));
    daemon.stop().await;
}

#[tokio::test]
async fn changes_of_one_run_keep_their_order_and_a_failed_removal_leaves_the_run() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    let id = daemon.run(50).await;
    daemon.ended(&id).await;
    let run = || Selector::Id(id.clone());
    let registry = &daemon.registry;
    let (pinned, refused, unpinned) = tokio::join!(
        registry.pin(run(), true, Scope::All),
        registry.delete(id.clone()),
        registry.pin(run(), false, Scope::All)
    );
    assert!(pinned.expect("is pinned").file.pinned && !unpinned.expect("is unpinned").file.pinned);
    assert!(matches!(refused, Err(RegistryError::Pinned(_))));
    // Nothing can be renamed to the name of a directory that is not empty.
    let directory = daemon.store.directory(&id).path().to_owned();
    let blocked = directory.with_file_name(format!(".deleted-{id}"));
    std::fs::create_dir_all(blocked.join("in the way")).expect("makes");
    assert!(matches!(registry.delete(id.clone()).await, Err(RegistryError::Store(_))));
    std::fs::remove_dir_all(&blocked).expect("removes");
    let (deleted, again) = tokio::join!(registry.delete(id.clone()), registry.delete(id.clone()));
    deleted.expect("is still a run");
    assert!(matches!(again, Err(RegistryError::NotFound(_))) && !directory.exists());
    daemon.stop().await;
}

/// A run that was under way when its daemon was killed, in the state directory.
fn killed(state: &std::path::Path) -> RunId {
    let id = RunId::new(1_000, 7);
    let mut file = RunFile::new(id.clone(), ("demo", "rps", "local"), UnixMicros(1_000_000), "");
    file.state = State::Running;
    opened(state).create(&file, &codec().submitted(&v1::RunSpec::default())).expect("creates");
    id
}

#[tokio::test(start_paused = true)]
async fn a_clean_up_at_start_waits_for_its_platform_and_runs_wait_for_it() {
    let state = tempfile::tempdir().expect("a directory");
    let id = killed(state.path());
    let fake = FakePlatform::new("local");
    fake.set_away(Some("forbidden"));
    let daemon = Daemon::start_on(state.path(), fake).await;
    let view = daemon.until(&id, |view| !view.waiting_for.is_empty()).await;
    assert_eq!(view.file.state, State::Cleaning);
    assert_eq!(view.waiting_for, "cannot clean up: platform local: forbidden");
    // Ready for runs, which wait.
    assert_eq!(*daemon.untried.borrow(), 0);
    let next = daemon.run(50).await;
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    assert_eq!(daemon.registry.position(next.clone()).await.expect("is known"), 1);
    // A load has threads of its own, which have another clock.
    daemon.registry.cancel(Selector::Id(next), Scope::All).await.expect("cancels");
    daemon.fake.set_away(None);
    let ended = daemon.ended(&id).await;
    assert_eq!(ended, (State::Interrupted, "the daemon ended while the run was running".to_owned()));
    let view = daemon.until(&id, |_| true).await;
    assert_eq!(view.waiting_for, "");
    daemon.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_waiting_clean_up_is_given_up_by_a_cancel() {
    let state = tempfile::tempdir().expect("a directory");
    let id = killed(state.path());
    let fake = FakePlatform::new("local");
    fake.set_away(Some("forbidden"));
    let daemon = Daemon::start_on(state.path(), fake).await;
    daemon.until(&id, |view| !view.waiting_for.is_empty()).await;
    daemon.registry.cancel(Selector::Id(id.clone()), Scope::All).await.expect("cancels");
    let (ended, reason) = daemon.ended(&id).await;
    assert_eq!(ended, State::Interrupted);
    assert!(reason.ends_with(
        "the clean-up was given up (cannot clean up: platform local: forbidden): `loaderctl clean` removes what is left"
    ), "{reason}");
    daemon.stop().await;
}

#[tokio::test]
async fn a_daemon_that_ends_while_only_the_clean_up_is_left_keeps_how_the_run_ended() {
    let state = tempfile::tempdir().expect("a directory");
    let fake = FakePlatform::new("local");
    fake.set_away(Some("forbidden"));
    let daemon = Daemon::start_on(state.path(), fake).await;
    let id = daemon.run(50).await;
    daemon.until(&id, |view| !view.waiting_for.is_empty()).await;
    let directory = daemon.store.directory(&id);
    daemon.ends.skip_drain.cancel();
    daemon.stop().await;
    assert_eq!(summary(&directory).state(), v1::RunState::Succeeded);
    let file = opened(state.path()).load().expect("loads").remove(0);
    assert_eq!((file.state, file.ends_as), (State::Cleaning, Some(State::Succeeded)));
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    assert_eq!(daemon.ended(&id).await, (State::Succeeded, String::new()));
    assert_eq!(daemon.cleaned(), [id]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_run_that_failed_says_what_its_clean_up_left() {
    let state = tempfile::tempdir().expect("a directory");
    let fake = FakePlatform::new("local").deploying(Deploying::Fails).failing_to_clean("stuck");
    let daemon = Daemon::start_on(state.path(), fake).await;
    let id = daemon.run(50).await;
    let reason = "function rps-0: no room; cannot clean up: platform local: stuck".to_owned();
    assert_eq!(daemon.ended(&id).await, (State::Failed, reason));
    daemon.stop().await;
}
