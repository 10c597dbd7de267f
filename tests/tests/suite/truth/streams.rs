//! Peers that limit the streams of a connection.

use std::time::Duration;

use loader_tests::{
    eventually,
    server::{Behaviour, Server, Service},
};

use super::{CLOCKS_US, Loader};

fn limited(streams: u32, delay_ms: u64) -> Server {
    let service = Service::After(Duration::from_millis(delay_ms));
    Server::start(Behaviour { streams: Some(streams), service, ..Behaviour::default() })
}

#[test]
fn without_a_limit_nothing_waits_for_a_stream() {
    let server =
        Server::start(Behaviour { service: Service::After(Duration::from_millis(100)), ..Behaviour::default() });
    let run = Loader::start().observe(&server, 200, 2, "");
    run.agrees_with_the_wire();
    run.all_have_status("ok");
    assert!(run.rows.iter().all(|row| row.stream_wait.is_none()));
    assert_eq!(run.not_open_loop(), None, "{:#}", run.summary);
}

#[test]
fn a_limit_that_is_reached_is_named_with_the_connections_that_would_do() {
    // Of 250/s it lets 100 go.
    let server = limited(10, 100);
    let run = Loader::start().observe(&server, 250, 2, "");
    run.agrees_with_the_wire();
    run.all_have_status("ok");
    assert_eq!(run.requests.iter().map(|request| request.open).max(), Some(10));
    // The last leaves when at least 490 before it have been answered, ten at a time.
    let waits = run.rows.iter().filter_map(|row| row.stream_wait);
    let longest = waits.max().expect("most have waited");
    assert!(longest >= 49 * 100_000 - 2_000_000 - CLOCKS_US, "{longest}");
    let (limit, needed) = run.not_open_loop().expect("it is not open-loop");
    assert_eq!(limit, Some(10));
    // 250/s × 0.1 s = 25 streams; more where the machine stood still, as the response says.
    let slowest = run.rows.iter().filter_map(|row| row.response).max().expect("all were answered");
    let most = (250 * slowest.unsigned_abs()).div_ceil(10 * 1_000_000);
    assert!(needed.is_some_and(|needed| (3..=most).contains(&needed)), "{needed:?}: {:#}", run.summary["openLoop"]);
    run.the_loader_is_not_blamed_for_the_peer();
}

#[test]
fn a_limit_of_one_sends_them_one_by_one() {
    let server = limited(1, 100);
    let run = Loader::start().observe(&server, 20, 2, "");
    run.agrees_with_the_wire();
    run.all_have_status("ok");
    for pair in run.requests.windows(2) {
        let answered = pair[0].answered_unix_ns.expect("all were answered");
        assert!(answered <= pair[1].arrived_unix_ns, "{pair:?}");
    }
    let (limit, _) = run.not_open_loop().expect("it is not open-loop");
    assert_eq!(limit, Some(1));
    run.the_loader_is_not_blamed_for_the_peer();
}

#[test]
fn with_a_limit_of_none_nothing_is_sent() {
    let server = limited(0, 0);
    let run = Loader::start().observe(&server, 10, 2, "--function-timeout 2s");
    run.agrees_with_the_wire();
    run.all_have_status("not_sent");
    assert_eq!(run.requests, []);
    assert_eq!(run.not_open_loop(), Some((Some(0), None)), "{:#}", run.summary["openLoop"]);
    run.the_loader_is_not_blamed_for_the_peer();
    // Of nothing there is no figure.
    assert!(run.summary["responseUs"].get("p50").is_none_or(serde_json::Value::is_null), "{:#}", run.summary);
}

#[test]
fn a_limit_may_change_while_the_run_goes() {
    let loader = Loader::start();
    let server = limited(0, 10);
    let run = loader.submit(&server, 50, 4, "");
    // So many are due by then, and wait.
    eventually("it connects", || (server.acknowledged_limits() == [Some(0)]).then_some(()));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(server.requests(), []);
    server.limit_streams(100);
    let opened = eventually("it sends", || server.requests().first().map(|first| first.arrived_unix_ns));
    server.limit_streams(0);
    eventually("it knows", || (server.acknowledged_limits() == [Some(0)]).then_some(()));
    let before = server.requests().len();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(server.requests().len(), before, "it sends nothing until there is a stream again");
    server.limit_streams(3);
    let run = loader.observed(&server, &run);
    run.agrees_with_the_wire();
    run.all_have_status("ok");
    assert!(run.requests[before..].iter().all(|request| request.open <= 3));
    // Those that were due before the limit rose have waited until then.
    let early = run.rows.iter().filter(|row| row.due < opened / 1000 - 500_000);
    for row in early {
        let waited = row.stream_wait.expect("it waited") + row.connect.unwrap_or(0);
        assert!(row.due + waited + CLOCKS_US >= opened / 1000 - 500_000, "{row:?}");
    }
    assert!(run.not_open_loop().is_some(), "{:#}", run.summary["openLoop"]);
}

#[test]
fn who_waits_for_a_stream_in_vain_is_not_sent() {
    let server = Server::start(Behaviour { streams: Some(1), service: Service::Never, ..Behaviour::default() });
    let run = Loader::start().observe(&server, 5, 2, "--function-timeout 1s");
    run.agrees_with_the_wire();
    for row in &run.rows {
        let on_the_wire = run.requests.iter().any(|request| request.runtime_ms == row.runtime_ms);
        assert_eq!(row.status, if on_the_wire { "function_timeout" } else { "not_sent" }, "{row:?}");
    }
    let statuses = run.statuses();
    assert!(statuses.contains_key("function_timeout") && statuses.contains_key("not_sent"), "{statuses:?}");
    let (limit, _) = run.not_open_loop().expect("it is not open-loop");
    assert_eq!(limit, Some(1));
}
