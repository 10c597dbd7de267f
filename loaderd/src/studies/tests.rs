//! Studies over the registry and a fake platform whose functions refuse connections: failed invocations are data, so that runs succeed.

mod effects;

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use loader_proto::{json, v1};
use tokio::{sync::watch, task::JoinSet};

use super::*;
use crate::{
    clock::Clock,
    control::WireCodec,
    id::{RunId, StudyId},
    metrics::Metrics,
    platform::{
        Platform,
        fake::{Deploying, FakePlatform},
    },
    registry::{Ends, Keeping, NeededByStudies, Registry, RegistryTask, Scope},
    run::{DrainLimits, LoadSettings, Planner, RunView, Stations, Telemetry},
    spec::Defaults,
    store::{ClientStages, Retention, State, Store, StudyFile, StudyState, StudyStore},
    study::AttemptEnd,
    traces::{Limits, TraceStore},
};

fn codec() -> WireCodec {
    WireCodec { defaults: Defaults { platform: "local".to_owned() } }
}

/// A registry and studies over a state directory.
struct Daemon {
    studies: Studies,
    registry: Registry,
    fake: Arc<FakePlatform>,
    store: StudyStore,
    ends: Ends,
    tasks: JoinSet<()>,
}

impl Daemon {
    fn start(state: &Path, hooks: Option<&Path>) -> Self {
        Self::keeping(state, hooks, Retention::default())
    }

    fn keeping(state: &Path, hooks: Option<&Path>, retention: Retention) -> Self {
        let fake = Arc::new(FakePlatform::new("local"));
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
            platforms: platforms.clone(),
            planner: Arc::new(planner),
            load: LoadSettings {
                workers: 1,
                connections: 1,
                isolation: crate::dispatch::Isolation::default(),
                heartbeat: crate::dispatch::Heartbeat::new(Clock),
            },
            drain: DrainLimits { shutdown: Duration::from_secs(1), skip_drain: ends.skip_drain.clone() },
            sampling_period: Duration::from_secs(5),
            telemetry: Telemetry { metrics: Metrics::new(), tracer: None, clock: Clock },
        };
        let runs = Store::open(state, Arc::new(codec())).expect("opens");
        let store = StudyStore::open(state, Arc::new(codec())).expect("opens");
        let (needed, needs) = watch::channel(NeededByStudies::default());
        let keeping = Keeping { retention: watch::channel(retention).1, traces, needed: needs };
        let (task, registry) =
            RegistryTask::recover(runs.clone(), Arc::new(stations), keeping, ends.clone()).expect("recovers");
        let parts = StudyParts {
            registry: registry.clone(),
            runs,
            studies: store.clone(),
            platforms,
            hooks: HookSettings { directory: hooks.map(Path::to_owned), timeout: Duration::from_secs(20) },
            clock: Clock,
            draws: 100,
        };
        let (of_studies, studies) = StudiesTask::recover(parts, needed, ends.shutdown.clone()).expect("recovers");
        let mut tasks = JoinSet::new();
        tasks.spawn(task.run());
        tasks.spawn(of_studies.run());
        Self { studies, registry, fake, store, ends, tasks }
    }

    async fn submit(&self, rest: &str, reuse: bool) -> StudyId {
        self.submit_awaiting(rest, reuse, ClientStages::default()).await
    }

    async fn submit_awaiting(&self, rest: &str, reuse: bool, client: ClientStages) -> StudyId {
        // One slot with 20 invocations within 50 ms; on a slow machine, too, it is no saturated one.
        let base = "base: { rps: { start: 400, end: 400, slot: 50ms, functions: 1 }, saturation: { lag: 1m } }";
        let vary = "vary: [{ field: rps.memoryMib, values: [1, 2] }]";
        let vary = if rest.contains("vary:") { "" } else { vary };
        let text = format!("{base}\n{vary}\n{rest}\n");
        let (message, faults) = json::from_yaml::<v1::StudySpec>(&text);
        assert_eq!(faults, [], "{text}");
        let study = codec().submitted_study(&message);
        assert_eq!(study.checked.as_ref().err(), None, "{text}");
        let submission = StudySubmission { study, owner: "ann".to_owned(), reuse, client };
        self.studies.submit(submission).await.expect("is taken").file.study_id.clone()
    }

    /// The study's view once `reached` holds of it.
    async fn until(&self, id: &StudyId, reached: impl FnMut(&Arc<StudyView>) -> bool) -> Arc<StudyView> {
        let mut views = self.studies.watch(StudySelector::Id(id.clone())).await.expect("is known");
        views.wait_for(reached).await.expect("is reached").clone()
    }

    async fn ended(&self, id: &StudyId) -> Arc<StudyFile> {
        self.until(id, |view| view.file.state.is_terminal()).await.file.clone()
    }

    async fn runs(&self) -> Vec<Arc<RunView>> {
        let mut runs = self.registry.list(None, Vec::new(), 1000).await.expect("lists").runs;
        runs.reverse();
        runs
    }

    async fn stop(mut self) {
        self.ends.shutdown.cancel();
        self.ends.interrupt.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("does not break");
        }
    }
}

