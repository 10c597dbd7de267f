//! Watches that are interrupted: what happened meanwhile has the times of the objects, not that of the news.

use std::{thread::sleep, time::Duration};

use loader_tests::{cluster::Cluster, eventually};
use serde_json::Value;

use super::{daemon, submit};

const PODS: &str = "pods";

/// How much later the news comes than the last change. Stamps are whole seconds, so that less could not be told from news in time.
const LATE: Duration = Duration::from_secs(4);

/// A stamp in microseconds.
fn micros(stamp: &Value) -> Option<i64> {
    let at = humantime::parse_rfc3339(stamp.as_str()?).expect("a stamp");
    let since = at.duration_since(std::time::UNIX_EPOCH).expect("after it");
    Some(i64::try_from(since.as_micros()).expect("this century"))
}

/// The pods that are ready: name, and the stamps of creation and readiness.
fn ready(cluster: &Cluster) -> Vec<(String, [i64; 2])> {
    let pods = cluster.names(PODS).into_iter().filter_map(|name| {
        let pod = cluster.get(PODS, "loader", &name)?;
        let conditions = pod["status"]["conditions"].as_array()?;
        let ready = conditions.iter().find(|it| it["type"] == "Ready" && it["status"] == "True")?;
        Some((name, [micros(&pod["metadata"]["creationTimestamp"])?, micros(&ready["lastTransitionTime"])?]))
    });
    pods.collect()
}

/// A function scales up while `begin` holds, and what is recorded of it after `end`.
fn scales_up_in_a_gap(begin: impl Fn(&Cluster), end: impl Fn(&Cluster)) {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 2 --end 12 --step 10 --slot 14s --runtime 400ms --memory 1MiB --initial-scale 1 \
                 --stable-window 600s";
    let id = submit(&daemon, flags);
    eventually("rows", || (daemon.lines(&id, "invocations.csv") > 20).then_some(()));
    begin(&cluster);
    // Those of which the daemon may have learned before.
    let known = ready(&cluster);
    let missed = eventually("more pods", || {
        let new: Vec<_> = ready(&cluster).into_iter().filter(|pod| !known.contains(pod)).collect();
        (new.len() >= 3).then_some(new)
    });
    sleep(LATE);
    end(&cluster);
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    // What the client's library says does not name what failed; what does is logged by the daemon.
    let log = daemon.log();
    assert!(!log.iter().any(|line| line.contains("eof in poll") || line.contains("failed with ")), "{log:#?}");

    let second = 1_000_000;
    let starts = daemon.table(&id, "cold_starts.csv");
    let rows = starts.columns(["instance", "created_unix_us", "ready_unix_us", "source"]);
    for (pod, stamps) in &missed {
        let row = rows.iter().find(|row| row[0] == pod).expect("it has a row");
        for (stamp, time) in stamps.iter().zip(&row[1..3]) {
            let after = time.parse::<i64>().expect("a time") - stamp;
            assert!((0..=second).contains(&after), "{after} µs after its stamp {stamp}: {row:?}");
        }
        assert_eq!(row[3], "object", "{row:?}");
    }
    assert!(rows.iter().any(|row| row[3] == "watch"), "{starts:?}");
    let scales = daemon.table(&id, "scales.csv");
    let rows = scales.columns(["unix_us", "running", "source"]);
    let at = |row: &[&str; 3]| row[0].parse::<i64>().expect("a time");
    let learned: Vec<_> = rows.iter().filter(|row| row[2] == "object").collect();
    let last = missed.iter().map(|(_, [_, ready])| *ready).max().unwrap_or_default();
    let counts = learned.iter().filter(|row| at(row) <= last).map(|row| row[1].parse::<usize>().expect("a count"));
    assert!(counts.max() >= Some(known.len() + missed.len()), "{known:?} {missed:?} {scales:?}");
    assert!(rows.iter().all(|row| ["watch", "object"].contains(&row[2])), "{scales:?}");
}

#[test]
fn an_api_server_that_was_away() {
    scales_up_in_a_gap(|cluster| cluster.set_away(true), |cluster| cluster.set_away(false));
}

#[test]
fn an_api_server_that_has_forgotten_its_history() {
    scales_up_in_a_gap(
        |cluster| cluster.set_away(true),
        |cluster| {
            cluster.forget_history();
            cluster.set_away(false);
        },
    );
}

#[test]
fn watches_that_said_nothing() {
    scales_up_in_a_gap(|cluster| cluster.hold_watches(true), |cluster| cluster.hold_watches(false));
}
