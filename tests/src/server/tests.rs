//! That the server does what it says, seen by a client of another make.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use tokio::{net::TcpStream, runtime::Runtime, task::JoinSet};

use super::{Behaviour, Fault, Refusal, Request, Server, Service, stamps};
use crate::eventually;

/// A client's connection, which is driven in the background.
struct Client {
    send: SendRequest<Bytes>,
    driver: JoinSet<Result<(), h2::Error>>,
}

impl Client {
    async fn connect(server: &Server) -> Self {
        let socket = TcpStream::connect(server.address()).await.expect("it listens");
        // The runtime may leave any number of answers unread.
        let mut builder = Builder::new();
        builder.data_frame_budget(usize::MAX);
        let (send, connection) = builder.handshake(socket).await.expect("it speaks HTTP/2");
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        Self { send, driver }
    }

    /// Sends a request that asks for a run time, once there is a stream for it: its status as gRPC has it.
    async fn call(&self, runtime_ms: u8) -> Result<String, h2::Error> {
        let request = http::Request::post("http://server/faas.Executor/Execute").body(()).expect("it is one");
        let mut send = self.send.clone().ready().await?;
        let (response, mut body) = send.send_request(request, false)?;
        body.send_data(Bytes::copy_from_slice(&[0, 0, 0, 0, 2, 0x10, runtime_ms]), true)?;
        let response = response.await?;
        let refused = response.headers().get("grpc-status").cloned();
        let mut body = response.into_body();
        while let Some(data) = body.data().await {
            let length = data?.len();
            body.flow_control().release_capacity(length)?;
        }
        let status = match refused {
            Some(status) => status,
            None => body.trailers().await?.expect("an answer has trailers")["grpc-status"].clone(),
        };
        Ok(status.to_str().expect("a number").to_owned())
    }

    /// Several calls at once, in no order: their results.
    async fn calls(self: &Arc<Self>, count: u8) -> Vec<Result<String, h2::Error>> {
        let mut calls = JoinSet::new();
        for runtime_ms in 1..=count {
            let this = Arc::clone(self);
            calls.spawn(async move { this.call(runtime_ms).await });
        }
        calls.join_all().await
    }

    /// How the connection ended.
    async fn ended(mut self) -> Result<(), h2::Error> {
        self.driver.join_next().await.expect("there is one").expect("it does not panic")
    }
}

/// Calls a server so often at once: the results, and what the server saw.
fn observe(behaviour: Behaviour, count: u8) -> (Vec<Result<String, h2::Error>>, Vec<Request>) {
    let server = Server::start(behaviour);
    let results = Runtime::new().expect("starts").block_on(async {
        let client = Arc::new(Client::connect(&server).await);
        client.calls(count).await
    });
    (results, server.requests())
}

#[test]
fn requests_are_stamped_and_kept() {
    let before = stamps::now();
    let (results, requests) = observe(Behaviour::default(), 20);
    let after = stamps::now();
    assert!(results.iter().all(|result| result.as_deref().is_ok_and(|it| it == "0")), "{results:?}");
    let mut asked: Vec<_> = requests.iter().map(|request| request.runtime_ms).collect();
    asked.sort_unstable();
    assert_eq!(asked, (1..=20).collect::<Vec<_>>());
    let streams: Vec<_> = requests.iter().map(|request| (request.connection, request.stream)).collect();
    assert_eq!(streams, (0..20).map(|index| (0, 2 * index + 1)).collect::<Vec<_>>());
    assert!(requests.is_sorted_by_key(|request| request.arrived_unix_ns));
    for it in &requests {
        let answered = it.answered_unix_ns.expect("it was answered");
        assert!(before <= it.arrived_unix_ns && it.arrived_unix_ns <= answered && answered <= after, "{it:?}");
    }
}

#[test]
fn answers_come_no_earlier_than_they_are_due() {
    let delay = Duration::from_millis(30);
    let (_, requests) = observe(Behaviour { service: Service::After(delay), ..Behaviour::default() }, 5);
    assert!(requests.iter().all(|it| it.answered_unix_ns.expect("answered") - it.arrived_unix_ns >= 30_000_000));

    let queue = Service::Queue { rate: 100.0, bound: None };
    let (_, requests) = observe(Behaviour { service: queue, ..Behaviour::default() }, 10);
    let first = requests[0].arrived_unix_ns;
    for (it, due) in requests.iter().zip(1..) {
        assert!(it.answered_unix_ns.expect("answered") >= first + due * 10_000_000, "{requests:?}");
    }

    let (_, requests) =
        observe(Behaviour { service: Service::Bursts(Duration::from_millis(40)), ..Behaviour::default() }, 3);
    for it in &requests {
        let period = it.arrived_unix_ns / 40_000_000;
        assert!(it.answered_unix_ns.expect("answered") >= (period + 1) * 40_000_000, "{requests:?}");
    }
}

