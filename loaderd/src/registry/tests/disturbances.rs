//! Runs that disturb their platform: what comes before and behind it.

use super::*;
use crate::platform::fake::Call;

/// Submits a run of 200 ms whose one disturbance is due after half of that, and lasts to the end.
async fn disturbing(daemon: &Daemon) -> RunId {
    let text = "{rps: {start: 100, end: 100, slot: 200ms}, disturb: [{at: 100ms, do: refuseStarts}]}";
    let (spec, faults) = loader_proto::json::from_yaml::<v1::RunSpec>(text);
    assert!(faults.is_empty(), "{faults:?}");
    let submission = Submission {
        spec: codec().submitted(&spec),
        name: "demo".to_owned(),
        mode: "rps",
        platform: "local".to_owned(),
        owner: "unix".to_owned(),
        idempotency_key: String::new(),
        study: None,
    };
    daemon.registry.submit(submission).await.expect("is taken").view.file.run_id.clone()
}

#[tokio::test]
async fn disturbances_are_checked_first_and_undone_before_the_run_is_cleaned() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start_on(state.path(), FakePlatform::new("local").disturbed(None)).await;
    let id = disturbing(&daemon).await;
    assert_eq!(daemon.ended(&id).await, (State::Succeeded, String::new()));
    let expected = [
        Call::CheckDisturbances(1),
        Call::Deploy(id.clone()),
        Call::Begin(0),
        Call::End(0),
        Call::RestoreDisturbances(id.clone()),
        Call::Clean(id.clone()),
    ];
    assert_eq!(daemon.fake.calls(), expected);
    let view = daemon.until(&id, |view| view.summary.is_some()).await;
    assert_eq!(view.events.iter().map(|event| event.stage.as_str()).collect::<Vec<_>>(), ["begin", "end"]);
    let found = &view.summary.as_ref().expect("is there").load.disturbances;
    assert!(found[0].figures.is_some() && found[0].undone.is_some(), "{found:?}");
    daemon.stop().await;
}

#[tokio::test]
async fn a_run_that_panics_and_one_of_a_killed_daemon_are_restored_before_they_are_cleaned() {
    let state = tempfile::tempdir().expect("a directory");
    let fake = || FakePlatform::new("local").disturbed(None);
    let first = Daemon::start_on(state.path(), fake().deploying(Deploying::Breaks)).await;
    let broken = disturbing(&first).await;
    assert_eq!(first.ended(&broken).await.0, State::Failed);
    let restored = |id: &RunId| [Call::RestoreDisturbances(id.clone()), Call::Clean(id.clone())];
    assert!(first.fake.calls().ends_with(&restored(&broken)), "{:?}", first.fake.calls());
    first.fake.set_deploying(Deploying::Waits);
    let left = disturbing(&first).await;
    first.deploying(2).await;
    // As a kill does: without a word to its tasks.
    drop(first);
    let second = Daemon::start_on(state.path(), fake()).await;
    assert_eq!(second.ended(&left).await.0, State::Interrupted);
    assert_eq!(second.fake.calls(), restored(&left));
    second.stop().await;
}

#[tokio::test]
async fn a_run_that_fails_is_restored_too() {
    let state = tempfile::tempdir().expect("a directory");
    let fake = FakePlatform::new("local").disturbed(None).deploying(Deploying::Waits);
    let daemon = Daemon::start_on(state.path(), fake).await;
    let id = disturbing(&daemon).await;
    daemon.deploying(1).await;
    let path = daemon.store.directory(&id).path().join("events.csv");
    std::fs::create_dir(&path).expect("makes");
    daemon.fake.let_go();
    let (ended, reason) = daemon.ended(&id).await;
    assert_eq!(ended, State::Failed);
    assert!(reason.contains(&format!("cannot create {}", path.display())), "{reason}");
    let calls = daemon.fake.calls();
    assert!(calls.ends_with(&[Call::RestoreDisturbances(id.clone()), Call::Clean(id)]), "{calls:?}");
    daemon.stop().await;
}
