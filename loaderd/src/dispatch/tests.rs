//! A whole dispatch, threads and all, against servers that misbehave: the rows must say exactly what happened.
//!
//! Nothing here depends on how fast the machine is: counts and order are checked, and times only where they have no upper
//! bound.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdTcpListener},
    os::fd::AsRawFd as _,
    sync::{
        Arc as Shared,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::server::SendResponse;
use http::{HeaderMap, Response, StatusCode};
use loader_proto::faas::FaasReply;
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    endpoint::Endpoint,
    invoke::Protocol,
    plan::{Outline, Plan, PlannedFunction, PlannedInvocation, Slot, SlotOutcome, Unit, testkit::plan},
    record::{Flight, Row},
};

/// What is sent: so many invocations, evenly, in a second, by one worker over one connection.
fn rows_of(address: SocketAddr, count: u32, timeout: Duration) -> Vec<(PlannedInvocation, Status, String)> {
    rows_within(address, count, timeout, 100_000, 1 << 16)
}

/// The same, with at most so many in flight, and a recorder that takes so many events at once.
fn rows_within(
    address: SocketAddr,
    count: u32,
    timeout: Duration,
    max_in_flight: u32,
    room: usize,
) -> Vec<(PlannedInvocation, Status, String)> {
    let rps = serde_json::json!({"start": count, "end": count, "slot": "1s", "runtime": "0s"});
    let rows = whole_rows(1, address, &rps, timeout, (max_in_flight, None, room));
    rows.into_iter().map(|Row { planned, outcome, .. }| (planned, outcome.status, outcome.error)).collect()
}

/// What comes of a load of mode `rps` by so many workers.
fn whole_rows(
    workers: usize,
    address: SocketAddr,
    rps: &serde_json::Value,
    timeout: Duration,
    bounds: (u32, Option<u32>, usize),
) -> Vec<Row> {
    rows_of_plan(workers, address, plan(&serde_json::json!({ "rps": rps })), timeout, bounds, |_| {})
}

/// The same of any plan; `observe` gets each row as it comes.
fn rows_of_plan(
    workers: usize,
    address: SocketAddr,
    plan: Box<dyn Plan>,
    timeout: Duration,
    (max_in_flight, max_memory_in_flight_mib, room): (u32, Option<u32>, usize),
    mut observe: impl FnMut(&Row),
) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let route = Endpoint::plain(address.to_string(), "f");
        let route = Route::new(&route, Protocol::Faas).expect("a route");
        let (events, mut received) = mpsc::channel(room);
        let settings = Settings {
            workers,
            policy: Policy::Pooled(1),
            max_in_flight,
            max_memory_in_flight_mib,
            connect_timeout: timeout,
            function_timeout: timeout,
            runtime_clock: None,
            seed: 42,
            phases: Phases::default(),
            isolation: Isolation::default(),
            heartbeat: Heartbeat::new(Clock),
            run: RunId::new(0, 0),
            trace: None,
            clock: Clock,
        };
        let scales = Arc::new(ScaleState::new(1));
        let dispatch = Dispatch::prepare(settings, Arc::new([Some(route)]), scales, events).await.expect("starts");
        let mut dispatching = dispatch.start(plan, Clock.anchor()).expect("starts");
        let mut rows = Vec::new();
        while let Some(event) = received.recv().await {
            if let Event::Row(row) = event {
                observe(&row);
                rows.push(*row);
            }
        }
        dispatching.paced().await.expect("lives");
        dispatching.drained().await.expect("lives");
        rows.sort_by_key(|row| row.planned.due);
        rows
    })
}

fn counts(rows: &[(PlannedInvocation, Status, String)]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (_, status, _) in rows {
        *counts.entry(status.as_str().into_owned()).or_default() += 1;
    }
    counts
}

fn expect<const N: usize>(pairs: [(&str, usize); N]) -> BTreeMap<String, usize> {
    pairs.into_iter().map(|(status, count)| (status.to_owned(), count)).collect()
}

