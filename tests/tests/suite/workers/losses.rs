//! Workers that are killed or stopped, whose disk is full, and whose daemon is killed.

use std::{thread::sleep, time::Duration};

use loader_tests::{Table, eventually, is_alive, run};
use nix::{sys::signal::Signal, unistd::Pid};

use super::{Loader, all_but, counts_are_sums, expected, number, planned, same, signal, statuses, sums_up, workers};

/// How a worker that was killed is said to have ended.
const KILLED: &str = "worker 1 was lost: killed by signal 9 (SIGKILL)";

/// A worker of a run that succeeded is lost, for this reason: each invocation has its row, and the worker is named.
#[track_caller]
fn is_made_up_for(loader: &Loader, run: &str, lost: u32, reason: &str) {
    let daemon = &loader.daemon;
    let rows = daemon.table(run, "invocations.csv");
    same(&planned(daemon, run), expected());
    all_but(&rows, &lost.to_string());
    let of_lost = statuses(&rows, &lost.to_string());
    assert!(of_lost.contains_key("not_sent"), "{of_lost:?}");
    assert!(of_lost.keys().all(|status| ["ok", "not_sent", "unfinished"].contains(&&**status)), "{of_lost:?}");
    for [status, error, sent] in rows.columns(["status", "error", "sent_unix_us"]) {
        assert!(
            status == "ok" || (error.starts_with(&format!("worker {lost} was lost: {reason}")) && sent.is_empty()),
            "{error}"
        );
        assert_eq!(status == "unfinished", error.ends_with("; whether it was sent is not known"), "{status}: {error}");
    }
    let summary = sums_up(daemon, run, 4);
    for (index, worker) in summary["workers"].as_array().expect("a list").iter().enumerate() {
        let is_lost = index == lost as usize;
        assert_eq!(worker["state"], if is_lost { "lost" } else { "ok" }, "{worker:#}");
        let found = worker["reason"].as_str().unwrap_or_default();
        assert!(if is_lost { found.starts_with(reason) } else { found.is_empty() }, "{worker:#}");
    }
    let shown = daemon.ctl(&["get", run]).ok().stdout;
    assert!(shown.contains(&format!("WORKER {lost} WAS LOST: ")) && shown.contains(reason), "{shown}");
}

#[test]
fn a_worker_that_is_killed_is_made_up_for() {
    let loader = Loader::start();
    let run = loader.under_way("--workers 4");
    signal(workers(&loader.daemon)[&1], Signal::SIGKILL);
    let ended = loader.daemon.ended(&run);
    assert_eq!(ended["state"], "RUN_STATE_SUCCEEDED", "{ended:#}");
    is_made_up_for(&loader, &run, 1, "killed by signal 9 (SIGKILL)");
    assert_eq!(loader.leftovers(), [""; 0]);
    // What it did not send, the loader did not.
    assert_eq!(loader.daemon.ctl(&["watch", &run]).code, 3);
}

