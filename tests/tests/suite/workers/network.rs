//! Streams to workers that break, are slow, or carry nothing for a while. The workers are pods of a cluster that connect through a
//! proxy, over TLS.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU8, Ordering},
    thread::sleep,
    time::Duration,
};

use loader_tests::{Daemon, Proxy, cluster::Cluster, eventually};
use serde_json::Value;

use super::{LOAD, counts_are_sums, expected, load, planned, same, statuses};

/// A cluster whose workers reach the daemon through a proxy.
struct Far {
    daemon: Daemon,
    proxy: Proxy,
    trace: String,
    cluster: Cluster,
    _folder: tempfile::TempDir,
}

impl Far {
    fn start() -> Self {
        let cluster = Cluster::start();
        cluster.allow_workers();
        cluster.run_programs_of_jobs();
        let folder = tempfile::tempdir().expect("a directory");
        // The daemon listens there only while a run with workers is under way. Nobody else takes a port of this address meanwhile.
        static STARTED: AtomicU8 = AtomicU8::new(1);
        let [low, high, ..] = std::process::id().to_le_bytes();
        let own = Ipv4Addr::new(127, STARTED.fetch_add(1, Ordering::Relaxed), high, low);
        let listen = TcpListener::bind((own, 0)).and_then(|it| it.local_addr()).expect("a port");
        let proxy = Proxy::start(listen);
        let advertise = proxy.address();
        let more =
            format!("[workers]\nlisten = \"{listen}\"\nadvertise = \"{advertise}\"\nimage = \"dev.local/loaderd:v1\"");
        let config = cluster.loaderd_config(&more);
        let flags = ["--config", config.to_str().expect("text")];
        let daemon = Daemon::start_with(&folder.path().join("state"), &flags);
        let trace = load(folder.path());
        Self { daemon, proxy, trace, cluster, _folder: folder }
    }

    fn flags<'a>(&'a self, more: &'a str) -> Vec<&'a str> {
        [LOAD, "--platform knative --saturation-lag 1m", more]
            .into_iter()
            .flat_map(str::split_whitespace)
            .chain(["--trace", &self.trace])
            .collect()
    }

    /// Submits a run with three workers, and waits until it has some hundred rows.
    fn under_way(&self, more: &str) -> String {
        let run = self.daemon.submit(&[&self.flags(more)[..], &["--workers", "3"]].concat());
        eventually("a hundred rows", || (self.daemon.lines(&run, "invocations.csv") > 100).then_some(()));
        run
    }

    /// The run succeeds, with each invocation once; all were sent, but for those of one worker, whatever the cluster's functions made of
    /// it. Nothing of it is left.
    fn is_whole(&self, run: &str, but: &str) -> Value {
        let ended = self.daemon.ended(run);
        assert_eq!(ended["state"], "RUN_STATE_SUCCEEDED", "{ended:#}");
        same(&planned(&self.daemon, run), expected());
        for [worker, sent, error] in
            self.daemon.table(run, "invocations.csv").columns(["worker", "sent_unix_us", "error"])
        {
            assert!(worker == but || !sent.is_empty(), "worker {worker}: {error}");
        }
        assert!(!self.cluster.has_anything_of_jobs());
        counts_are_sums(&self.daemon, run, 3)
    }
}

fn states(summary: &Value) -> Vec<&str> {
    let workers = summary["workers"].as_array().expect("a list");
    workers.iter().map(|worker| worker["state"].as_str().unwrap_or_default()).collect()
}

#[test]
fn streams_that_are_cut_again_and_again_lose_nothing() {
    let far = Far::start();
    let run = far.under_way("");
    for _ in 0..5 {
        far.proxy.cut();
        sleep(Duration::from_millis(700));
    }
    let summary = far.is_whole(&run, "none");
    assert!(far.proxy.connections() >= 3 + 3, "they came back");
    assert!(!states(&summary).contains(&"lost"), "{summary:#}");
}

#[test]
fn streams_that_are_slow_lose_nothing_and_bounds_of_clocks_say_so() {
    let far = Far::start();
    far.proxy.delay(Duration::from_millis(50));
    let run = far.under_way("");
    let summary = far.is_whole(&run, "none");
    assert_eq!(states(&summary), ["ok"; 3]);
    // Half of a round trip of a tenth of a second.
    let bound = summary["clockError"]["worstBoundNs"].as_u64().or_else(|| {
        let text = summary["clockError"]["worstBoundNs"].as_str()?;
        text.parse().ok()
    });
    assert!(bound.is_some_and(|bound| bound >= 45_000_000), "{summary:#}");
    let shown = far.daemon.ctl(&["get", &run]).ok().stdout;
    assert!(shown.contains("CLOCKS OF 3 WORKERS ARE KNOWN TO"), "{shown}");
}

#[test]
fn a_partition_of_ten_seconds_which_is_shorter_than_workers_wait_loses_nothing() {
    let far = Far::start();
    let run = far.under_way("--orphan-timeout 1m");
    far.proxy.hold(true);
    sleep(Duration::from_secs(6));
    let shown = far.daemon.ctl(&["--output", "json", "get", &run]).ok().json();
    let workers = shown["run"]["progress"]["workers"].as_array().expect("a list");
    assert!(workers.iter().all(|worker| worker["state"] == "suspect"), "{workers:#?}");
    sleep(Duration::from_secs(4));
    far.proxy.hold(false);
    let summary = far.is_whole(&run, "none");
    assert!(!states(&summary).contains(&"lost"), "{summary:#}");
}

#[test]
fn a_worker_that_stays_cut_off_is_made_up_for() {
    let far = Far::start();
    let run = far.under_way("--orphan-timeout 3s");
    far.proxy.hold_one(0);
    let ended = far.daemon.ended(&run);
    let lost = ended["summary"]["workers"].as_array().expect("a list").iter().position(|it| it["state"] == "lost");
    let lost = lost.expect("one is lost").to_string();
    let summary = far.is_whole(&run, &lost);
    assert_eq!(states(&summary).iter().filter(|state| **state == "lost").count(), 1, "{summary:#}");
    let of_lost = statuses(&far.daemon.table(&run, "invocations.csv"), &lost);
    assert!(of_lost.contains_key("unfinished"), "{of_lost:?}");
    let shown = far.daemon.ctl(&["get", &run]).ok().stdout;
    assert!(
        // The daemon has not heard of it, or it has ended because it has not heard of the daemon, whichever is known last.
        shown.contains(&format!("WORKER {lost} WAS LOST: ")) && shown.contains("nothing was heard of "),
        "{shown}"
    );
}

/// It stops sending by itself, is lost, and comes back in time to hand over what it has sent.
#[test]
fn a_partition_after_which_workers_come_back_has_the_rows_of_what_they_sent() {
    let far = Far::start();
    let run = far.under_way("--orphan-timeout 3s");
    far.proxy.hold_one(0);
    let state = |wanted: &str| {
        let shown = far.daemon.ctl(&["--output", "json", "get", &run]).ok().json();
        let workers = shown["run"]["progress"]["workers"].as_array().cloned().unwrap_or_default();
        workers.iter().position(|worker| worker["state"] == wanted)
    };
    let lost = eventually("it is lost", || state("lost")).to_string();
    far.proxy.hold(false);
    let summary = far.is_whole(&run, &lost);
    let of_lost = statuses(&far.daemon.table(&run, "invocations.csv"), &lost);
    assert!(of_lost.contains_key("not_sent"), "{of_lost:?}: {summary:#}");
}
