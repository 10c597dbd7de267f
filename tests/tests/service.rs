//! The daemon under a service manager: what it tells, and when.
#![expect(clippy::expect_used, clippy::panic, reason = "this is a test")]

use std::{os::unix::net::UnixDatagram, time::Duration};

use loader_tests::{Daemon, PATIENCE};
use nix::sys::signal::Signal;

/// A service manager that only listens.
struct Manager {
    directory: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = UnixDatagram::bind(directory.path().join("notify")).expect("binds");
        socket.set_read_timeout(Some(PATIENCE)).expect("is taken");
        Self { directory, socket }
    }

    /// Waits until it is told something that begins so.
    fn told(&self, words: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("never told {words}: {error}"));
            let text = String::from_utf8_lossy(&buffer[..length]);
            if let Some(line) = text.lines().find(|line| line.starts_with(words)) {
                return line.to_owned();
            }
        }
    }
}

#[test]
fn it_tells_that_it_is_ready_what_it_does_that_it_lives_and_that_it_ends() {
    let manager = Manager::new();
    let notify = manager.directory.path().join("notify");
    let variables = [("NOTIFY_SOCKET", notify.to_str().expect("text")), ("WATCHDOG_USEC", "3000000")];
    let mut daemon = Daemon::start_in(&manager.directory.path().join("state"), &[], &variables);
    manager.told("READY=1");
    manager.told("STATUS=idle");
    manager.told("WATCHDOG=1");
    let run = daemon.submit(&["--mode", "rps", "--start", "5", "--end", "5", "--slot", "60s", "--runtime", "1ms"]);
    manager.told(&format!("STATUS=run {run} running, slot 1 of 1, "));
    // Fed while a run goes, too: the pacer wakes up when it should.
    manager.told("WATCHDOG=1");
    daemon.signal(Signal::SIGHUP);
    manager.told("RELOADING=1");
    manager.told("READY=1");
    daemon.signal(Signal::SIGTERM);
    manager.told("STOPPING=1");
    assert!(daemon.wait().success());
}

#[test]
fn a_second_signal_awaits_no_answers() {
    let state = tempfile::tempdir().expect("a directory");
    let config = state.path().join("loaderd.toml");
    std::fs::write(&config, "shutdown_drain = \"1h\"\n").expect("writes");
    let flags = ["--config", config.to_str().expect("text")];
    let mut daemon = Daemon::start_with(&state.path().join("state"), &flags);
    // Invocations that take as long as the test may.
    let spec = ["--mode", "rps", "--start", "2", "--end", "2", "--slot", "60s", "--runtime", "50s"];
    let run = daemon.submit(&spec);
    loader_tests::eventually("invocations are out", || {
        let shown = daemon.ctl(&["--output", "json", "get", &run]).ok().json();
        shown["run"]["progress"]["inFlight"].as_str().is_some_and(|out| out != "0").then_some(())
    });
    daemon.signal(Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(500));
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait().success(), "{:?}", daemon.log());
    let rows = daemon.table(&run, "invocations.csv");
    assert!(rows.counts("status").contains_key("unfinished"), "{:?}", rows.counts("status"));
    let daemon = Daemon::start(&state.path().join("state"));
    assert_eq!(daemon.ended(&run)["state"], "RUN_STATE_INTERRUPTED");
}