fn samples(file: &StudyFile) -> Vec<RunId> {
    file.runs.iter().filter_map(|run| run.sample()).map(|attempt| attempt.run_id.clone()).collect()
}

#[tokio::test]
async fn a_study_makes_its_runs_in_their_order_and_each_has_its_place() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), None);
    let id = daemon.submit("repeats: 2", false).await;
    let file = daemon.ended(&id).await;
    assert_eq!((file.state, file.reason.as_str()), (StudyState::Succeeded, ""));
    let runs = daemon.runs().await;
    assert_eq!(runs.iter().map(|view| view.file.run_id.clone()).collect::<Vec<_>>(), samples(&file));
    for (view, planned) in runs.iter().zip(&file.runs) {
        let place = view.file.study.clone().expect("belongs to the study");
        assert_eq!((place.study_id, place.cell, place.repeat), (id.clone(), planned.cell, planned.repeat));
        assert_eq!((place.round, place.attempt, view.file.owner.as_deref()), (planned.round, 0, Some("ann")));
    }
    // What is published is what is kept.
    assert_eq!(daemon.store.load().expect("loads"), [StudyFile::clone(&file)]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_study_goes_on_after_each_stop_and_makes_nothing_twice() {
    let state = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(state.path(), None);
    let id = daemon.submit("repeats: 4", false).await;
    for wanted in [1, 3, 6] {
        daemon.until(&id, |view| samples(&view.file).len() >= wanted).await;
        daemon.stop().await;
        daemon = Daemon::start(state.path(), None);
    }
    let file = daemon.ended(&id).await;
    assert_eq!((file.state, samples(&file).len()), (StudyState::Succeeded, 8));
    let runs = daemon.runs().await;
    let succeeded = runs.iter().filter(|view| view.file.state == State::Succeeded).count();
    assert_eq!(succeeded, 8, "one for each planned run");
    daemon.stop().await;
}

/// Stops a daemon between two runs of a study, and gives what it left.
async fn stopped_after_one(state: &Path) -> StudyFile {
    let daemon = Daemon::start(state, None);
    let id = daemon.submit("repeats: 1\nbetween: { pause: 1h }", false).await;
    daemon.until(&id, |view| view.stage.waiting_for.starts_with("the pause")).await;
    let store = daemon.store.clone();
    daemon.stop().await;
    store.load().expect("loads").remove(0)
}

#[tokio::test]
async fn after_a_crash_a_run_that_was_submitted_is_found_and_one_that_was_not_is_made() {
    let state = tempfile::tempdir().expect("a directory");
    let mut file = stopped_after_one(state.path()).await;
    let store = StudyStore::open(state.path(), Arc::new(codec())).expect("opens");
    // As when the daemon is killed before the run's end was written down, and before the other run was submitted.
    file.last_run_finished_unix_us = Some(0);
    let first = file.runs[0].attempts[0].run_id.clone();
    file.runs[0].attempts[0].end = None;
    file.runs[1].attempts.push(crate::study::Attempt::new(RunId::new(7, 7)));
    store.save(&file).expect("saves");
    let daemon = Daemon::start(state.path(), None);
    let id = file.study_id.clone();
    // The pause is over once the first run is judged anew: its end counts.
    let view = daemon.until(&id, |view| view.stage.waiting_for.starts_with("the pause")).await;
    assert_eq!(samples(&view.file), [first]);
    assert_eq!(view.file.runs[1].attempts, []);
    assert_eq!(daemon.runs().await.len(), 1);
    daemon.stop().await;
}

#[tokio::test]
async fn a_sample_that_is_deleted_by_hand_is_made_again() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), None);
    daemon.fake.set_deploying(Deploying::Works);
    let id = daemon.submit("repeats: 2\nbetween: { pause: 1s }", false).await;
    let view = daemon.until(&id, |view| samples(&view.file).len() == 1).await;
    let deleted = samples(&view.file).remove(0);
    daemon.registry.delete(deleted.clone()).await.expect("has ended");
    let file = daemon.ended(&id).await;
    assert_eq!((file.state, samples(&file).len()), (StudyState::Succeeded, 4));
    let first = file.runs.iter().find(|run| run.attempts[0].run_id == deleted).expect("was made");
    let ends: Vec<_> = first.attempts.iter().map(|attempt| attempt.end).collect();
    assert_eq!(ends, [Some(AttemptEnd::Deleted), Some(AttemptEnd::Sample)]);
    assert!(file.notes.iter().any(|note| note.contains("was deleted by hand")), "{:?}", file.notes);
    daemon.stop().await;
}

