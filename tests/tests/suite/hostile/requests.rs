//! Requests that are reset, and requests that are refused.

use std::fs;

use loader_tests::{Daemon, RawClient, eventually, field, run};

use super::{audited, rps, submission};

/// Requests of each kind.
const COUNT: usize = 8;

/// Sends a request, and resets it as soon as the daemon has read it.
fn send_and_reset(client: &mut RawClient, method: &str, message: &[u8]) {
    let stream = client.send(method, message);
    client.wait_until_read();
    client.reset(stream);
}

#[test]
fn requests_that_are_reset_right_after_they_were_sent_have_their_line_each() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let mut client = RawClient::connect(daemon.address(), 0);
    let runs = || daemon.ctl(&["--output", "json", "list"]).ok().json()["runs"].as_array().cloned().unwrap_or_default();
    for _ in 0..COUNT {
        send_and_reset(&mut client, "SubmitRun", &submission(&rps(1.0)));
    }
    let line = |method: &str| {
        let lines = eventually("each has its line", || {
            let lines = audited(&daemon, method, "Ok");
            (lines.len() >= COUNT).then_some(lines)
        });
        assert_eq!(lines.len(), COUNT, "{lines:?}");
        lines
    };
    let submitted = line("SubmitRun");
    let ids: Vec<_> = runs().iter().map(|run| run["runId"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(ids.len(), COUNT);
    for (method, more) in [("CancelRun", &[][..]), ("PinRun", &[0x10, 1]), ("PinRun", &[0x10, 0]), ("DeleteRun", &[])] {
        if method == "PinRun" {
            // A run is pinned once it has ended.
            ids.iter().for_each(|id| drop(daemon.ended(id)));
        }
        for id in &ids {
            send_and_reset(&mut client, method, &[&field(1, id.as_bytes()), more].concat());
        }
        // Those of pinning are twice as many.
        if method == "PinRun" {
            let expected = if more[1] == 1 { COUNT } else { 2 * COUNT };
            eventually("each has its line", || (audited(&daemon, method, "Ok").len() == expected).then_some(()));
        } else {
            let lines = line(method);
            assert!(ids.iter().all(|id| lines.iter().any(|line| line.contains(id.as_str()))), "{lines:?}");
        }
    }
    assert!(ids.iter().all(|id| submitted.iter().any(|line| line.contains(id.as_str()))), "{submitted:?}");
    assert_eq!(runs().len(), 0);
}

#[test]
fn refused_submissions_are_summed_up_and_hide_nobody_else() {
    // As many as were made in half a second.
    const REFUSED: usize = 2_461;
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("loaderd.toml");
    fs::write(&config, "[access]\nrequests_per_second = 1000000\nloopback = \"submit\"\n").expect("writes");
    let socket = directory.path().join("loaderd.sock");
    let flags = ["--config", config.to_str().expect("text"), "--socket", socket.to_str().expect("text")];
    let mut daemon = Daemon::start_with(&directory.path().join("state"), &flags);
    let mut client = RawClient::connect(daemon.address(), 1 << 16);
    let mut flood = |method: &str, count: usize| {
        let mut left = count;
        while left > 0 {
            let some = left.min(100);
            for _ in 0..some {
                client.send(method, &[]);
            }
            assert_eq!(client.wait_for_answers(some), 0, "all are refused");
            left -= some;
        }
    };
    flood("SubmitRun", REFUSED);
    let lines = || audited(&daemon, "SubmitRun", "InvalidArgument");
    eventually("they are logged", || (lines().len() >= 5).then_some(()));
    // Methods that the daemon does not have, each of another name.
    (0..20).for_each(|index| flood(&format!("Method{index}"), 1));
    // What others are refused, and other requests of the same client, have lines of their own.
    let address = format!("unix:{}", socket.display());
    let unknown = "20260101t000000000-0000";
    let refused = run(loader_tests::bin("loaderctl"), ["--address", &address, "delete", unknown]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert_eq!(daemon.ctl(&["cancel", unknown]).code, 5);
    eventually("they are logged", || {
        let lines = [audited(&daemon, "DeleteRun", "NotFound").len(), audited(&daemon, "CancelRun", "NotFound").len()];
        (lines == [1, 1]).then_some(())
    });
    assert_eq!(lines().len(), 5);
    // Nothing is lost: the rest is counted at the end, at the latest.
    daemon.terminate();
    let counted: usize = audited(&daemon, "SubmitRun", "InvalidArgument").iter().map(|line| times(line)).sum();
    assert_eq!(counted, REFUSED);
    let log = daemon.log();
    let unknown: Vec<_> = log.iter().filter(|line| line.contains("refused: unknown by 127.0.0.1")).collect();
    assert_eq!((unknown.len(), unknown.iter().map(|line| times(line)).sum::<usize>()), (6, 20), "{unknown:?}");
}

/// How many messages a line stands for.
fn times(line: &str) -> usize {
    let count = line.split_once(" times within a minute").and_then(|(head, _)| head.split_whitespace().last());
    count.map_or(1, |count| count.parse().expect("a number"))
}