/// A server on a thread of its own, which ends when this is dropped.
struct Server {
    address: SocketAddr,
    end: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Serves every connection with `serve`, as long as this lives.
    fn start<S, F>(serve: S) -> Self
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = StdTcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let (address, end) = (listener.local_addr().expect("an address"), CancellationToken::new());
        let ended = end.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("can be so");
                let listener = TcpListener::from_std(listener).expect("a listener");
                let mut serving = JoinSet::new();
                loop {
                    tokio::select! {
                        accepted = listener.accept() => drop(serving.spawn(serve(accepted.expect("accepts").0))),
                        () = ended.cancelled() => return,
                    }
                }
            });
        });
        Self { address, end, thread: Some(thread) }
    }

    /// Answers requests with `answer`, which gets how many came before.
    fn answering(answer: impl Fn(u32, SendResponse<Bytes>) + Clone + Send + Sync + 'static) -> Self {
        let asked = Shared::new(AtomicU32::new(0));
        Self::start(move |stream| {
            let (asked, answer) = (Shared::clone(&asked), answer.clone());
            async move {
                let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                while let Some(Ok((_, respond))) = connection.accept().await {
                    answer(asked.fetch_add(1, Ordering::Relaxed), respond);
                }
            }
        })
    }
}

/// Speaks HTTP/2, and answers nothing.
async fn never_answer(stream: TcpStream) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    // Requests are kept, or dropping them would reset their streams.
    let mut kept = Vec::new();
    while let Some(Ok(request)) = connection.accept().await {
        kept.push(request);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end.cancel();
        if let Some(Err(broken)) = self.thread.take().map(std::thread::JoinHandle::join) {
            std::panic::resume_unwind(broken);
        }
    }
}

fn reply(mut respond: SendResponse<Bytes>) {
    let head = Response::builder().header("content-type", "application/grpc").body(()).expect("a response");
    let message = FaasReply { message: String::new(), duration_in_micro_sec: 1, memory_usage_in_kb: 1 }.encode_to_vec();
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("short"));
    frame.extend_from_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", 0.into());
    let mut body = respond.send_response(head, false).expect("sends");
    body.send_data(frame.freeze(), false).expect("sends");
    body.send_trailers(trailers).expect("sends");
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_server_that_answers_gets_everything() {
    let server = Server::answering(|_, respond| reply(respond));
    let rows = rows_of(server.address, 300, LONG);
    assert_eq!(counts(&rows), expect([("ok", 300)]));
    // In the order in which they were due, each with its number.
    let ids: Vec<_> = rows.iter().map(|(planned, _, _)| planned.id.to_string()).collect();
    assert_eq!(ids, (0..300).map(|number| format!("min0.inv{number}")).collect::<Vec<_>>());
}

#[test]
fn run_times_are_rounded_alike_whatever_the_number_of_workers() {
    let server = Server::answering(|_, respond| reply(respond));
    let rps = serde_json::json!({"start": 200, "end": 200, "slot": "1s", "runtime": "0.0025s"});
    let asked = |workers| -> Vec<_> {
        let rows = whole_rows(workers, server.address, &rps, LONG, (100_000, None, 1 << 16));
        rows.iter().map(|row| (row.planned.id.to_string(), row.requested_runtime_us())).collect()
    };
    let one = asked(1);
    // The server knows no exact run times: each row says the milliseconds that it was asked for.
    let most = one.iter().filter(|(_, micros)| *micros == 3000).count();
    assert!(one.iter().all(|(_, micros)| [2000, 3000].contains(micros)), "{one:?}");
    // Half of 200, within four standard errors.
    assert!((72..=128).contains(&most), "{most}");
    assert_eq!(asked(3), one);
}

#[test]
fn a_server_that_never_speaks() {
    let server = Server::start(|mut stream| async move {
        let mut sink = vec![0; 4096];
        while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    });
    let rows = rows_of(server.address, 100, SHORT);
    assert_eq!(counts(&rows), expect([("connect_timeout", 100)]));
}

#[test]
fn a_server_that_never_answers() {
    let server = Server::start(never_answer);
    let rows = rows_of(server.address, 100, SHORT);
    assert_eq!(counts(&rows), expect([("function_timeout", 100)]));
    assert!(rows.iter().all(|(_, _, error)| error == "no answer within 300ms"), "{rows:?}");
}

#[test]
fn what_exceeds_the_bound_of_memory_is_a_row_with_its_own_reason() {
    let server = Server::start(never_answer);
    let rps = serde_json::json!({"start": 100, "end": 100, "slot": "1s", "runtime": "0s", "memoryMib": 150});
    let rows = whole_rows(1, server.address, &rps, SHORT, (100_000, Some(499), 1 << 16));
    let (refused, sent): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.outcome.status == Status::NotSent);
    assert_eq!(rows.len(), 100);
    assert!(sent.len() >= 3 && !refused.is_empty(), "{} were sent", sent.len());
    let why = "450 MiB are in flight already, 150 MiB more exceed 499 MiB (maxMemoryInFlight)";
    assert!(refused.iter().all(|row| (row.flight, row.outcome.error.as_str()) == (Flight::OverMemory, why)));
    assert!(sent.iter().all(|row| matches!(row.flight, Flight::Until(_))), "the others were in flight");
}

