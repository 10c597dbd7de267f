//! Peers that end streams and connections.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{collections::BTreeMap, time::Duration};

use loader_tests::server::{Behaviour, Fault, Server, Service};

use super::{Loader, Observed};

/// A run against a peer that answers after 20 ms, so that some streams are open when it does something to a connection.
fn observe(after: usize, fault: Fault) -> Observed {
    let service = Service::After(Duration::from_millis(20));
    let server = Server::start(Behaviour { service, fault: Some((after, fault)), ..Behaviour::default() });
    Loader::start().observe(&server, 200, 1, "")
}

/// Every row has an end, an answer that was not given is in none of them, and the loader is not blamed.
#[track_caller]
fn each_has_its_own_end(run: &Observed) {
    assert_eq!(run.rows.len(), 200);
    let mut answered = BTreeMap::new();
    for request in &run.requests {
        *answered.entry(request.runtime_ms).or_insert(false) |= request.answered_unix_ns.is_some();
    }
    for row in &run.rows {
        if row.status == "ok" {
            assert_eq!(answered.get(&row.runtime_ms), Some(&true), "it was not answered: {row:?}");
        }
        if answered.contains_key(&row.runtime_ms) {
            assert!(row.sent.is_some(), "it arrived: {row:?}");
        }
    }
    run.the_loader_is_not_blamed_for_the_peer();
    assert!(run.rows.iter().all(|row| row.status != "unfinished"), "{:?}", run.statuses());
}

fn connections(run: &Observed) -> usize {
    run.requests.iter().map(|request| request.connection).max().expect("there are some") + 1
}

#[test]
fn a_connection_that_is_closed_fails_its_calls_and_is_made_anew() {
    for fault in [Fault::Close, Fault::Abort] {
        let run = observe(50, fault);
        each_has_its_own_end(&run);
        assert!(connections(&run) >= 4, "{fault:?}: {:?}", run.statuses());
        assert!(run.statuses().len() > 1, "{fault:?}: {:?}", run.statuses());
    }
}

#[test]
fn a_stream_that_is_reset_fails_alone() {
    let run = observe(50, Fault::ResetStream);
    run.agrees_with_the_wire();
    each_has_its_own_end(&run);
    assert_eq!(connections(&run), 1);
    assert_eq!(run.statuses()["ok"], 199, "{:?}", run.statuses());
}

#[test]
fn goaway_fails_only_what_is_above_its_last_stream() {
    let run = observe(50, Fault::GoAway { below: 2 });
    each_has_its_own_end(&run);
    assert!(connections(&run) >= 4, "{:?}", run.statuses());
    // All up to the last stream are answered, and known to be.
    let mut ok: BTreeMap<_, _> = run.rows.iter().map(|row| (row.runtime_ms, row.status == "ok")).collect();
    for request in run.requests.iter().filter(|request| request.answered_unix_ns.is_some()) {
        assert_eq!(ok.remove(&request.runtime_ms), Some(true), "{request:?}");
    }
}

#[test]
fn goaway_of_an_idle_connection_fails_nothing() {
    let service = Service::After(Duration::ZERO);
    let server = Server::start(Behaviour { service, fault: Some((4, Fault::GoAwayIdle)), ..Behaviour::default() });
    let run = Loader::start().observe(&server, 20, 1, "");
    assert!(connections(&run) >= 2);
    // A call may be on its way when the connection ends; whoever was answered knows it.
    let answered = run.requests.iter().filter(|request| request.answered_unix_ns.is_some()).count();
    assert_eq!(run.statuses()["ok"], answered, "{:?}", run.statuses());
}