#[tokio::test]
async fn retention_leaves_the_runs_of_a_study_alone_until_it_has_ended() {
    let state = tempfile::tempdir().expect("a directory");
    let retention = Retention { max_runs: Some(1), ..Retention::default() };
    let daemon = Daemon::keeping(state.path(), None, retention);
    let id = daemon.submit("repeats: 3", false).await;
    let file = daemon.ended(&id).await;
    assert_eq!((samples(&file).len(), file.run_ids().count()), (6, 6), "each was made once");
    // The end of another run applies retention.
    let other = daemon.submit("repeats: 1", false).await;
    daemon.ended(&other).await;
    while daemon.registry.missing(samples(&file)).await.expect("answers").len() < 5 {
        tokio::task::yield_now().await;
    }
    daemon.stop().await;
}

#[tokio::test]
async fn runs_from_before_a_study_stand_for_its_runs_where_that_is_asked_for() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), None);
    let first = daemon.submit("repeats: 2", false).await;
    let before = daemon.ended(&first).await;
    let second = daemon.submit("name: other\nrepeats: 3", true).await;
    let file = daemon.ended(&second).await;
    let reused: Vec<_> = file.runs.iter().flat_map(|run| &run.attempts).filter(|attempt| attempt.reused).collect();
    assert_eq!((reused.len(), samples(&file).len(), daemon.runs().await.len()), (4, 6, 6));
    assert!(reused.iter().all(|attempt| samples(&before).contains(&attempt.run_id)));
    // With one seed for all, each run still stands for one run alone.
    let same = daemon.submit("repeats: 3\nseeds: same", true).await;
    let file = daemon.ended(&same).await;
    let mut ids = samples(&file);
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), daemon.runs().await.len()), (6, 10));
    daemon.stop().await;
}

#[tokio::test]
async fn a_run_that_fails_is_tried_again_and_then_what_the_study_says_follows() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), None);
    daemon.fake.set_deploying(Deploying::Fails);
    let id = daemon.submit("repeats: 1\nretries: 10\nbetween: { pause: 1s }", false).await;
    daemon.until(&id, |view| view.file.runs[0].attempts.first().is_some_and(|attempt| attempt.end.is_some())).await;
    daemon.fake.set_deploying(Deploying::Works);
    let file = daemon.ended(&id).await;
    assert_eq!((file.state, samples(&file).len()), (StudyState::Succeeded, 2));
    let ends: Vec<_> = file.runs[0].attempts.iter().map(|attempt| attempt.end).collect();
    assert_eq!((ends[0], ends[ends.len() - 1]), (Some(AttemptEnd::Failed), Some(AttemptEnd::Sample)));
    daemon.fake.set_deploying(Deploying::Fails);
    let id = daemon.submit("repeats: 1\nretries: 0\nonFailure: stop", false).await;
    let file = daemon.ended(&id).await;
    assert_eq!((file.state, samples(&file).len()), (StudyState::Failed, 0));
    assert!(file.reason.contains("onFailure is stop: run ") && file.reason.contains("no room"), "{}", file.reason);
    daemon.stop().await;
}

#[tokio::test]
async fn a_study_that_is_cancelled_ends_with_its_run_and_the_next_one_begins() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), None);
    daemon.fake.set_deploying(Deploying::Waits);
    let first = daemon.submit("repeats: 2", false).await;
    let waiting = daemon.submit("repeats: 1", false).await;
    let third = daemon.submit("repeats: 1", false).await;
    daemon.fake.asked_to_deploy(1).await;
    let refused = daemon.studies.cancel(StudySelector::Id(first.clone()), Scope::Own("bob".to_owned())).await;
    assert!(matches!(refused, Err(StudiesError::NotOwner { .. })));
    assert!(matches!(daemon.studies.delete(first.clone()).await, Err(StudiesError::NotEnded(_))));
    daemon.studies.cancel(StudySelector::Id(waiting.clone()), Scope::Own("ann".to_owned())).await.expect("is hers");
    assert_eq!(daemon.ended(&waiting).await.state, StudyState::Cancelled);
    daemon.fake.set_deploying(Deploying::Works);
    daemon.studies.cancel(StudySelector::Id(first.clone()), Scope::All).await.expect("is known");
    let file = daemon.ended(&first).await;
    assert_eq!(file.state, StudyState::Cancelled);
    assert_eq!(file.runs[0].attempts[0].end, Some(AttemptEnd::Cancelled));
    assert_eq!(daemon.runs().await[0].file.state, State::Cancelled);
    assert_eq!(daemon.ended(&third).await.state, StudyState::Succeeded);
    daemon.studies.delete(first.clone()).await.expect("has ended");
    assert!(matches!(daemon.studies.watch(StudySelector::Id(first)).await, Err(StudiesError::NotFound(_))));
    assert_eq!(daemon.runs().await.len(), 3, "the runs stay");
    daemon.stop().await;
}

