//! `kill -9` at random instants over the life of runs, on both platforms: nothing is left, nothing is lost.
//!
//! `LOADER_KILLS` says how many [6]; `scripts/soak --kills 50` sets it and shows the table.

#![expect(clippy::expect_used, reason = "this is a test, which prints what it found")]

use std::{
    env, fs,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use loader_tests::{Daemon, Table, children, cluster::Cluster, even_trace, eventually, heavy, is_alive};
use nix::sys::signal::Signal;

/// Invocations a second of the local runs.
const RATE: usize = 50;

/// Instants of kills after the submission, spread over the life of a run that takes some five seconds: each half of the time
/// left is tried in turn (van der Corput), so that any number of them covers it.
fn instants(count: u32) -> impl Iterator<Item = Duration> {
    let life = Duration::from_secs(6);
    (1..=count).map(move |index| life.mul_f64(f64::from(index.reverse_bits()) / f64::from(u32::MAX)))
}

/// Microseconds since the Unix epoch, as the kernel stamps files.
fn unix_us() -> usize {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let written = file.as_file().metadata().and_then(|metadata| metadata.modified()).expect("it has a stamp");
    usize::try_from(written.duration_since(UNIX_EPOCH).expect("it is later").as_micros()).expect("it fits")
}

/// A run's state, and how many of its invocations it says have rows.
fn state_of(daemon: &Daemon, id: &str) -> (String, usize) {
    let shown = daemon.ctl(&["--output", "json", "get", id]).ok().json();
    let run = &shown["run"];
    let completed = run["progress"]["completed"].as_str().map_or(0, |text| text.parse().expect("a number"));
    (run["state"].as_str().expect("a state").trim_start_matches("RUN_STATE_").to_owned(), completed)
}

/// Starts the daemon again; how long until its API answered.
fn restart(start: impl Fn() -> Daemon) -> (Daemon, Duration) {
    let begun = unix_us();
    let daemon = start();
    daemon.ctl(&["status"]).ok();
    (daemon, Duration::from_micros(unix_us().saturating_sub(begun) as u64))
}

/// Rows that are missing of those that the daemon had reported, and, where the machine does nothing else, of those that
/// were answered a second before the kill.
fn lost(directory: &Path, reported: usize, killed_at_us: usize) -> usize {
    let path = directory.join("invocations.csv");
    if !path.exists() {
        return reported;
    }
    let rows = Table::read(&path);
    if env::var_os("LOADER_KILLS").is_none() {
        return reported.saturating_sub(rows.len());
    }
    let dues = rows.numbers::<usize>("due_unix_us");
    let Some(first) = dues.iter().min() else { return 0 };
    // An invocation takes a few milliseconds: what was due a quarter of a second earlier than that was answered by then.
    let span = killed_at_us.saturating_sub(1_250_000).saturating_sub(*first);
    let answered = (span * RATE / 1_000_000).min(RATE * 4);
    answered.max(reported).saturating_sub(dues.len())
}

fn count() -> u32 {
    env::var("LOADER_KILLS").ok().map_or(6, |text| text.parse().expect("LOADER_KILLS is a number"))
}

#[test]
fn on_the_local_platform() {
    let _turn = heavy();
    let state = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(state.path());
    let rate = RATE.to_string();
    let spec = ["--mode", "rps", "--start", &rate, "--end", &rate, "--slot", "4s", "--runtime", "2ms", "--memory=1MiB"];
    for instant in instants(count().div_ceil(2)) {
        let id = daemon.submit(&spec);
        std::thread::sleep(instant);
        let (before, reported) = state_of(&daemon, &id);
        let functions = children(daemon.pid(), "trace-func");
        let killed_at = unix_us();
        daemon.signal(Signal::SIGKILL);
        daemon.wait();
        eventually("no trace-func survives", || functions.iter().all(|pid| !is_alive(*pid)).then_some(()));
        let (next, answered) = restart(|| Daemon::start(state.path()));
        daemon = next;
        let (lost, (after, _)) = (lost(&daemon.directory(&id), reported, killed_at), state_of(&daemon, &id));
        println!("| local | {instant:.1?} | {before} | {after} | {lost} | {answered:.2?} |");
        assert_eq!(lost, 0, "{before}");
        let ended = daemon.ended(&id);
        if ended["state"] != "RUN_STATE_SUCCEEDED" {
            assert_eq!(ended["state"], "RUN_STATE_INTERRUPTED", "{before}");
        }
        daemon.ctl(&["check", &id]).ok();
        // It goes on, as if nothing had been.
        let next = ["--mode", "rps", "--start", "5", "--end", "5", "--slot", "1s", "--runtime", "1ms", "--memory=1MiB"];
        daemon.succeed(&next);
    }
}

#[test]
fn on_a_cluster_in_a_warm_up_and_after_it() {
    let _turn = heavy();
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let config = cluster.loaderd_config("");
    let start = || {
        let flags = ["--config", config.to_str().expect("text"), "--platform", "knative"];
        Daemon::start_with(&state.path().join("state"), &flags)
    };
    let settings =
        || cluster.get("configmaps", "knative-serving", "config-autoscaler").expect("is there")["data"].clone();
    let original = settings();
    let trace = even_trace(state.path(), 2, 6, 10, 5);
    let mut daemon = start();
    for instant in instants(count() / 2) {
        let spec = format!(
            "--mode trace --granularity second --duration 6s --max-runtime 5ms --max-memory 5MiB --warmup-hold 2s \
             --warmup-settle 2s --trace {trace}"
        );
        let id = daemon.submit(&spec.split(' ').collect::<Vec<_>>());
        std::thread::sleep(instant);
        let (before, _) = state_of(&daemon, &id);
        daemon.signal(Signal::SIGKILL);
        daemon.wait();
        let (next, answered) = restart(start);
        daemon = next;
        let after = daemon.ended(&id)["state"].as_str().expect("a state").trim_start_matches("RUN_STATE_").to_owned();
        println!("| knative | {instant:.1?} | {before} | {after} | | {answered:.2?} |");
        eventually("no Service is left", || cluster.names("services.serving.knative.dev").is_empty().then_some(()));
        assert_eq!(settings(), original, "{before}");
        let rows = daemon.directory(&id).join("invocations.csv");
        if rows.exists() {
            Table::read(&rows);
        }
        assert!(!fs::read_to_string(daemon.directory(&id).join("run.json")).expect("is whole").is_empty());
    }
}

/// What a study has: its state, and of each planned run the runs that were made for it with how they ended.
fn study_of(daemon: &Daemon, id: &str) -> (String, Vec<Vec<(String, String)>>) {
    let shown = daemon.ctl(&["--output", "json", "study", "get", id]).ok().json();
    let study = &shown["study"];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let attempts = |run: &serde_json::Value| {
        let attempts = run["attempts"].as_array().cloned().unwrap_or_default();
        attempts.iter().map(|attempt| (text(&attempt["runId"]), text(&attempt["end"]))).collect()
    };
    let runs = study["runs"].as_array().expect("has runs").iter().map(attempts).collect();
    (text(&study["state"]).trim_start_matches("STUDY_STATE_").to_owned(), runs)
}

#[test]
fn in_a_study_nothing_is_run_twice_and_nothing_is_missing() {
    let _turn = heavy();
    let state = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(state.path());
    let file = state.path().join("study.yaml");
    // Runs of some two seconds, so that kills hit each stage of several of them, and so many that some are left at the last kill.
    let kills = count() * 2;
    let repeats = kills.div_ceil(3);
    let planned = 2 * repeats as usize;
    let text = format!(
        "base: {{ rps: {{ start: 20, end: 20, slot: 1s, functions: 1, runtime: 2ms, memoryMib: 1 }}, saturation: {{ lag: 1m }} }}\n\
         vary: [{{ field: rps.runtime, values: [1ms, 2ms] }}]\nrepeats: {repeats}\nbetween: {{ pause: 200ms }}\n"
    );
    fs::write(&file, text).expect("is written");
    let id = daemon.ctl(&["study", "run", file.to_str().expect("text")]).ok().stdout.trim().to_owned();
    let mut kill = 0;
    // As many kills as asked for, each after another part of a run's time; then it may end.
    for instant in instants(kills).map(|instant| instant / 3) {
        std::thread::sleep(instant);
        let (before, runs) = study_of(&daemon, &id);
        let made = runs.iter().map(Vec::len).sum::<usize>();
        daemon.signal(Signal::SIGKILL);
        daemon.wait();
        kill += 1;
        let (next, answered) = restart(|| Daemon::start(state.path()));
        daemon = next;
        println!(
            "| study | {instant:.1?} | {before}, {made} runs made | {} | | {answered:.2?} |",
            study_of(&daemon, &id).0
        );
    }
    let ended = daemon.ctl(&["study", "watch", &id]);
    let (end, runs) = study_of(&daemon, &id);
    assert_eq!((end.as_str(), kill), ("SUCCEEDED", kills), "{ended:?}");
    let listed = daemon.ctl(&["--output", "json", "list", "--limit", "1000"]).ok().json();
    let listed = listed["runs"].as_array().expect("a list");
    let samples: Vec<&String> =
        runs.iter().flat_map(|run| run.iter().filter(|(_, end)| end == "sample")).map(|(run, _)| run).collect();
    assert_eq!(samples.len(), planned, "one for each planned run: {runs:?}");
    for run in &runs {
        let (_, last) = run.last().expect("was made");
        assert_eq!(last, "sample", "{runs:?}");
        assert!(run[..run.len() - 1].iter().all(|(_, end)| end == "interrupted"), "made again without need: {runs:?}");
    }
    let succeeded = listed.iter().filter(|run| run["state"] == "RUN_STATE_SUCCEEDED").count();
    let known: usize = runs.iter().map(Vec::len).sum();
    assert_eq!((succeeded, listed.len()), (planned, known), "runs that the study does not know: {runs:?}");
    for name in ["cells.csv", "compare.csv"] {
        assert!(state.path().join("studies").join(&id).join(name).exists(), "{name}");
    }
}
