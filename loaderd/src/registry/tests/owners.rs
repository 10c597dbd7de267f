//! Whose runs callers may change.

use super::*;

fn refused<T>(result: Result<T, RegistryError>) -> String {
    match result {
        Err(error @ RegistryError::NotOwner { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("is allowed"),
    }
}

fn own(caller: &str) -> Scope {
    Scope::Own(caller.to_owned())
}

#[tokio::test]
async fn callers_change_their_own_runs_and_an_admin_all() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Waits).await;
    let registry = &daemon.registry;
    let active = daemon.submit_as("ann", 50, "").await.expect("is taken").view.file.run_id.clone();
    let queued = daemon.submit_as("bob", 50, "").await.expect("is taken").view.file.run_id.clone();
    daemon.deploying(1).await;
    let message = format!("run {active} belongs to ann: only its owner or an admin may change it");
    assert_eq!(refused(registry.cancel(Selector::Id(active.clone()), own("bob")).await), message);
    // The latest is bob's.
    refused(registry.cancel(Selector::Latest, own("ann")).await);
    assert!(
        registry.watch(Selector::Id(active.clone())).await.expect("is known").borrow().file.state == State::Deploying
    );
    registry.cancel(Selector::Latest, own("bob")).await.expect("is his");
    registry.cancel(Selector::Id(active.clone()), own("ann")).await.expect("is hers");
    daemon.ended(&active).await;
    refused(registry.pin(Selector::Id(active.clone()), true, own("bob")).await);
    assert!(registry.pin(Selector::Id(active.clone()), true, own("ann")).await.expect("is hers").file.pinned);
    assert!(!registry.pin(Selector::Id(active), false, Scope::All).await.expect("may all").file.pinned);
    registry.pin(Selector::Id(queued), true, Scope::All).await.expect("may all");
    daemon.stop().await;
}

#[tokio::test]
async fn owners_are_kept_and_runs_of_earlier_versions_are_left_to_admins() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let id = RunId::new(1_000, 7);
    let mut file = RunFile::new(id.clone(), ("demo", "rps", "local"), UnixMicros(1_000_000), "k");
    file.state = State::Succeeded;
    store.create(&file, &codec().submitted(&v1::RunSpec::default())).expect("creates");
    assert!(!std::fs::read_to_string(store.directory(&id).path().join("run.json")).expect("reads").contains("owner"));
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    let message = format!("run {id} has no known owner: only its owner or an admin may change it");
    assert_eq!(refused(daemon.registry.pin(Selector::Id(id.clone()), true, own("ann")).await), message);
    daemon.registry.pin(Selector::Id(id.clone()), true, Scope::All).await.expect("may all");
    // Its key is everybody's.
    assert!(matches!(daemon.submit_as("ann", 50, "k").await, Err(RegistryError::KeyTaken(other)) if other == id));
    let anns = daemon.submit_as("ann", 50, "").await.expect("is taken").view.file.run_id.clone();
    daemon.ended(&anns).await;
    daemon.stop().await;
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    daemon.registry.pin(Selector::Id(anns.clone()), true, own("ann")).await.expect("is hers");
    refused(daemon.registry.pin(Selector::Id(anns), true, own("bob")).await);
    daemon.stop().await;
}

#[tokio::test]
async fn nobody_takes_the_idempotency_key_of_another() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path(), Deploying::Works).await;
    let of = |it: Submitted| (it.view.file.run_id.clone(), it.existing);
    let bobs = of(daemon.submit_as("bob", 60, "nightly").await.expect("is taken"));
    let anns = of(daemon.submit_as("ann", 50, "nightly").await.expect("is taken"));
    assert!(!bobs.1 && !anns.1 && bobs.0 != anns.0);
    assert_eq!(of(daemon.submit_as("ann", 50, "nightly").await.expect("is taken")), (anns.0.clone(), true));
    daemon.ended(&anns.0).await;
    // That of a deleted run is free; the other's is not.
    daemon.registry.delete(bobs.0).await.expect("deletes");
    assert!(daemon.submit_as("ann", 50, "nightly").await.expect("is taken").existing);
    let fresh = of(daemon.submit_as("bob", 70, "nightly").await.expect("is taken"));
    assert!(!fresh.1);
    daemon.ended(&fresh.0).await;
    daemon.stop().await;
}