#[test]
fn all_workers_that_are_killed_fail_the_run() {
    let loader = Loader::start();
    let run = loader.under_way("--workers 2");
    workers(&loader.daemon).values().for_each(|worker| signal(*worker, Signal::SIGKILL));
    let ended = loader.daemon.ended(&run);
    assert_eq!(ended["state"], "RUN_STATE_FAILED", "{ended:#}");
    let reason = ended["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("all workers were lost, worker "), "{reason}");
    assert!(planned(&loader.daemon, &run).is_subset(expected()));
    counts_are_sums(&loader.daemon, &run, 2);
}

#[test]
fn a_worker_that_is_killed_aborts_the_run_where_the_spec_says_so() {
    let loader = Loader::start();
    let run = loader.under_way("--workers 4 --on-worker-loss abort");
    signal(workers(&loader.daemon)[&1], Signal::SIGKILL);
    let ended = loader.daemon.ended(&run);
    assert_eq!(ended["state"], "RUN_STATE_FAILED", "{ended:#}");
    assert_eq!(ended["reason"], format!("{KILLED} (workers.onWorkerLoss is abort)"));
    let (found, expected) = (planned(&loader.daemon, &run), expected());
    assert!(found.is_subset(expected) && found.len() < expected.len(), "{} of {}", found.len(), expected.len());
    // Without gaps until it was lost, at the least: each worker hears of the end at an instant of its own.
    let first_missing = expected.difference(&found).map(|(_, _, due, _, _)| *due).min().expect("some are");
    let rows = loader.daemon.table(&run, "invocations.csv");
    let dues: Vec<u64> = rows.numbers("due_unix_us");
    let sent = rows.columns(["worker", "status"]).into_iter().zip(&dues).filter(|(row, _)| *row == ["1", "ok"]);
    let first = dues.iter().min().expect("there are rows");
    assert!(sent.map(|(_, due)| due - first).max().is_some_and(|last| last < first_missing));
    let summary = counts_are_sums(&loader.daemon, &run, 4);
    assert_eq!((&summary["workers"][1]["state"], number(&summary["rows"])), (&"lost".into(), found.len() as u64));
    assert_eq!(loader.leftovers(), [""; 0]);
    let watched = loader.daemon.ctl(&["watch", &run]);
    assert!(watched.code == 1 && watched.stdout.contains("WORKER 1 WAS LOST"), "{watched:?}");
}

#[test]
fn a_daemon_that_is_killed_leaves_nothing_of_its_workers() {
    let mut loader = Loader::start();
    let run = loader.under_way("--workers 3");
    let processes: Vec<Pid> = workers(&loader.daemon).into_values().collect();
    assert_eq!(processes.len(), 3);
    loader.daemon.signal(Signal::SIGKILL);
    loader.daemon.wait();
    let is_gone = |worker: &Pid| !is_alive(worker.as_raw().unsigned_abs());
    eventually("no worker survives", || processes.iter().all(is_gone).then_some(()));
    // Rows of all that were written are whole.
    let written = Table::read(&loader.daemon.directory(&run).join("invocations.csv"));
    assert!(written.len() > 99 && written.column("status").iter().all(|status| *status == "ok"));
    loader.restart();
    let ended = loader.daemon.ended(&run);
    assert_eq!(ended["state"], "RUN_STATE_INTERRUPTED", "{ended:#}");
    eventually("no file is left", || loader.leftovers().is_empty().then_some(()));
    assert_eq!(workers(&loader.daemon).len(), 0);
}

#[test]
fn a_worker_that_stands_still_for_a_while_comes_back_and_nothing_is_missing() {
    let loader = Loader::start();
    let run = loader.under_way("--workers 4");
    let slow = workers(&loader.daemon)[&3];
    signal(slow, Signal::SIGSTOP);
    sleep(Duration::from_secs(3));
    signal(slow, Signal::SIGCONT);
    assert_eq!(loader.daemon.ended(&run)["state"], "RUN_STATE_SUCCEEDED");
    same(&planned(&loader.daemon, &run), expected());
    all_but(&loader.daemon.table(&run, "invocations.csv"), "none");
    let summary = sums_up(&loader.daemon, &run, 4);
    // The lag is its own: that of the others is less than its stall, even where the machine stood still for a second.
    let longest = |worker: usize| number(&summary["workers"][worker]["ownLagUs"]["max"]);
    assert!(longest(3) >= 2_000_000 && (0..3).all(|worker| longest(worker) < longest(3)), "{summary:#}");
    assert!((0..4).all(|worker| summary["workers"][worker]["state"] == "ok"), "{summary:#}");
}

/// A limit of its files' size is met as a full disk is, and needs neither rights nor a disk.
#[test]
fn a_worker_whose_disk_is_full_is_made_up_for() {
    let loader = Loader::start();
    let run = loader.daemon.submit(&loader.flags("--workers 4"));
    // As soon as it is there, and so before it has anything to record.
    let confined = eventually("a third worker", || workers(&loader.daemon).get(&2).copied());
    self::run("prlimit", ["--fsize=4096", "--pid", &confined.to_string()]).ok();
    let ended = loader.daemon.ended(&run);
    assert_eq!(ended["state"], "RUN_STATE_SUCCEEDED", "{ended:#}");
    is_made_up_for(&loader, &run, 2, "what was recorded cannot be kept in ");
    let reason = loader.daemon.summary(&run)["workers"][2]["reason"].as_str().expect("text").to_owned();
    assert!(reason.contains("File too large"), "{reason}");
    assert_eq!(loader.leftovers(), [""; 0]);
}
