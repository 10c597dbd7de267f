//! Workers of runs on a cluster.

use std::{collections::BTreeMap, net::TcpListener, path::Path};

use loader_tests::{
    Daemon,
    cluster::{Cluster, ContainerEnd, Failure},
    eventually,
};

use super::{submit, succeed};

const CONFIG: &str = "[workers]\nlisten = \"127.0.0.1:0\"\nimage = \"dev.local/loaderd:v1\"";

/// 20 invocations a second in one slot, whose length is to be given.
const FLAGS: &str = "--mode rps --start 20 --end 20 --functions 4 --runtime 1ms --memory 1MiB --initial-scale 1 --saturation-lag 1m \
                     --workers 3 --slot";

/// The lines of `status` about workers, without their name's padding.
fn shown(cluster: &Cluster, more: &str) -> Vec<String> {
    let state = tempfile::tempdir().expect("a directory");
    let config = cluster.loaderd_config(more);
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    let status = daemon.ctl(&["status"]).ok().stdout;
    let lines = status.lines().filter(|line| line.starts_with("knative") && line.contains("workers"));
    lines.map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn status_says_what_workers_need_where_they_are_configured() {
    let cluster = Cluster::start();
    assert_eq!(shown(&cluster, ""), [""; 0]);
    let listen = "[workers]\nlisten = \"0.0.0.0:9490\"\nadvertise = \"10.0.0.9:9490\"";
    let missing = "missing for workers create jobs.batch in namespace loader, list jobs.batch in namespace loader, delete jobs.batch in \
                   namespace loader, create secrets in namespace loader";
    let without_image = "workers runs with workers need workers.image (the daemon's own) in the daemon's configuration: docs/knative.md";
    let useful = "useful for workers list events in namespace loader";
    assert_eq!(shown(&cluster, listen), [missing, useful, without_image]);
    cluster.allow_workers();
    let able = format!("{listen}\nimage = \"dev.local/loaderd:v1\"");
    assert_eq!(shown(&cluster, &able), ["missing for workers none", "workers reach this daemon at 10.0.0.9:9490"]);
}

/// A cluster that may run workers, and does.
fn cluster() -> Cluster {
    let cluster = Cluster::start();
    cluster.allow_workers();
    cluster.run_programs_of_jobs();
    cluster
}

fn start(cluster: &Cluster, state: &Path) -> Daemon {
    let config = cluster.loaderd_config(CONFIG);
    Daemon::start_with(state, &["--config", config.to_str().expect("text")])
}

fn nothing_is_left(cluster: &Cluster) {
    eventually("no Jobs, pods and Secrets", || (!cluster.has_anything_of_jobs()).then_some(()));
}

/// Waits until a run sends.
fn sends(daemon: &Daemon, run: &str) {
    eventually("rows", || (daemon.lines(run, "invocations.csv") > 20).then_some(()));
}

/// A run that fails: why.
fn failure(daemon: &Daemon, run: &str) -> String {
    let run = daemon.ended(run);
    assert_eq!(run["state"], "RUN_STATE_FAILED", "{run:#}");
    run["reason"].as_str().expect("text").to_owned()
}

#[test]
fn a_run_is_sent_by_the_pods_of_a_job_and_nothing_of_them_is_left() {
    let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
    let daemon = start(&cluster, state.path());
    let run = succeed(&daemon, &format!("{FLAGS} 5s"));
    let rows = daemon.table(run["runId"].as_str().expect("an id"), "invocations.csv");
    assert_eq!(rows.counts("status"), BTreeMap::from([("ok", 100)]));
    assert_eq!(rows.counts("worker").into_keys().collect::<Vec<_>>(), ["0", "1", "2"]);
    let pods =
        run["summary"]["workers"].as_array().expect("workers").iter().map(|it| it["pod"].as_str().expect("text"));
    let pods: Vec<_> = pods.collect();
    assert!(pods.iter().all(|pod| pod.starts_with("workers-")), "{pods:?}");
    nothing_is_left(&cluster);
}

#[test]
fn workers_that_do_not_start_are_named_with_what_the_cluster_says() {
    for (fault, reason) in [(Failure::Unschedulable, "Insufficient cpu"), (Failure::BadImage, "ImagePullBackOff")] {
        let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
        let daemon = start(&cluster, state.path());
        cluster.fail("workers", fault);
        let run = submit(&daemon, &format!("{FLAGS} 5s --worker-start-timeout 5s"));
        let failed = failure(&daemon, &run);
        let named = ["workers are not ready within 5s: worker 0 (", "worker 1 (", "worker 2 ("];
        assert!(named.iter().all(|it| failed.contains(it)), "{failed}");
        assert_eq!(failed.matches(reason).count(), 3, "{failed}");
        nothing_is_left(&cluster);
    }
}

/// The Job itself does not say why it has no pods.
#[test]
fn pods_that_a_quota_refuses_are_named_with_its_words_or_with_the_command_that_shows_them() {
    let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
    let daemon = start(&cluster, state.path());
    cluster.fail("workers", Failure::Quota);
    let flags = format!("{FLAGS} 5s --worker-start-timeout 5s");
    let failed = failure(&daemon, &submit(&daemon, &flags));
    let expected = "worker 0 (the Job has not created its pod yet: Error creating: pods \"workers-";
    assert!(
        failed.contains(expected) && failed.contains("is forbidden: exceeded quota: compute, requested: "),
        "{failed}"
    );
    nothing_is_left(&cluster);
    cluster.forbid("list", "events");
    let failed = failure(&daemon, &submit(&daemon, &flags));
    let expected = "worker 2 (the Job has not created its pod yet; kubectl describe job --namespace loader workers-";
    assert!(failed.contains(expected), "{failed}");
    nothing_is_left(&cluster);
}

/// Whatever it is doing, the run ends soon and has its records; functions and workers are removed.
#[test]
fn a_cancel_is_heeded_while_workers_are_waited_for_and_while_they_send() {
    let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
    let daemon = start(&cluster, state.path());
    let cancelled = |run: &str| {
        daemon.ctl(&["cancel", "--wait", run]).ok();
        let ended = daemon.ended(run);
        assert_eq!((&ended["state"], &ended["reason"]), (&"RUN_STATE_CANCELLED".into(), &"cancelled by a user".into()));
        nothing_is_left(&cluster);
        assert_eq!(cluster.names(super::SERVICES), [""; 0]);
    };
    let run = submit(&daemon, &format!("{FLAGS} 10m"));
    sends(&daemon, &run);
    cancelled(&run);
    let rows = daemon.table(&run, "invocations.csv");
    assert_eq!(daemon.summary(&run)["rows"], rows.len());
    cluster.fail("workers", Failure::Unschedulable);
    let run = submit(&daemon, &format!("{FLAGS} 10m --worker-start-timeout 1h"));
    eventually("it says why it waits", || {
        let shown = daemon.ctl(&["--output", "json", "get", &run]).ok().json();
        let waiting = shown["run"]["waitingFor"].as_str().unwrap_or_default();
        waiting.starts_with("workers: 0 of 3 are ready; worker 0: Unschedulable: ").then_some(())
    });
    cancelled(&run);
}

#[test]
fn a_worker_that_is_lost_has_its_reason_in_the_rows() {
    let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
    let daemon = start(&cluster, state.path());
    let run = submit(&daemon, &format!("{FLAGS} 30s"));
    sends(&daemon, &run);
    assert!(cluster.end_job_pod(1, ContainerEnd::OutOfMemory));
    let ended = daemon.ended(&run);
    let rows = daemon.table(&run, "invocations.csv");
    assert_eq!(rows.len(), 600);
    let lost: Vec<_> =
        rows.columns(["status", "error", "worker"]).into_iter().filter(|row| row[0] == "not_sent").collect();
    let is_named = |row: &[&str; 3]| row[1].starts_with("worker 1 was lost: OOMKilled") && row[2] == "1";
    assert!(!lost.is_empty() && lost.iter().all(is_named), "{lost:?}");
    assert_eq!(ended["summary"]["workers"][1]["state"], "lost");
    nothing_is_left(&cluster);
}

#[test]
fn a_run_that_ends_by_the_loss_of_a_worker_says_what_the_cluster_says() {
    let ends = [
        (ContainerEnd::Evicted, "worker 1 was lost: Evicted: The node was low on resource: memory."),
        (ContainerEnd::NodeLost, "worker 1 was lost: DeletionByPodGC: PodGC: node no longer exists"),
        (ContainerEnd::Deleted, "it was told to end (SIGTERM)"),
        (ContainerEnd::Exit(7, "cannot go on\n".to_owned()), "worker 1 was lost: exit code 7: cannot go on"),
    ];
    let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
    let daemon = start(&cluster, state.path());
    for (end, reason) in ends {
        let run = submit(&daemon, &format!("{FLAGS} 10m --on-worker-loss abort"));
        sends(&daemon, &run);
        assert!(cluster.end_job_pod(1, end));
        let failed = failure(&daemon, &run);
        assert!(failed.contains(reason), "{failed}");
        nothing_is_left(&cluster);
    }
}

#[test]
fn workers_of_a_daemon_that_was_killed_are_removed_by_its_next_start() {
    let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
    let mut daemon = start(&cluster, state.path());
    let run = submit(&daemon, &format!("{FLAGS} 10m"));
    sends(&daemon, &run);
    daemon.signal(nix::sys::signal::Signal::SIGKILL);
    daemon.wait();
    assert!(cluster.has_anything_of_jobs());
    let daemon = start(&cluster, state.path());
    nothing_is_left(&cluster);
    assert_eq!(daemon.ended(&run)["state"], "RUN_STATE_INTERRUPTED");
}

#[test]
fn a_worker_with_another_token_or_authority_is_refused_and_named() {
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("signs").cert.pem();
    for (file, content, reason) in [
        ("token", "0123", "the coordinator: the token is not that of this run"),
        ("ca.pem", other.as_str(), "is not trusted: invalid peer certificate: "),
    ] {
        let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
        let daemon = start(&cluster, state.path());
        cluster.falsify_secrets(file, content);
        let run = submit(&daemon, &format!("{FLAGS} 5s"));
        let failed = failure(&daemon, &run);
        assert!(failed.starts_with("worker ") && failed.contains(" cannot start: exit code 1: "), "{failed}");
        assert!(failed.contains(reason), "{failed}");
        nothing_is_left(&cluster);
    }
}

#[test]
fn workers_that_can_not_be_are_refused_with_what_to_do() {
    let cluster = Cluster::start();
    let refused = |state: &Path, command: &str, more: &str| {
        let config = cluster.loaderd_config(more);
        let daemon = Daemon::start_with(state, &["--config", config.to_str().expect("text")]);
        let flags = format!("{command} {FLAGS} 5s --platform knative");
        let ran = daemon.ctl(&flags.split_whitespace().collect::<Vec<_>>());
        assert_ne!(ran.code, 0, "{}", ran.stdout);
        ran.stderr
    };
    let state = tempfile::tempdir().expect("a directory");
    let needs = "workers: runs with workers need workers.listen (where pods reach this daemon) and workers.image (the daemon's own) \
                 in the daemon's configuration: docs/knative.md";
    for command in ["submit", "plan"] {
        let said = refused(state.path(), command, "");
        assert!(said.contains(needs), "{said}");
    }
    // Rights are looked up when the run begins, before it deploys anything.
    let daemon = start(&cluster, state.path());
    let failed = failure(&daemon, &submit(&daemon, &format!("{FLAGS} 5s")));
    assert!(failed.contains("missing permissions for workers: create jobs.batch in namespace loader, "), "{failed}");
    assert!(failed.contains("scripts/cluster/prepare --workers"), "{failed}");
    assert_eq!(deployed(&cluster), [""; 0]);
}

/// The functions that were deployed, whether or not they are still there.
fn deployed(cluster: &Cluster) -> Vec<String> {
    let written = cluster
        .asked()
        .into_iter()
        .filter(|it| it.resource == super::SERVICES && ["create", "patch"].contains(&it.verb));
    written.map(|it| it.name).collect()
}

#[test]
fn an_address_that_is_in_use_ends_a_run_before_anything_is_deployed_and_is_free_again_for_the_next_one() {
    let (cluster, state) = (cluster(), tempfile::tempdir().expect("a directory"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let config = cluster.loaderd_config(&CONFIG.replace("127.0.0.1:0", &address.to_string()));
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    let flags = format!("{FLAGS} 1s");
    let failed = failure(&daemon, &submit(&daemon, &flags));
    let expected = format!("cannot wait for workers: cannot listen on {address}: ");
    assert!(failed.starts_with(&expected) && failed.contains("in use"), "{failed}");
    assert_eq!(deployed(&cluster), [""; 0]);
    drop(taken);
    for _ in 0..2 {
        succeed(&daemon, &flags);
    }
    assert_ne!(deployed(&cluster), [""; 0]);
}
