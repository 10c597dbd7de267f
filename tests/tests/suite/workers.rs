//! Runs with workers as whole processes: whatever becomes of them, each planned invocation has one row, and there is one result.
//!
//! What each run should have sent is what a run of the same spec and seed without workers has sent.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

mod losses;
mod network;
mod plans;
mod saturation;
mod time;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::OnceLock,
};

use loader_tests::{Daemon, Table, children, even_trace, eventually, root, run};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// A load of sixty invocations a second for some seconds, whatever becomes of them; with a trace that [`load`] writes.
const LOAD: &str = "--mode trace --duration 10s --granularity second --max-runtime 5ms --max-memory 2MiB";

/// Writes the trace of the load.
fn load(folder: &Path) -> String {
    even_trace(folder, 3, 10, 20, 5)
}

/// What a run of the load sends, as one without workers has sent it.
fn expected() -> &'static BTreeSet<Planned> {
    static EXPECTED: OnceLock<BTreeSet<Planned>> = OnceLock::new();
    EXPECTED.get_or_init(|| {
        let loader = Loader::start();
        let run = loader.daemon.succeed(&loader.flags(""));
        planned(&loader.daemon, run["runId"].as_str().expect("an id"))
    })
}

/// A daemon, and the trace of the load.
struct Loader {
    daemon: Daemon,
    folder: tempfile::TempDir,
    trace: String,
}

/// What a plan says of an invocation: its id, its function, when it is due after the first, the run time and memory it asks for.
type Planned = (String, String, u64, u64, u64);

impl Loader {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let trace = load(folder.path());
        fs::create_dir(folder.path().join("tmp")).expect("makes");
        Self { daemon: Self::daemon(folder.path()), folder, trace }
    }

    /// A daemon with its state in this folder, and what is temporary.
    fn daemon(folder: &Path) -> Daemon {
        let temporary = folder.join("tmp");
        Daemon::start_in(&folder.join("state"), &[], &[("TMPDIR", temporary.to_str().expect("text"))])
    }

    /// Starts the daemon again, on the same state.
    fn restart(&mut self) {
        self.daemon = Self::daemon(self.folder.path());
    }

    /// Flags of a run of the trace. Where `more` says nothing else, no verdict on the loader depends on the machine's speed.
    fn flags<'a>(&'a self, more: &'a str) -> Vec<&'a str> {
        let lag = if more.contains("--saturation-lag") { "" } else { "--saturation-lag=1m" };
        let flags = [LOAD, lag, more].into_iter().flat_map(str::split_whitespace);
        flags.chain(["--trace", &self.trace]).collect()
    }

    /// Submits a run of the trace, and waits until it has some hundred rows.
    fn under_way(&self, more: &str) -> String {
        let run = self.daemon.submit(&self.flags(more));
        eventually("a hundred rows", || (self.daemon.lines(&run, "invocations.csv") > 100).then_some(()));
        run
    }

    /// Files of workers, of this daemon's runs.
    fn leftovers(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("tmp")).expect("is there").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

/// The processes of a daemon's workers, by number.
fn workers(daemon: &Daemon) -> BTreeMap<u32, Pid> {
    let number = |pid: &u32| {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        let mut words = command.split('\0').skip_while(|word| *word != "--index");
        words.nth(1)?.parse().ok()
    };
    let of = |pid: u32| Some((number(&pid)?, Pid::from_raw(pid.try_into().ok()?)));
    children(daemon.pid(), "loaderd").into_iter().filter_map(of).collect()
}

fn signal(worker: Pid, signal: Signal) {
    kill(worker, signal).expect("it lives");
}

/// What the rows of a run say of its plan. Each invocation has one row, and one that was not sent is due as well.
#[track_caller]
fn planned(daemon: &Daemon, run: &str) -> BTreeSet<Planned> {
    let rows = daemon.table(run, "invocations.csv");
    let dues: Vec<u64> = rows.numbers("due_unix_us");
    let first = dues.iter().min().copied().unwrap_or_default();
    let [runtimes, memories] = ["requested_runtime_us", "requested_memory_kib"].map(|name| rows.numbers::<u64>(name));
    let named = rows.columns(["invocation_id", "function"]);
    let planned: BTreeSet<_> = named
        .into_iter()
        .enumerate()
        .map(|(row, [id, function])| {
            (id.to_owned(), function.to_owned(), dues[row] - first, runtimes[row], memories[row])
        })
        .collect();
    assert_eq!(planned.len(), rows.len(), "an invocation has two rows");
    planned
}

/// The same invocations, or those that one side has alone.
#[track_caller]
fn same(found: &BTreeSet<Planned>, expected: &BTreeSet<Planned>) {
    let (more, missing): (Vec<_>, Vec<_>) =
        (found.difference(expected).take(3).collect(), expected.difference(found).take(3).collect());
    assert!(found == expected, "{} of {}; more: {more:?}; missing: {missing:?}", found.len(), expected.len());
}

/// The one summary of a run is that of its rows, by a script that shares no code with the daemon, and its counts are the workers' sums.
#[track_caller]
fn sums_up(daemon: &Daemon, run_id: &str, count: usize) -> Value {
    let directory = daemon.directory(run_id);
    let compared = run("python3", [root().join("tests/recompute.py").as_path(), directory.as_path()]);
    assert!(compared.code == 0 && compared.stdout.contains(" 0 differences"), "{compared:?}");
    counts_are_sums(daemon, run_id, count)
}

/// The counts of a run are the sums of its workers' counts.
#[track_caller]
fn counts_are_sums(daemon: &Daemon, run_id: &str, count: usize) -> Value {
    let summary = daemon.summary(run_id);
    let workers = summary["workers"].as_array().cloned().unwrap_or_default();
    assert_eq!(workers.len(), count, "{summary:#}");
    if count > 0 {
        let sum = |of: &dyn Fn(&Value) -> u64| workers.iter().map(of).sum::<u64>();
        assert_eq!(sum(&|it| number(&it["rows"])), number(&summary["rows"]), "{summary:#}");
        for name in ["requested", "issued", "returned", "failed"] {
            let of_all = summary.get(name).unwrap_or(&summary["all"][name]);
            assert_eq!(sum(&|it| number(&it["counts"][name])), number(of_all), "{name}: {summary:#}");
        }
    }
    summary
}

/// A figure of proto3 JSON, in which 64-bit integers are strings and zeros are absent.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// How often each status occurs in the rows of a worker.
fn statuses(rows: &Table, worker: &str) -> BTreeMap<String, usize> {
    let mut statuses = BTreeMap::new();
    for [of, status] in rows.columns(["worker", "status"]) {
        if of == worker {
            *statuses.entry(status.to_owned()).or_default() += 1;
        }
    }
    statuses
}

/// All that was sent was answered, but for one worker's.
#[track_caller]
fn all_but(rows: &Table, lost: &str) {
    for worker in rows.counts("worker").keys().filter(|worker| **worker != lost) {
        let statuses = statuses(rows, worker);
        assert!(statuses.keys().eq(["ok"]), "worker {worker}: {statuses:?}");
    }
}
