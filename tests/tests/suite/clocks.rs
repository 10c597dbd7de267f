//! Clocks that leap, machines that sleep: `tests/clocks.c` sets the daemon's clocks, and the kernel stops it.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{fs, path::PathBuf, process::Command};

use loader_tests::{Daemon, eventually, root};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// A daemon whose wall and boot clocks can be set.
struct Clocks {
    daemon: Daemon,
    directory: tempfile::TempDir,
}

impl Clocks {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let library = directory.path().join("clocks.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"]).arg(&library).arg(root().join("tests/clocks.c"));
        assert!(cc.status().expect("there is a compiler").success());
        let text = |path: PathBuf| path.to_str().expect("text").to_owned();
        let (library, offsets) = (text(library), text(directory.path().join("offsets")));
        fs::write(&offsets, "0 0").expect("writes");
        let variables = [("LD_PRELOAD", &*library), ("CLOCK_OFFSETS", &*offsets)];
        let daemon = Daemon::start_in(&directory.path().join("state"), &[], &variables);
        Self { daemon, directory }
    }

    /// Sets the clocks, in seconds from the true ones.
    fn set(&self, wall: i64, boot: i64) {
        let new = self.directory.path().join("new");
        fs::write(&new, format!("{wall} {boot}")).expect("writes");
        fs::rename(new, self.directory.path().join("offsets")).expect("replaces");
    }

    /// A run under way.
    fn begin(&self) -> String {
        begin(&self.daemon)
    }

    /// What the run's summary says of clocks, in whole seconds: suspended, and set by.
    fn reported(&self, run: &str) -> [i64; 2] {
        let ended = self.daemon.ended(run);
        assert_eq!(ended["state"], "RUN_STATE_SUCCEEDED", "{ended:#}");
        let changes = self.daemon.summary(run)["clockChanges"].clone();
        ["suspendedUs", "wallStepUs"].map(|name| {
            let us = changes[name].as_i64().expect("a number");
            (us + 500_000).div_euclid(1_000_000)
        })
    }

    /// The dates of the run's invocations go on as they began: a fifth of a second from one to the next.
    fn dates_go_on(&self, run: &str) {
        let dues = self.daemon.table(run, "invocations.csv").numbers::<i64>("due_unix_us");
        assert_eq!(dues.len(), 60);
        let (first, last) = (dues.iter().min().expect("some"), dues.iter().max().expect("some"));
        assert!(last - first < 12_000_000, "{first} to {last}");
    }
}

/// Sixty invocations in twelve seconds.
const LOAD: [&str; 6] = ["--mode=rps", "--start=5", "--end=5", "--slot=12s", "--runtime=1ms", "--memory=1MiB"];

/// A run under way, for long enough that a busy machine gets to do something to it.
fn begin(daemon: &Daemon) -> String {
    let run = daemon.submit(&LOAD);
    eventually("it runs", || {
        let shown = daemon.ctl(&["--output", "json", "get", &run]).ok().json();
        (shown["run"]["state"] == "RUN_STATE_RUNNING").then_some(())
    });
    run
}

#[test]
fn a_clock_that_is_set_changes_no_row_and_is_reported() {
    let it = Clocks::start();
    let forward = it.begin();
    it.set(3600, 0);
    assert_eq!(it.reported(&forward), [0, 3600]);
    it.dates_go_on(&forward);
    let back = it.begin();
    it.set(-86_400, 0);
    assert_eq!(it.reported(&back), [0, -90_000]);
    it.dates_go_on(&back);
    let shown = it.daemon.ctl(&["get", &back]).ok().stdout;
    assert!(shown.contains("The wall clock was set back by 1day 1h during the load"), "{shown}");
    // Later runs sort behind earlier ones, whatever the clock shows.
    let third = it.daemon.submit(&LOAD);
    it.daemon.ended(&third);
    assert!(forward < back && back < third, "{forward} {back} {third}");
    assert_eq!(it.daemon.summary(&third)["clockChanges"], Value::Null);
    eventually("it is logged", || {
        it.daemon.log().iter().find(|line| line.contains("the clock was set: nothing is removed by age")).cloned()
    });
}

#[test]
fn a_suspension_is_reported() {
    let it = Clocks::start();
    let run = it.begin();
    // The monotonic clock stops meanwhile; the others do not.
    it.set(7, 7);
    assert_eq!(it.reported(&run), [7, 0]);
    it.dates_go_on(&run);
    let shown = it.daemon.ctl(&["get", &run]).ok().stdout;
    assert!(shown.contains("THE LOADER'S MACHINE WAS SUSPENDED for 7s"), "{shown}");
    let line = "while the load went, the machine was suspended for 7s";
    let id = format!("RUN_ID={run}");
    eventually("it is logged", || {
        it.daemon.log().iter().find(|logged| logged.contains(line) && logged.contains(&id)).cloned()
    });
}

#[test]
fn a_daemon_that_is_stopped_for_a_while_sends_all_late_and_reports_it() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let run = begin(&daemon);
    daemon.signal(Signal::SIGSTOP);
    // Beyond the first fifth of the slot, which is not measured.
    std::thread::sleep(std::time::Duration::from_secs(4));
    daemon.signal(Signal::SIGCONT);
    let ended = daemon.ended(&run);
    assert_eq!(ended["state"], "RUN_STATE_SUCCEEDED", "{ended:#}");
    let summary = daemon.summary(&run);
    assert_eq!((&summary["requested"], &summary["byStatus"]), (&json!(60), &json!({"ok": 60})), "{summary:#}");
    assert_eq!(summary["saturated"]["saturated"], true, "{summary:#}");
    assert!(summary["dispatchLagUs"]["max"].as_u64() > Some(500_000), "{summary:#}");
    daemon.succeed(&["--mode", "rps", "--start", "5", "--end", "5", "--slot", "1s", "--runtime", "1ms"]);
}
