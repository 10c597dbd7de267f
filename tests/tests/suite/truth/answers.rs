//! Peers that answer late, in bursts, with errors, or never.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::time::Duration;

use loader_tests::server::{Behaviour, Refusal, Server, Service};

use super::{CLOCKS_US, Loader, Observed};

fn observe(service: Service, rate: u32, seconds: u32, more: &str) -> Observed {
    let server = Server::start(Behaviour { service, ..Behaviour::default() });
    let run = Loader::start().observe(&server, rate, seconds, more);
    run.agrees_with_the_wire();
    run
}

/// Each response lasted from a send to no earlier than its answer.
#[track_caller]
fn responses_hold_the_servers_share(run: &Observed) {
    for (row, request) in run.matched() {
        let answered = request.answered_unix_ns.expect("all were answered");
        let at_least = (answered - request.arrived_unix_ns) / 1000;
        assert!(row.response.expect("it came") + CLOCKS_US >= at_least, "{row:?} {request:?}");
    }
}

#[test]
fn a_delay_is_response_time() {
    let run = observe(Service::After(Duration::from_millis(70)), 100, 2, "");
    run.all_have_status("ok");
    responses_hold_the_servers_share(&run);
    assert!(run.rows.iter().all(|row| row.response >= Some(70_000)), "{:?}", run.rows);
}

#[test]
fn a_queue_is_response_time_and_not_the_loaders() {
    // Of 200/s it serves 100: the last waits for a second.
    let run = observe(Service::Queue { rate: 100.0, bound: None }, 200, 1, "");
    run.all_have_status("ok");
    responses_hold_the_servers_share(&run);
    let served = run.requests.iter().filter_map(|request| request.answered_unix_ns).max().expect("answered");
    assert!(served - run.requests[0].arrived_unix_ns >= 2_000_000_000, "two hundred take it two seconds");
    assert!(run.rows.iter().all(|row| row.stream_wait.is_none()));
    assert_eq!(run.not_open_loop(), None, "{:#}", run.summary["openLoop"]);
    run.the_loader_is_not_blamed_for_the_peer();
}

#[test]
fn refusals_have_their_own_status() {
    for (refusal, status) in
        [(Refusal::ResourceExhausted, "grpc_RESOURCE_EXHAUSTED"), (Refusal::Unavailable, "grpc_UNAVAILABLE")]
    {
        let service = Service::Queue { rate: 20.0, bound: Some((3, refusal)) };
        let run = observe(service, 100, 1, "");
        for (row, request) in run.matched() {
            assert_eq!(row.status, if request.refused { status } else { "ok" }, "{row:?}");
        }
        assert!(run.requests.iter().any(|request| request.refused) && run.statuses().contains_key("ok"));
        let refused = run.requests.iter().filter(|request| request.refused).count();
        assert_eq!(run.summary["byStatus"][status].as_u64(), Some(refused as u64), "{:#}", run.summary);
    }
}

#[test]
fn of_a_server_that_never_answers_there_is_no_response_time() {
    let server = Server::start(Behaviour { service: Service::Never, ..Behaviour::default() });
    let loader = Loader::start();
    let flags = loader.flags(&server, 10, 1, "--function-timeout 1s");
    let submit: Vec<_> = ["submit", "--wait"].into_iter().chain(flags.iter().map(String::as_str)).collect();
    // What comes first is that everything failed.
    let ran = loader.daemon.ctl(&submit);
    assert_eq!(ran.code, 1, "{ran:?}");
    let latest = loader.daemon.ctl(&["--output", "json", "get", "latest"]).ok().json();
    let run = loader.observed(&server, latest["run"]["runId"].as_str().expect("an id"));
    run.agrees_with_the_wire();
    run.all_have_status("function_timeout");
    assert!(run.rows.iter().all(|row| row.response.is_none() && row.receive_lag.is_none()), "{:?}", run.rows);
    for figure in ["responseUs", "receiveLagUs"] {
        let distribution = &run.summary[figure];
        let known = ["mean", "p50", "max"].into_iter().filter(|name| !distribution[*name].is_null());
        assert_eq!(known.collect::<Vec<_>>(), [""; 0], "{figure}: {distribution:#}");
    }
}

#[test]
fn bursts_of_answers_are_not_the_loaders() {
    let run = observe(Service::Bursts(Duration::from_millis(300)), 300, 2, "");
    run.all_have_status("ok");
    responses_hold_the_servers_share(&run);
    for (row, request) in run.matched() {
        // It arrived when the burst was over, whenever the loader read it.
        let burst = request.arrived_unix_ns / 300_000_000 + 1;
        let arrived = row.sent.expect("sent") + row.response.expect("it came");
        assert!(arrived + CLOCKS_US >= burst * 300_000, "{row:?} {request:?}");
    }
    assert_eq!(run.not_open_loop(), None, "{:#}", run.summary["openLoop"]);
    run.the_loader_is_not_blamed_for_the_peer();
}
