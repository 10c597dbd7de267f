//! What a call waits for: streams, flow control, connections.

use std::cell::{Cell, RefCell};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};

use loader_proto::v1;

use super::{http1::plain_with, *};
use crate::endpoint::HttpVersion;

const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;

/// A frame of a peer that is written by hand.
fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, 0], &stream.to_be_bytes(), payload].concat()
}

/// SETTINGS with a limit of concurrent streams.
fn limit(streams: u32) -> Vec<u8> {
    frame(SETTINGS, 0, &[&[0, 3], &streams.to_be_bytes()[..]].concat())
}

/// Reads frames until one of `kind`; returns its stream.
async fn read_until(peer: &mut TcpStream, kind: u8) -> u32 {
    loop {
        let mut head = [0; 9];
        peer.read_exact(&mut head).await.expect("a frame");
        let length = usize::from(head[1]) << 8 | usize::from(head[2]);
        peer.read_exact(&mut vec![0; length]).await.expect("its payload");
        if head[3] == kind {
            return u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        }
    }
}

/// A peer that is written by hand: its connection, after the client's preface.
async fn accept(listener: &TcpListener, limit: &[u8]) -> TcpStream {
    let (mut peer, _) = listener.accept().await.expect("a connection");
    peer.read_exact(&mut [0; 24]).await.expect("the preface");
    peer.write_all(limit).await.expect("writes");
    peer
}

/// Runs `test` with an invoker and a peer that is written by hand.
fn with_peer(test: impl AsyncFnOnce(Rc<Invoker>, Route, TcpListener)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let route = route(listener.local_addr().expect("an address"));
        test(Rc::new(invoker()), route, listener).await;
    });
}

/// Runs `test` with a server that allows so many streams and answers when it is told to.
fn with_limit(streams: u32, test: impl AsyncFnOnce(Rc<Invoker>, Route, Rc<RefCell<Vec<Answer>>>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let route = route(listener.local_addr().expect("an address"));
        let open: Rc<RefCell<Vec<Answer>>> = Rc::default();
        let answers = Rc::clone(&open);
        let server = spawn_local(async move {
            let (socket, _) = listener.accept().await.expect("a connection");
            let mut builder = h2::server::Builder::new();
            let mut connection =
                builder.max_concurrent_streams(streams).handshake::<_, Bytes>(socket).await.expect("HTTP/2");
            while let Some(Ok((_, respond))) = connection.accept().await {
                open.borrow_mut().push(respond);
            }
        });
        test(Rc::new(invoker()), route, answers).await;
        server.abort();
    });
}

fn answer(respond: Answer) {
    answer_with(respond, head(StatusCode::OK, "application/grpc"), reply_frame(), Code::Ok);
}

