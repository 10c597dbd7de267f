//! Connections that do nothing, and clients that read nothing.

use std::process::{Child, Command, Stdio};

use loader_tests::{Daemon, RawClient, eventually, heavy, root, run};

use super::{rps, submission};
use crate::access::Secured;

/// Clients of `tests/silent_client.py`.
struct Silent(Child);

impl Silent {
    fn start(arguments: &[&str]) -> Self {
        let mut python = Command::new("python3");
        python.arg(root().join("tests/silent_client.py")).args(arguments).stdin(Stdio::piped());
        Self(python.spawn().expect("starts"))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn silent_connections_shut_a_listener_with_tls_for_seconds_only() {
    let _turn = heavy();
    // 1024 connections, of which each address may have 128: without a byte, and with nothing after the handshake.
    for handshake in ["none", "tls"] {
        let it = Secured::start();
        let silent = Silent::start(&[it.daemon.address(), "1024", handshake]);
        eventually("the listener is full", || {
            let full = |line: &String| line.contains("too many connections to") && line.contains(it.daemon.address());
            it.daemon.log().iter().any(full).then_some(())
        });
        // They stay as long as they may.
        eventually("others are served", || (it.with_token(&it.reader, &["list"]).code == 0).then_some(()));
        drop(silent);
    }
}

#[test]
fn a_client_that_does_not_read_its_plans_holds_its_places_for_a_minute_only() {
    let state = tempfile::tempdir().expect("a directory");
    let socket = state.path().join("loaderd.sock");
    let daemon = Daemon::start_with(&state.path().join("state"), &["--socket", socket.to_str().expect("text")]);
    // Plans of many invocations, more than are made ahead, whose answers have no window.
    let plan = rps(1000.0);
    let mut client = RawClient::connect(daemon.address(), 0);
    for _ in 0..16 {
        client.send("StreamPlan", &submission(&plan));
    }
    client.wait_until_read();
    let planned = ["plan", "--mode=rps", "--start=5", "--end=5", "--slot=1s"];
    let refused = eventually("all places are taken", || Some(daemon.ctl(&planned)).filter(|ran| ran.code != 0));
    assert!(
        refused.stderr.contains("16 uploads, downloads, plans and single invocations of loopback are in progress"),
        "{refused:?}"
    );
    // Nobody else waits for them.
    let address = format!("unix:{}", socket.display());
    run(loader_tests::bin("loaderctl"), [&["--address", &address], &planned[..]].concat()).ok();
    eventually("its places are free", || (daemon.ctl(&planned).code == 0).then_some(()));
    drop(client);
}
