//! Runs that are sent by workers, and cancelled at one moment or another.

use super::*;
use crate::platform::fake::{Call, FakeWorkers};

/// Submits a run of two workers.
async fn submitted(daemon: &Daemon) -> RunId {
    let text = "{rps: {start: 100, end: 100, slot: 200ms}, workers: 2}";
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

/// The run says then what it waits for, as does a clean-up that a cancel gives up.
#[tokio::test]
async fn a_cancel_while_workers_are_waited_for_ends_the_run_at_once_and_cleans_it_up() {
    let state = tempfile::tempdir().expect("a directory");
    let fake = FakePlatform::new("local").with_workers(FakeWorkers::default());
    let daemon = Daemon::start_on(state.path(), fake).await;
    let id = submitted(&daemon).await;
    daemon.until(&id, |view| view.waiting_for.starts_with("workers: 0 of 2 are ready")).await;
    for _ in 0..2 {
        daemon.registry.cancel(Selector::Id(id.clone()), Scope::All).await.expect("cancels");
    }
    assert_eq!(daemon.ended(&id).await, (State::Cancelled, "cancelled by a user".to_owned()));
    let expected =
        [Call::Deploy(id.clone()), Call::StartWorkers(2), Call::StopWorkers(id.clone()), Call::Clean(id.clone())];
    assert_eq!(daemon.fake.calls(), expected);
    assert_eq!(daemon.until(&id, |_| true).await.waiting_for, "");
    daemon.stop().await;
}

#[tokio::test]
async fn workers_that_cannot_be_ended_yet_are_tried_again_before_the_functions_are_removed() {
    let state = tempfile::tempdir().expect("a directory");
    let fake = FakePlatform::new("local").with_workers(FakeWorkers::failing("no room"));
    fake.set_away(Some("forbidden"));
    let daemon = Daemon::start_on(state.path(), fake).await;
    let id = submitted(&daemon).await;
    let view = daemon.until(&id, |view| !view.waiting_for.is_empty()).await;
    assert_eq!(view.file.state, State::Cleaning);
    let expected = "cannot end the workers: platform local: forbidden; cannot clean up: platform local: forbidden";
    assert_eq!(view.waiting_for, expected);
    daemon.fake.set_away(None);
    assert_eq!(daemon.ended(&id).await, (State::Failed, "cannot start workers: platform local: no room".to_owned()));
    daemon.stop().await;
}