async fn one_call(invoker: &Invoker, route: &Route) -> Outcome {
    invoker.call(route, call(), &Cancellation::default()).await
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_call_is_sent_when_it_has_a_stream_and_not_before() {
    with_limit(2, async |invoker, route, open| {
        let calls: Vec<_> = (0..5)
            .map(|_| {
                let (invoker, route) = (Rc::clone(&invoker), route.clone());
                spawn_local(async move { one_call(&invoker, &route).await })
            })
            .collect();
        for (answered, call) in calls.iter().enumerate() {
            // Never more than two at a time, and always as many as there are.
            until(|| open.borrow().len() == (5 - answered).min(2)).await;
            let first = open.borrow_mut().remove(0);
            answer(first);
            until(|| call.is_finished()).await;
        }
        let mut last_sent = None;
        for (index, call) in calls.into_iter().enumerate() {
            let outcome = call.await.expect("ends");
            assert_eq!((outcome.status, outcome.error.as_str()), (Status::Ok, ""));
            // First come, first served; the first two found streams.
            assert!(outcome.sent >= last_sent, "{index}");
            last_sent = outcome.sent;
            assert_eq!(outcome.stream_wait.is_some(), index >= 2, "{index} {outcome:?}");
            assert_eq!(outcome.stream_limit, (index >= 2).then_some(2));
        }
    });
}

#[test]
fn a_call_that_never_has_a_stream_is_not_sent() {
    with_limit(0, async |invoker, route, open| {
        let call = Call { function_timeout: Duration::from_millis(30), ..call() };
        let outcome = invoker.call(&route, call, &Cancellation::default()).await;
        assert_eq!((outcome.status, outcome.sent), (Status::NotSent, None));
        assert_eq!(outcome.stream_limit, Some(0));
        assert!(outcome.stream_wait.is_some() && open.borrow().is_empty());
        assert!(
            outcome.error.starts_with("no stream was free (the peer allows 0 on a connection) for "),
            "{outcome:?}"
        );

        let cancellation = Cancellation::default();
        let call = Call { function_timeout: Duration::from_secs(60), ..call };
        let waits = invoker.call(&route, call, &cancellation);
        let (outcome, ()) = tokio::join!(waits, async { cancellation.cancel(Status::Unfinished) });
        assert_eq!((outcome.status, outcome.sent), (Status::NotSent, None), "at the end of the run");
    });
}

#[test]
fn a_limit_that_rises_lets_those_who_wait_go() {
    with_peer(async |invoker, route, listener| {
        let sent = Rc::new(Cell::new(false));
        let peer = async {
            let mut peer = accept(&listener, &limit(0)).await;
            read_until(&mut peer, SETTINGS).await;
            // The call waits; nothing of it may come before it is allowed.
            sent.set(true);
            peer.write_all(&limit(1)).await.expect("writes");
            let stream = read_until(&mut peer, HEADERS).await;
            // REFUSED_STREAM
            peer.write_all(&frame(RST_STREAM, stream, &7_u32.to_be_bytes())).await.expect("writes");
            peer
        };
        let (outcome, _peer) = tokio::join!(one_call(&invoker, &route), peer);
        assert!(sent.get() && outcome.sent.is_some());
        assert_eq!(outcome.status, Status::Grpc(Code::Unavailable));
    });
}

#[test]
fn a_body_that_flow_control_holds_back_is_not_sent() {
    with_peer(async |invoker, route, listener| {
        // A window of nothing for each stream; then one of 100 bytes for the first.
        let no_window = frame(SETTINGS, 0, &[0, 4, 0, 0, 0, 0]);
        let held = Rc::new(Notify::new());
        let peer = async {
            let mut peer = accept(&listener, &no_window).await;
            let stream = read_until(&mut peer, HEADERS).await;
            held.notified().await;
            peer.write_all(&frame(8, stream, &100_u32.to_be_bytes())).await.expect("writes");
            assert_eq!(read_until(&mut peer, 0).await, stream, "its body");
            peer.write_all(&frame(RST_STREAM, stream, &2_u32.to_be_bytes())).await.expect("writes");
            peer
        };
        let before = Clock.now();
        let release = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            held.notify_one();
        };
        let (outcome, _peer, ()) = tokio::join!(one_call(&invoker, &route), peer, release);
        let waited = outcome.stream_wait.expect("it waited");
        assert!(outcome.sent.expect("it was sent") >= before + waited);
        assert_eq!(outcome.status, Status::Grpc(Code::Internal));

        let peer = async {
            let stays = accept(&listener, &no_window).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            stays
        };
        let invoker = super::invoker();
        let call = Call { function_timeout: Duration::from_millis(20), ..call() };
        let cancellation = Cancellation::default();
        tokio::select! {
            _ = peer => panic!("the call must end first"),
            outcome = invoker.call(&route, call, &cancellation) => {
                assert_eq!((outcome.status, outcome.sent), (Status::NotSent, None));
                assert!(outcome.error.starts_with("the peer's flow control held it back for"), "{}", outcome.error);
            }
        }
    });
}