#[test]
fn what_exceeds_the_bound_is_a_row_however_slow_the_recorder_is() {
    let server = Server::start(never_answer);
    // More than wait for a recorder that takes one at a time.
    let rows = rows_within(server.address, 100_000, SHORT, 7, 1);
    assert_eq!(rows.len(), 100_000);
    let found = counts(&rows);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["function_timeout", "not_sent"]);
    assert!(found["function_timeout"] >= 7, "{found:?}");
    let why = "7 invocations are in flight already (maxInFlight)";
    assert!(rows.iter().filter(|(_, status, _)| *status == Status::NotSent).all(|(_, _, error)| error == why));
}

#[test]
fn a_server_that_never_accepts() {
    use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, getsockname, listen, socket};
    let listener = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
    bind(listener.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).expect("a port");
    listen(&listener, Backlog::new(0).expect("valid")).expect("listens");
    let port = getsockname::<SockaddrIn>(listener.as_raw_fd()).expect("an address").port();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // The accept queue takes one connection; later ones wait.
    let _first = std::net::TcpStream::connect(address).expect("the first is queued");
    let rows = rows_of(address, 20, SHORT);
    assert_eq!(counts(&rows), expect([("connect_timeout", 20)]));
    let expected = format!("no connection to {address} within ");
    assert!(rows.iter().all(|(_, _, error)| error.starts_with(&expected)), "{rows:?}");
}

#[test]
fn a_server_that_speaks_something_else() {
    let server = Server::start(|mut stream| async move {
        // The client may be gone already.
        let _gone = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\nwhat do you want from me?\r\n").await;
        let mut sink = vec![0; 4096];
        while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    });
    let rows = rows_of(server.address, 50, LONG);
    assert_eq!(rows.len(), 50);
    // On any step that finds it out, no row is ok, and none waits for its timeout.
    let found = counts(&rows);
    assert!(found.keys().all(|status| ["connect_error", "grpc_UNAVAILABLE"].contains(&&**status)), "{found:?}");
}

#[test]
fn a_server_that_resets_each_third_stream() {
    let server = Server::answering(|number, mut respond| {
        if number % 3 == 2 { respond.send_reset(h2::Reason::INTERNAL_ERROR) } else { reply(respond) }
    });
    let rows = rows_of(server.address, 300, LONG);
    assert_eq!(counts(&rows), expect([("ok", 200), ("grpc_INTERNAL", 100)]));
}

#[test]
fn a_server_that_sends_goaway_again_and_again() {
    let server = Server::start(|stream| async move {
        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
        let mut served = 0;
        while let Some(Ok((_, respond))) = connection.accept().await {
            reply(respond);
            served += 1;
            if served == 20 {
                connection.graceful_shutdown();
            }
        }
    });
    let rows = rows_of(server.address, 300, LONG);
    assert_eq!(counts(&rows), expect([("ok", 300)]), "{:?}", rows.iter().find(|(_, status, _)| *status != Status::Ok));
}

#[test]
fn a_gateway_that_answers_503_for_half() {
    let server = Server::answering(|number, mut respond| {
        if number % 2 == 0 {
            return reply(respond);
        }
        let head = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).header("content-type", "text/plain");
        let mut body = respond.send_response(head.body(()).expect("a response"), false).expect("sends");
        body.send_data(Bytes::from_static(b"pending request queue full"), true).expect("sends");
    });
    let rows = rows_of(server.address, 200, LONG);
    assert_eq!(counts(&rows), expect([("http_503", 100), ("ok", 100)]));
    let all_explained = rows
        .iter()
        .filter(|(_, status, _)| *status != Status::Ok)
        .all(|(_, _, error)| error == "pending request queue full");
    assert!(all_explained, "{rows:?}");
}

/// Two sockets on one port, so that no other process gets it when the first is closed.
fn twice_the_same_port() -> (TcpSocket, TcpSocket) {
    let bound = |address: SocketAddr| {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseport(true).expect("can be so");
        socket.bind(address).expect("a port");
        socket
    };
    let first = bound((Ipv4Addr::LOCALHOST, 0).into());
    let second = bound(first.local_addr().expect("an address"));
    (first, second)
}