#[test]
fn a_full_queue_and_a_refusing_server_say_so() {
    // One that leaves after ten seconds is not waited for.
    for (refusal, status) in [(Refusal::ResourceExhausted, "8"), (Refusal::Unavailable, "14")] {
        let service = Service::Queue { rate: 0.1, bound: Some((1, refusal)) };
        let server = Server::start(Behaviour { service, ..Behaviour::default() });
        Runtime::new().expect("starts").block_on(async {
            let client = Arc::new(Client::connect(&server).await);
            let first = Arc::clone(&client);
            let mut waits = JoinSet::new();
            waits.spawn(async move { first.call(1).await });
            eventually("the first is in the queue", || {
                server.requests().first().filter(|it| it.runtime_ms > 0).copied()
            });
            assert_eq!(client.call(2).await.expect("answered"), status);
            assert!(waits.try_join_next().is_none());
        });
        let (results, _) = observe(Behaviour { service: Service::Refuses(refusal), ..Behaviour::default() }, 3);
        assert!(results.iter().all(|result| result.as_deref().is_ok_and(|it| it == status)), "{results:?}");
    }
}

/// Changes the limit; a client may use the old one until it has acknowledged the new one.
async fn limit_streams(server: &Server, limit: u32) {
    server.limit_streams(limit);
    while server.acknowledged_limits() != [Some(limit)] {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_limit_is_announced_and_changes_while_it_runs() {
    let server = Server::start(Behaviour { streams: Some(9), ..Behaviour::default() });
    Runtime::new().expect("starts").block_on(async {
        let client = Arc::new(Client::connect(&server).await);
        for limit in [3, 1] {
            limit_streams(&server, limit).await;
            let results = client.calls(9).await;
            assert!(results.iter().all(Result::is_ok), "{results:?}");
        }
        limit_streams(&server, 0).await;
        let waiting = client.calls(9);
        let mut waiting = std::pin::pin!(waiting);
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err());
        assert_eq!(server.requests().len(), 18, "nothing comes while there are no streams");
        server.limit_streams(5);
        let results = waiting.await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    });
    let limits = server.requests().iter().map(|it| (it.limit, it.breaks_limit())).collect::<Vec<_>>();
    let expected = [3, 1, 5].into_iter().flat_map(|limit| [(Some(limit), false); 9]);
    assert_eq!(limits, expected.collect::<Vec<_>>());
}

#[test]
fn a_broken_limit_is_seen() {
    let request = Request {
        connection: 0,
        stream: 1,
        arrived_unix_ns: 0,
        answered_unix_ns: None,
        open: 2,
        limit: None,
        runtime_ms: 0,
        refused: false,
    };
    for (limit, broken) in [(None, false), (Some(0), true), (Some(1), true), (Some(2), false)] {
        assert_eq!(Request { limit, ..request }.breaks_limit(), broken, "{limit:?}");
    }
}

/// The results of so many calls, one after the other, and how the connection ended.
fn one_by_one(behaviour: Behaviour, count: u8) -> (Vec<Result<String, h2::Error>>, Result<(), h2::Error>) {
    let server = Server::start(behaviour);
    Runtime::new().expect("starts").block_on(async {
        let client = Client::connect(&server).await;
        let mut results = Vec::new();
        for runtime_ms in 1..=count {
            results.push(client.call(runtime_ms).await);
        }
        drop(client.send.clone());
        (results, client.ended().await)
    })
}

#[test]
fn connections_end_as_asked() {
    let fault = |fault| Behaviour { fault: Some((3, fault)), ..Behaviour::default() };
    // Those before are answered.
    let (results, _) = one_by_one(fault(Fault::Close), 3);
    assert!(results[..2].iter().all(Result::is_ok) && results[2].is_err(), "{results:?}");

    let (results, ended) = one_by_one(fault(Fault::Abort), 3);
    assert!(results[..2].iter().all(Result::is_ok) && results[2].is_err(), "{results:?}");
    let error = ended.expect_err("it was reset").into_io().expect("by TCP");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);

    let server = Server::start(fault(Fault::ResetStream));
    let results = Runtime::new().expect("starts").block_on(async {
        let client = Client::connect(&server).await;
        [client.call(1).await, client.call(2).await, client.call(3).await, client.call(4).await]
    });
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true], "{results:?}");
    let error = results[2].as_ref().expect_err("it was reset");
    assert!(error.is_reset() && error.is_remote() && error.reason() == Some(h2::Reason::INTERNAL_ERROR), "{error:?}");
}

#[test]
fn goaway_says_which_streams_are_answered() {
    // The second of three is the last: the third is not answered, the first two are.
    let service = Service::After(Duration::from_millis(20));
    let away = Fault::GoAway { below: 1 };
    let (results, requests) = observe(Behaviour { service, fault: Some((3, away)), ..Behaviour::default() }, 3);
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2, "{results:?}");
    let error = results.iter().find_map(|result| result.as_ref().err()).expect("one fails");
    assert!(error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR), "{error:?}");
    let answered: Vec<_> = requests.iter().map(|it| it.answered_unix_ns.is_some()).collect();
    assert_eq!(answered, [true, true, false]);

    // Without open streams nothing fails.
    let (results, ended) = one_by_one(Behaviour { fault: Some((2, Fault::GoAwayIdle)), ..Behaviour::default() }, 2);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(ended.is_ok(), "{ended:?}");
}

#[test]
fn answers_keep_to_the_window_of_the_connection() {
    // Some 6 000 answers fill the first window, so that all of these need updates of it.
    let server = Server::start(Behaviour::default());
    Runtime::new().expect("starts").block_on(async {
        let client = Arc::new(Client::connect(&server).await);
        for _ in 0..40 {
            let results = client.calls(250).await;
            let failed: Vec<_> = results.iter().filter(|result| result.is_err()).collect();
            assert!(failed.is_empty(), "{failed:?}");
        }
    });
    assert_eq!(server.requests().len(), 10_000);
}
