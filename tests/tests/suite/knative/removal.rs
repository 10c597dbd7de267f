//! What a run deployed goes as quickly as the cluster lets it, or without being waited for.

use std::time::Duration;

use loader_tests::cluster::Cluster;

use super::{SERVICES, daemon, succeed};

const FLAGS: &str =
    "--mode rps --start 5 --end 5 --slot 1s --functions 3 --runtime 1ms --memory 1MiB --initial-scale 1 --min-scale 1";

/// Longer than a clean-up waits, though this cluster is ten times as quick as others.
const NEVER: Duration = Duration::from_secs(20_000);

#[test]
fn pods_do_not_wait_for_the_garbage_collector() {
    let cluster = Cluster::start();
    cluster.slow_garbage_collection(NEVER);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    succeed(&daemon, FLAGS);
    assert_eq!(cluster.names(SERVICES), [""; 0]);
    assert_eq!(cluster.names("pods"), [""; 0]);
    let deleted = cluster.asked().into_iter().filter(|it| it.verb == "delete").count();
    assert_eq!(deleted, 3, "one for each Service: {}", cluster.asked_by_kind());
}

#[test]
fn a_run_may_end_while_its_pods_terminate() {
    let cluster = Cluster::start();
    cluster.slow_garbage_collection(NEVER);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    assert!(!daemon.ctl(&["status"]).ok().stdout.contains("still terminating"));
    let run = succeed(&daemon, &format!("{FLAGS} --await-pods=false"));
    assert_eq!(cluster.names(SERVICES), [""; 0]);
    let left = cluster.names("pods").len();
    assert!(left >= 3, "{left}");
    let shown = daemon.ctl(&["status"]).ok().stdout;
    let id = run["runId"].as_str().expect("an id");
    let line = shown.lines().find(|line| line.contains("still terminating")).expect("is shown");
    assert!(line.contains(&format!("{left} pods of run {id}")), "{line}");
}