#[test]
fn a_call_waits_for_the_connections_window_before_its_head_is_sent() {
    with_peer(async |invoker, route, listener| {
        let request = v1::HttpRequest { body: "x".repeat(40_000), ..Default::default() };
        let route = plain_with(&route.address, HttpVersion::Http2, request);
        let widened = Rc::new(Cell::new(false));
        let peer = async {
            let mut peer = accept(&listener, &limit(100)).await;
            let first = read_until(&mut peer, HEADERS).await;
            // All of the first body, and nothing of the second request.
            let mut received = 0;
            while received < 40_000 {
                let mut head = [0; 9];
                peer.read_exact(&mut head).await.expect("a frame");
                let length = usize::from(head[1]) << 8 | usize::from(head[2]);
                peer.read_exact(&mut vec![0; length]).await.expect("its payload");
                assert!(head[3] != HEADERS, "the second must wait");
                received += if head[3] == 0 { length } else { 0 };
            }
            widened.set(true);
            peer.write_all(&frame(8, 0, &40_000_u32.to_be_bytes())).await.expect("writes");
            let second = read_until(&mut peer, HEADERS).await;
            for stream in [first, second] {
                peer.write_all(&frame(RST_STREAM, stream, &7_u32.to_be_bytes())).await.expect("writes");
            }
            peer
        };
        let (first, second, _peer) = tokio::join!(one_call(&invoker, &route), one_call(&invoker, &route), peer);
        assert!(widened.get() && first.sent.is_some() && first.stream_wait.is_none());
        assert!(second.sent > first.sent && second.stream_wait.is_some() && second.stream_limit.is_none());
    });
}

#[test]
fn what_arrived_while_the_loader_slept_is_no_response_time() {
    with_limit(10, async |invoker, route, open| {
        let outcome = {
            let (invoker, route) = (Rc::clone(&invoker), route.clone());
            spawn_local(async move { one_call(&invoker, &route).await })
        };
        until(|| open.borrow().len() == 1).await;
        let respond = open.borrow_mut().pop().expect("a request");
        answer(respond);
        // The server's task writes the answer; then the only thread sleeps before anyone reads it.
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(50));
        let Outcome { response, receive_lag, .. } = outcome.await.expect("ends");
        let (response, lag) = (response.expect("an answer"), receive_lag.expect("an answer"));
        assert!(lag >= Duration::from_millis(50) || response >= Duration::from_millis(50), "{lag:?} {response:?}");
        assert!(lag > response, "the kernel had it all the time: response {response:?}, receive lag {lag:?}");
    });
}

#[test]
fn a_connection_that_stands_is_taken_while_another_is_made() {
    // The second connection is accepted by nobody; calls go over the first.
    with_peer(async |_, route, listener| {
        let invoker = Rc::new(invoker_with(Policy::Pooled(2)));
        let peer = async {
            let mut peer = accept(&listener, &limit(100)).await;
            for _ in 0..2 {
                let stream = read_until(&mut peer, HEADERS).await;
                peer.write_all(&frame(RST_STREAM, stream, &7_u32.to_be_bytes())).await.expect("writes");
            }
            peer
        };
        let calls = async {
            let first = one_call(&invoker, &route).await;
            let second = one_call(&invoker, &route).await;
            (first.connect.is_some(), second.connect, second.status)
        };
        let (calls, _peer) = tokio::join!(calls, peer);
        assert_eq!(calls, (true, None, Status::Grpc(Code::Unavailable)));
    });
}

#[test]
fn a_peer_that_does_not_answer_is_tried_again_beside() {
    // The first connection is never spoken to; the next one is.
    with_peer(async |invoker, route, listener| {
        let peer = async {
            let silent = listener.accept().await.expect("a connection");
            let mut peer = accept(&listener, &limit(100)).await;
            let stream = read_until(&mut peer, HEADERS).await;
            peer.write_all(&frame(RST_STREAM, stream, &7_u32.to_be_bytes())).await.expect("writes");
            (silent, peer)
        };
        let (outcome, _peers) = tokio::join!(one_call(&invoker, &route), peer);
        assert!(outcome.sent.is_some() && outcome.connect.is_some_and(|waited| waited >= Duration::from_secs(1)));
    });
}

#[test]
fn a_call_that_finds_no_connection_in_time_says_so() {
    with_peer(async |invoker, route, listener| {
        let silent = async {
            let silent = listener.accept().await.expect("a connection");
            std::future::pending::<()>().await;
            silent
        };
        let call = Call { connect_timeout: Duration::from_millis(30), ..call() };
        let cancellation = Cancellation::default();
        tokio::select! {
            _ = silent => panic!("it never ends"),
            outcome = invoker.call(&route, call, &cancellation) => {
                assert_eq!((outcome.status, outcome.sent), (Status::ConnectTimeout, None));
                assert!(outcome.connect.is_some() && outcome.stream_wait.is_none());
            }
        }
    });
}