/// A plan whose slots wait, each for a signal, before there are any invocations of them.
struct Gated {
    plan: Box<dyn Plan>,
    /// The signals, by slot.
    gates: BTreeMap<u32, Signal>,
}

type Signal = std::sync::mpsc::Receiver<()>;

impl Plan for Gated {
    fn functions(&self) -> &[PlannedFunction] {
        self.plan.functions()
    }

    fn unit(&self) -> Unit {
        self.plan.unit()
    }

    fn needs_outcomes(&self) -> bool {
        self.plan.needs_outcomes()
    }

    fn next_slot(&mut self, previous: Option<&SlotOutcome>) -> Option<Slot> {
        let slot = self.plan.next_slot(previous)?;
        if let Some(gate) = self.gates.get(&slot.index) {
            gate.recv().expect("is signalled");
        }
        Some(slot)
    }

    fn outline(&self) -> Outline {
        self.plan.outline()
    }
}

/// Serves a hundred requests of the first connection to `first`, and then is down, which it signals.
async fn serve_a_hundred(first: TcpSocket, down: std::sync::mpsc::Sender<()>) {
    let first = first.listen(64).expect("listens");
    let mut connection = h2::server::handshake(first.accept().await.expect("accepts").0).await.expect("speaks");
    let served = async {
        for _ in 0..100 {
            let (_, respond) = connection.accept().await.expect("a request").expect("a request");
            reply(respond);
        }
        // What was answered goes out before the connection ends.
        connection.graceful_shutdown();
        let flushed = async { while connection.accept().await.is_some() {} };
        let _cut = tokio::time::timeout(LONG, flushed).await;
    };
    // On a busy machine another connection is tried beside the first, and must not be waited for.
    let others = async {
        loop {
            drop(first.accept().await.expect("accepts"));
        }
    };
    tokio::select! {
        () = served => {}
        () = others => {}
    }
    drop((first, connection));
    down.send(()).expect("is awaited");
}

/// Serves every request to `second` until the end.
async fn serve_all(second: TcpListener, end: CancellationToken) {
    let mut serving = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = second.accept() => accepted,
            () = end.cancelled() => return,
        };
        let stream = accepted.expect("accepts").0;
        serving.spawn(async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else { return };
            while let Some(Ok((_, respond))) = connection.accept().await {
                reply(respond);
            }
        });
    }
}

#[test]
fn a_server_that_vanishes_and_comes_back() {
    // It serves the slot of a hundred, is down for that of two hundred, and serves that of three hundred. Slots wait for it.
    let (first, second) = twice_the_same_port();
    let address = first.local_addr().expect("an address");
    let (down, is_down) = std::sync::mpsc::channel();
    let (back, is_back) = std::sync::mpsc::channel();
    let (wanted, is_wanted) = tokio::sync::oneshot::channel();
    let end = CancellationToken::new();
    let ended = end.clone();
    let played = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            serve_a_hundred(first, down).await;
            is_wanted.await.expect("is signalled");
            let second = second.listen(64).expect("listens");
            back.send(()).expect("is awaited");
            serve_all(second, ended).await;
        });
    });
    let rps = serde_json::json!({"start": 100, "step": 100, "end": 300, "slot": "1s", "runtime": "0s"});
    let plan = Box::new(Gated {
        plan: plan(&serde_json::json!({ "rps": rps })),
        gates: BTreeMap::from([(1, is_down), (2, is_back)]),
    });
    let (mut failed, mut wanted) = (0, Some(wanted));
    let rows = rows_of_plan(1, address, plan, LONG, (100_000, None, 1 << 16), |row| {
        failed += usize::from(row.outcome.status != Status::Ok);
        if failed == 200
            && let Some(wanted) = wanted.take()
        {
            wanted.send(()).expect("is awaited");
        }
    });
    end.cancel();
    played.join().expect("played to its end");
    let of_slot = |slot: u32| {
        let mut counts = BTreeMap::new();
        for row in rows.iter().filter(|row| row.planned.slot.index == slot) {
            *counts.entry(row.outcome.status.as_str().into_owned()).or_default() += 1;
        }
        counts
    };
    assert_eq!(of_slot(0), expect([("ok", 100)]));
    assert_eq!(of_slot(1), expect([("connect_error", 200)]));
    assert_eq!(of_slot(2), expect([("ok", 300)]));
}