#[tokio::test]
async fn hooks_are_run_around_the_study_and_each_run_and_one_that_fails_fails_its_run() {
    use std::os::unix::fs::PermissionsExt as _;

    let state = tempfile::tempdir().expect("a directory");
    let hooks = tempfile::tempdir().expect("a directory");
    let log = state.path().join("log");
    let script = format!(
        "#!/bin/sh\necho \"$LOADER_STAGE $LOADER_VARY_RPS_MEMORYMIB $LOADER_REPEAT\" >> {0}\n\
         test \"$LOADER_STAGE $LOADER_VARY_RPS_MEMORYMIB\" != 'beforeRun 2' || {{ echo no; exit 1; }}\n",
        log.display()
    );
    let path = hooks.path().join("hook");
    std::fs::write(&path, script).expect("writes");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("is mine");
    let daemon = Daemon::start(state.path(), Some(hooks.path()));
    let named = "hooks: { beforeStudy: hook, afterStudy: hook, beforeRun: hook, afterRun: hook }";
    let id = daemon.submit(&format!("repeats: 1\norder: asGiven\nretries: 0\n{named}"), false).await;
    let file = daemon.ended(&id).await;
    assert_eq!((file.state, samples(&file).len()), (StudyState::Succeeded, 1));
    let failed = &file.runs[1].attempts[0];
    assert_eq!(failed.end, Some(AttemptEnd::Failed));
    assert_eq!(failed.reason, "the hook hook (beforeRun): it failed: exit status: 1; its last words: no");
    let lines = std::fs::read_to_string(&log).expect("was run");
    assert_eq!(lines, "beforeStudy  \nbeforeRun 1 0\nafterRun 1 0\nbeforeRun 2 0\nafterStudy  \n");
    let output = daemon.store.directory(&id).join(format!("hook-{}-beforeRun.log", failed.run_id));
    assert_eq!(std::fs::read_to_string(output).expect("is kept"), "no\n");
    daemon.stop().await;
}

#[tokio::test]
async fn a_study_waits_for_its_clients_word_before_and_after_each_run() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), None);
    let client = ClientStages { before_run: true, after_run: true };
    let id = daemon.submit_awaiting("repeats: 1\nretries: 0", false, client).await;
    for (failure, ends) in [("", AttemptEnd::Sample), ("exit status: 3", AttemptEnd::Failed)] {
        for stage in [ClientStage::BeforeRun, ClientStage::AfterRun] {
            let asked = |view: &Arc<StudyView>| view.stage.client.as_ref().is_some_and(|(asked, _)| *asked == stage);
            let (_, run) = daemon.until(&id, asked).await.stage.client.clone().expect("asks");
            let other = daemon.studies.proceed(id.clone(), Scope::All, (RunId::new(1, 1), stage), String::new()).await;
            assert!(matches!(other, Err(StudiesError::NotAwaited(_))));
            let failure = if stage == ClientStage::AfterRun { failure } else { "" };
            daemon.studies.proceed(id.clone(), Scope::All, (run, stage), failure.to_owned()).await.expect("is asked");
        }
        let ended = |view: &Arc<StudyView>| {
            view.file.runs.iter().flat_map(|run| &run.attempts).any(|attempt| attempt.end == Some(ends))
        };
        daemon.until(&id, ended).await;
    }
    let file = daemon.ended(&id).await;
    assert_eq!((file.state, samples(&file).len()), (StudyState::Succeeded, 1));
    daemon.stop().await;
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_written_ends_a_study_and_says_where() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), None);
    let id = daemon.submit("repeats: 2\nbetween: { pause: 1s }", false).await;
    daemon.until(&id, |view| samples(&view.file).len() == 1).await;
    // Nothing can be renamed to the name of a directory.
    let path = daemon.store.directory(&id).join("study.json");
    std::fs::remove_file(&path).expect("is there");
    std::fs::create_dir_all(path.join("in the way")).expect("makes");
    let file = daemon.ended(&id).await;
    assert_eq!(file.state, StudyState::Failed);
    assert!(file.reason.starts_with(&format!("cannot write {}", path.display())), "{}", file.reason);
    daemon.stop().await;
}
