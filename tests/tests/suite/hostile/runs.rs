//! Many runs, and large ones.

use std::{fs, path::Path};

use loader_tests::{Daemon, RawClient, eventually, heavy};
use nix::sys::signal::Signal;

/// Runs that expire at once.
const EXPIRED: usize = 10_000;

/// A run of a second.
const SHORT: [&str; 7] =
    ["--mode=rps", "--start=5", "--end=5", "--slot=1s", "--runtime=1ms", "--memory=1MiB", "--saturation-lag=1m"];

/// Copies a run so many times, each with an id of its own, older than its.
fn copy(run: &Path, id: &str, count: usize) {
    let [state, spec] = ["run.json", "spec.yaml"].map(|name| fs::read_to_string(run.join(name)).expect("is there"));
    for index in 0..count {
        let copied = format!("20200101t{:02}{:02}{:02}000-0000", index / 3600, index / 60 % 60, index % 60);
        let directory = run.with_file_name(&copied);
        fs::create_dir(&directory).expect("makes");
        fs::write(directory.join("run.json"), state.replace(id, &copied)).expect("writes");
        fs::write(directory.join("spec.yaml"), &spec).expect("writes");
    }
}

#[test]
fn while_ten_thousand_expired_runs_are_removed_everybody_is_answered() {
    let _turn = heavy();
    let directory = tempfile::tempdir().expect("a directory");
    let (state, config) = (directory.path().join("state"), directory.path().join("loaderd.toml"));
    fs::write(&config, "").expect("writes");
    let flags = ["--config", config.to_str().expect("text")];
    let mut daemon = Daemon::start_with(&state, &flags);
    let first = daemon.submit(&SHORT);
    daemon.ended(&first);
    daemon.terminate();
    copy(&daemon.directory(&first), &first, EXPIRED);
    let daemon = Daemon::start_with(&state, &flags);
    let left = || fs::read_dir(state.join("runs")).expect("lists").count();
    assert_eq!(left(), EXPIRED + 1);
    fs::write(&config, "[retention]\nmax_runs = 1\n").expect("writes");
    daemon.signal(Signal::SIGHUP);
    eventually("it has reloaded", || daemon.log().iter().any(|line| line.ends_with(" reloaded")).then_some(()));
    // The end of a run begins the removal.
    daemon.ended(&daemon.submit(&SHORT));
    let mut client = RawClient::connect(daemon.address(), 1 << 16);
    let mut meanwhile = Vec::new();
    while left() > 1 {
        client.send("GetStatus", &[]);
        assert_eq!(client.wait_for_answers(1), 1);
        meanwhile.push(left());
    }
    // A registry that removes them itself answers before and afterwards.
    meanwhile.retain(|left| (2..EXPIRED).contains(left));
    meanwhile.dedup();
    assert!(meanwhile.len() >= 3, "answered with these runs left: {meanwhile:?}");
}
