//! The invoker against a scripted HTTP/2 server on loopback.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, Response, StatusCode};
use loader_proto::{
    faas::{FaasReply, FaasRequest},
    metadata,
};
use prost::Message as _;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::{LocalSet, spawn_local},
};
use tokio_util::task::TaskTracker;
use tonic::Code;

use super::*;
use crate::{
    clock::{Clock, UnixMicros},
    endpoint::{Endpoint, Tls},
};

mod http1;
mod streams;
mod toy;

type Answer = SendResponse<Bytes>;
type Asked = http::Request<RecvStream>;

/// Runs `test` with an invoker and the address of a server that answers every request with `answer`.
fn with_server<T>(
    answer: impl Fn(Asked, Answer) + Clone + 'static,
    test: impl AsyncFnOnce(Rc<Invoker>, Route) -> T,
) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = spawn_local(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let answer = answer.clone();
                spawn_local(async move {
                    let Ok(mut connection) = h2::server::handshake(socket).await else { return };
                    while let Some(Ok((request, respond))) = connection.accept().await {
                        answer(request, respond);
                    }
                });
            }
        });
        let result = test(Rc::new(invoker()), route(address)).await;
        server.abort();
        result
    })
}

fn invoker() -> Invoker {
    invoker_with(Policy::Pooled(1))
}

fn invoker_with(policy: Policy) -> Invoker {
    Invoker::new(Connections::new(policy, TaskTracker::new(), ConnectionCount::default(), Clock), Clock)
}

fn route(address: SocketAddr) -> Route {
    let endpoint = Endpoint::plain(address.to_string(), "f.run.local");
    Route::new(&endpoint, Protocol::Faas).expect("an endpoint")
}

fn call() -> Call {
    Call {
        runtime_ms: 7,
        exact_runtime_us: None,
        memory_mib: 3,
        clock: None,
        span: Some(crate::spans::Context { trace: 1, span: 2 }),
        connect_timeout: Duration::from_secs(60),
        function_timeout: Duration::from_secs(60),
    }
}

fn head(status: StatusCode, content_type: &str) -> Response<()> {
    Response::builder().status(status).header("content-type", content_type).body(()).expect("a response")
}

fn trailers(code: Code, message: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", (code as i32).into());
    if !message.is_empty() {
        trailers.insert("grpc-message", message.parse().expect("a header"));
    }
    trailers
}

fn reply_frame() -> Bytes {
    let reply = FaasReply { message: String::new(), duration_in_micro_sec: 7001, memory_usage_in_kb: 3072 };
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(reply.encoded_len()).expect("short"));
    frame.extend_from_slice(&reply.encode_to_vec());
    frame.freeze()
}

/// A head of a function that says that it followed the exact run time.
fn exact_head() -> Response<()> {
    let mut head = head(StatusCode::OK, "application/grpc");
    head.headers_mut().insert(metadata::RUNTIME_EXACT, http::HeaderValue::from_static("true"));
    head
}

/// Answers with `head`, `data` and the trailers of `code`.
fn answer_with(mut respond: Answer, head: Response<()>, data: Bytes, code: Code) {
    let mut body = respond.send_response(head, false).expect("sends");
    body.send_data(data, false).expect("sends");
    body.send_trailers(trailers(code, "")).expect("sends");
}

/// Answers with nothing but headers, as for a call that failed at once.
fn refuse(mut respond: Answer, code: Code, message: &str) {
    let mut head = head(StatusCode::OK, "application/grpc");
    head.headers_mut().extend(trailers(code, message));
    respond.send_response(head, true).expect("sends");
}

/// The status and error of one call to a server that answers so.
fn outcome_of(answer: impl Fn(Asked, Answer) + Clone + 'static) -> (Status, String) {
    with_server(answer, async |invoker, route| {
        let outcome = invoker.call(&route, call(), &Cancellation::default()).await;
        assert!(outcome.sent.is_some());
        (outcome.status, outcome.error)
    })
}

/// Each invocation in flight holds one, and moves it when it begins.
#[test]
fn the_future_of_a_call_is_small() {
    let (invoker, route) = (invoker(), route(([127, 0, 0, 1], 1).into()));
    let cancellation = Cancellation::default();
    let size = size_of_val(&invoker.call(&route, call(), &cancellation));
    assert!(size <= 2560, "{size} bytes");
}

#[test]
fn a_reply_carries_what_the_function_measured_and_its_instance() {
    let answer = |_, respond| {
        let mut head = head(StatusCode::OK, "application/grpc");
        let headers = head.headers_mut();
        headers.insert(metadata::INSTANCE, "f-1".parse().expect("a header"));
        headers.insert(metadata::FIRST_INVOCATION, "true".parse().expect("a header"));
        headers.insert(metadata::INSTANCE_STARTED, "1234567".parse().expect("a header"));
        answer_with(respond, head, reply_frame(), Code::Ok);
    };
    with_server(answer, async |invoker, route| {
        let first = invoker.call(&route, call(), &Cancellation::default()).await;
        assert_eq!((first.status, first.error.as_str()), (Status::Ok, ""));
        assert_eq!((first.runtime_us, first.memory_kib), (Some(7001), Some(3072)));
        assert_eq!((first.instance.as_str(), first.cold_start), ("f-1", Some(true)));
        assert_eq!(first.instance_started, Some(UnixMicros(1_234_567)));
        assert!(first.connect.is_some() && first.response.is_some());
        let second = invoker.call(&route, call(), &Cancellation::default()).await;
        assert_eq!(second.connect, None, "the connection was open");
    });
}

#[test]
fn what_a_foreign_function_does_not_report_stays_unknown() {
    let answer = |_, respond| answer_with(respond, head(StatusCode::OK, "application/grpc"), reply_frame(), Code::Ok);
    with_server(answer, async |invoker, route| {
        let outcome = invoker.call(&route, call(), &Cancellation::default()).await;
        assert_eq!(outcome.status, Status::Ok);
        assert_eq!((outcome.instance.as_str(), outcome.cold_start, outcome.instance_started), ("", None, None));
    });
}

#[test]
fn the_request_is_what_a_grpc_server_expects() {
    let answer = |request: Asked, respond| {
        let (parts, mut body) = request.into_parts();
        assert_eq!(parts.uri.to_string(), "http://f.run.local/faas.Executor/Execute");
        assert_eq!(parts.headers["content-type"], "application/grpc");
        assert_eq!(parts.headers["te"], "trailers");
        assert_eq!(parts.headers["grpc-timeout"], "60000m");
        assert_eq!(parts.headers["traceparent"], "00-00000000000000000000000000000001-0000000000000002-01");
        spawn_local(async move {
            let data = body.data().await.expect("data").expect("data");
            let request = FaasRequest::decode(&data[5..]).expect("a request");
            let right = request.runtime_in_milli_sec == 7 && request.memory_in_mebi_bytes == 3;
            refuse(respond, if right { Code::DataLoss } else { Code::Aborted }, "");
        });
    };
    assert_eq!(outcome_of(answer).0, Status::Grpc(Code::DataLoss));
}

#[test]
fn an_exact_run_time_goes_along_as_metadata() {
    for exact_runtime_us in [None, Some(7500)] {
        // Repeats what it was asked, as its error.
        let answer = |request: Asked, respond| {
            let asked =
                request.headers().get(metadata::RUNTIME).map_or("nothing", |value| value.to_str().expect("text"));
            refuse(respond, Code::DataLoss, asked);
        };
        let error = with_server(answer, async |invoker, route| {
            invoker.call(&route, Call { exact_runtime_us, ..call() }, &Cancellation::default()).await.error
        });
        assert_eq!(error, exact_runtime_us.map_or("nothing".to_owned(), |micros| micros.to_string()));
    }
}

#[test]
fn only_an_answer_of_the_function_says_what_it_followed() {
    let known = |answer: fn(Asked, Answer)| {
        with_server(answer, async |invoker, route| {
            let call = Call { exact_runtime_us: Some(7500), ..call() };
            invoker.call(&route, call, &Cancellation::default()).await.exact_runtime
        })
    };
    let ours = |_, respond| answer_with(respond, exact_head(), reply_frame(), Code::Ok);
    let foreign = |_, respond| answer_with(respond, head(StatusCode::OK, "application/grpc"), reply_frame(), Code::Ok);
    let ours_refused = |_, mut respond: Answer| {
        let mut head = exact_head();
        head.headers_mut().extend(trailers(Code::ResourceExhausted, "no room"));
        respond.send_response(head, true).expect("sends");
    };
    let gateway = |_, respond| refuse(respond, Code::Unavailable, "not now");
    assert_eq!(
        [known(ours), known(foreign), known(ours_refused), known(gateway)],
        [Some(true), Some(false), Some(true), None]
    );
}

#[test]
fn every_refusal_has_its_own_status() {
    let refused = |code, message: &'static str| outcome_of(move |_, respond| refuse(respond, code, message));
    let lacking = |resource: &'static str| {
        outcome_of(move |_, mut respond: Answer| {
            let mut head = head(StatusCode::OK, "application/grpc");
            head.headers_mut().extend(trailers(Code::ResourceExhausted, "no room"));
            head.headers_mut().insert("loader-lacks", http::HeaderValue::from_static(resource));
            respond.send_response(head, true).expect("sends");
        })
    };
    let owned = |text: &str| text.to_owned();
    assert_eq!(lacking("memory"), (Status::MemoryAllocationFailed, owned("no room")));
    assert_eq!(lacking("patience"), (Status::Grpc(Code::ResourceExhausted), owned("no room")));
    let quota = (Status::Grpc(Code::ResourceExhausted), owned("quota of calls used up"));
    assert_eq!(refused(Code::ResourceExhausted, "quota of calls used up"), quota);
    assert_eq!(refused(Code::Unavailable, "not now"), (Status::Grpc(Code::Unavailable), owned("not now")));
    assert_eq!(
        refused(Code::Unimplemented, ""),
        (Status::Grpc(Code::Unimplemented), owned("the ingress has no route to this function"))
    );
    assert_eq!(refused(Code::Unimplemented, "what?"), (Status::Grpc(Code::Unimplemented), owned("what?")));
    assert_eq!(refused(Code::Ok, "").0, Status::Grpc(Code::Internal));
}

#[test]
fn a_gateways_text_is_kept_with_its_http_status() {
    // As recorded in reference/knative/grpc-through-knative.md: plain text, where a gRPC client expects frames.
    let gateway = |status: StatusCode, text: &'static str| {
        outcome_of(move |_, mut respond: Answer| {
            let mut body = respond.send_response(head(status, "text/plain"), false).expect("sends");
            body.send_data(Bytes::from_static(text.as_bytes()), true).expect("sends");
        })
    };
    let cases = [
        (StatusCode::BAD_GATEWAY, "unexpected EOF"),
        (StatusCode::SERVICE_UNAVAILABLE, "pending request queue full"),
        (StatusCode::GATEWAY_TIMEOUT, "activator request timeout"),
    ];
    for (status, text) in cases {
        assert_eq!(gateway(status, text), (Status::Http(status.as_u16()), text.to_owned()));
    }
}

#[test]
fn garbage_is_no_reply() {
    let garbage = |data: &'static [u8]| {
        outcome_of(move |_, respond| {
            answer_with(respond, head(StatusCode::OK, "application/grpc"), Bytes::from_static(data), Code::Ok);
        })
    };
    for data in [&b""[..], b"\x00\x00", b"\x01\x00\x00\x00\x00", b"\x00\x00\x00\x00\x09x", b"\x00\x00\x00\x00\x01\xff"]
    {
        let (status, error) = garbage(data);
        assert_eq!(status, Status::Grpc(Code::Internal));
        assert!(error.starts_with("the reply is not one of faas.Executor: "), "{error}");
    }
}

#[test]
fn a_reset_stream_has_the_code_that_grpc_gives_it() {
    let reset = |reason| outcome_of(move |_, mut respond: Answer| respond.send_reset(reason)).0;
    assert_eq!(reset(h2::Reason::REFUSED_STREAM), Status::Grpc(Code::Unavailable));
    assert_eq!(reset(h2::Reason::INTERNAL_ERROR), Status::Grpc(Code::Internal));
    assert_eq!(reset(h2::Reason::ENHANCE_YOUR_CALM), Status::Grpc(Code::ResourceExhausted));
}

#[test]
fn a_function_that_never_answers_times_out_from_the_send() {
    // The stream is kept, or dropping it would reset it.
    let kept: Rc<std::cell::RefCell<Vec<(Asked, Answer)>>> = Rc::default();
    let keep = Rc::clone(&kept);
    with_server(
        move |request, respond| keep.borrow_mut().push((request, respond)),
        async |invoker, route| {
            let call = Call { function_timeout: Duration::from_millis(20), ..call() };
            let outcome = invoker.call(&route, call, &Cancellation::default()).await;
            assert_eq!(outcome.status, Status::FunctionTimeout);
            assert_eq!(outcome.error, "no answer within 20ms");
            assert!(outcome.sent.is_some() && outcome.response.is_none());
        },
    );
}

#[test]
fn cancelled_calls_get_the_status_of_the_cancellation() {
    let kept: Rc<std::cell::RefCell<Vec<(Asked, Answer)>>> = Rc::default();
    let keep = Rc::clone(&kept);
    with_server(
        move |request, respond| keep.borrow_mut().push((request, respond)),
        async |invoker, route| {
            let cancellation = Cancellation::default();
            let cancelling = async {
                while kept.borrow().is_empty() {
                    tokio::task::yield_now().await;
                }
                cancellation.cancel(Status::Unfinished);
                cancellation.cancel(Status::Cancelled);
            };
            let (outcome, ()) = tokio::join!(invoker.call(&route, call(), &cancellation), cancelling);
            assert_eq!(outcome.status, Status::Unfinished, "the first status counts");
            assert!(outcome.sent.is_some());
        },
    );
}

#[test]
fn a_port_without_a_listener_is_a_connect_error_and_the_call_was_not_sent() {
    with_server(
        |_, _| {},
        async |invoker, _| {
            // Bound, so that no other process can listen on it either.
            let held = TcpSocket::new_v4().expect("a socket");
            held.bind(([127, 0, 0, 1], 0).into()).expect("a port");
            let unused = held.local_addr().expect("an address");
            let outcome = invoker.call(&route(unused), call(), &Cancellation::default()).await;
            assert_eq!((outcome.status, outcome.sent), (Status::ConnectError, None));
            assert!(outcome.error.contains(&unused.to_string()), "{}", outcome.error);
        },
    );
}

#[test]
fn a_connection_that_died_is_replaced() {
    // The server sends GOAWAY after each answer, as gateways do when they rotate connections.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let route = route(listener.local_addr().expect("an address"));
        let server = spawn_local(async move {
            for _ in 0..3 {
                let (socket, _) = listener.accept().await.expect("a connection");
                let mut connection = h2::server::handshake(socket).await.expect("a handshake");
                let (_, respond) = connection.accept().await.expect("a request").expect("a request");
                answer_with(respond, head(StatusCode::OK, "application/grpc"), reply_frame(), Code::Ok);
                connection.graceful_shutdown();
                while connection.accept().await.is_some() {}
            }
        });
        let invoker = invoker();
        for _ in 0..3 {
            let outcome = invoker.call(&route, call(), &Cancellation::default()).await;
            assert_eq!((outcome.status, outcome.error.as_str()), (Status::Ok, ""));
            assert!(outcome.connect.is_some(), "each needed a new connection");
            // The GOAWAY must have arrived, or the next call would race with it.
            while invoker.connections.open() > 0 {
                tokio::task::yield_now().await;
            }
        }
        server.await.expect("the server ends");
    });
}

#[test]
fn a_connection_that_dies_at_once_fails_no_more_than_the_call_that_it_was_made_for() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let route = route(listener.local_addr().expect("an address"));
        let accepted = Rc::new(std::cell::Cell::new(0));
        let server = spawn_local({
            let accepted = Rc::clone(&accepted);
            async move {
                loop {
                    drop(listener.accept().await.expect("a connection"));
                    accepted.set(accepted.get() + 1);
                }
            }
        });
        let invoker = Rc::new(invoker());
        let calls = (0..200).map(|_| {
            let (invoker, route) = (Rc::clone(&invoker), route.clone());
            spawn_local(async move { invoker.call(&route, call(), &Cancellation::default()).await.status })
        });
        let calls: Vec<_> = calls.collect();
        let mut failed = 0;
        for call in calls {
            let status = call.await.expect("ends");
            failed += usize::from(status == Status::ConnectError);
            // On which step a call finds out is up to the kernel.
            assert!([Status::ConnectError, Status::Grpc(Code::Unavailable)].contains(&status), "{status:?}");
        }
        assert!(failed <= accepted.get(), "{failed} calls by {} connections", accepted.get());
        server.abort();
    });
}

#[test]
fn policies_decide_which_calls_share_a_connection() {
    let answer = |_, respond| answer_with(respond, head(StatusCode::OK, "application/grpc"), reply_frame(), Code::Ok);
    with_server(answer, async |_, one| {
        let address = one.address.clone();
        let two = Route::new(&Endpoint::plain(address, "g.run.local"), Protocol::Faas).expect("an endpoint");
        // By policy: which calls of one, two, one, two, one, two make a connection, and how many are open afterwards.
        for (policy, makes, open) in [
            (Policy::Pooled(1), "x.....", 1),
            (Policy::Pooled(2), "x.....", 2),
            (Policy::PerFunction, "xx....", 2),
            (Policy::PerInvocation, "xxxxxx", 0),
        ] {
            let invoker = invoker_with(policy);
            let mut made = String::new();
            for route in [&one, &two, &one, &two, &one, &two] {
                let outcome = invoker.call(route, call(), &Cancellation::default()).await;
                assert_eq!((outcome.status, outcome.error.as_str()), (Status::Ok, ""));
                made.push(if outcome.connect.is_some() { 'x' } else { '.' });
            }
            assert_eq!(made, makes, "{policy:?}");
            // The second one of a pool is made beside the calls; those of single calls end with them.
            while invoker.connections.open() != open {
                tokio::task::yield_now().await;
            }
        }
    });
}

#[test]
fn what_was_prepared_needs_no_connection_any_more() {
    let answer = |_, respond| answer_with(respond, head(StatusCode::OK, "application/grpc"), reply_frame(), Code::Ok);
    with_server(answer, async |_, route| {
        for (policy, open) in [(Policy::Pooled(3), 3), (Policy::PerFunction, 1), (Policy::PerInvocation, 0)] {
            let invoker = invoker_with(policy);
            // Twice, as for two functions of one address.
            invoker.prepare(&route, Duration::from_secs(60)).await;
            invoker.prepare(&route, Duration::from_secs(60)).await;
            assert_eq!(invoker.connections.open(), open, "{policy:?}");
        }
    });
}

/// A server with a certificate for `name`, signed by itself; the route to it, and the file of the certificate.
async fn secured(name: &str) -> (SocketAddr, tempfile::NamedTempFile, tokio::task::JoinHandle<()>) {
    let signed = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), signed.cert.pem()).expect("writes");
    let key =
        tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let provider = tokio_rustls::rustls::crypto::ring::default_provider();
    let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key);
    let mut config = config.expect("a configuration");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = spawn_local(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            // A client that does not trust the certificate ends the handshake.
            let Ok(socket) = acceptor.accept(socket).await else { continue };
            spawn_local(async move {
                let Ok(mut connection) = h2::server::handshake(socket).await else { return };
                while let Some(Ok((request, respond))) = connection.accept().await {
                    assert_eq!(request.uri().scheme_str(), Some("https"));
                    refuse(respond, Code::Aborted, "as asked");
                }
            });
        }
    });
    (address, file, server)
}

#[test]
fn a_gateway_with_tls_is_trusted_by_its_authority_alone() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let (address, authority, server) = secured("f.run.local").await;
        let (_, stranger, other) = secured("f.run.local").await;
        let mut outcomes = Vec::new();
        for (file, name) in [(&authority, "f.run.local"), (&stranger, "f.run.local"), (&authority, "g.run.local")] {
            let tls = Tls::trusting(Some(file.path())).expect("an authority");
            let endpoint = Endpoint { tls: Some(tls), ..Endpoint::plain(address.to_string(), name) };
            let route = Route::new(&endpoint, Protocol::Faas).expect("an endpoint");
            let outcome = invoker().call(&route, call(), &Cancellation::default()).await;
            outcomes.push((outcome.status.as_str().into_owned(), outcome.error));
        }
        assert_eq!(outcomes[0], ("grpc_ABORTED".to_owned(), "as asked".to_owned()));
        assert_eq!(outcomes[1].0, "connect_error");
        assert!(outcomes[1].1.contains("certificate"), "{outcomes:?}");
        assert!(outcomes[2].0 == "connect_error" && outcomes[2].1.contains("not valid for name"), "{outcomes:?}");
        server.abort();
        other.abort();
    });
    let nothing = tempfile::NamedTempFile::new().expect("a file");
    assert!(Tls::trusting(Some(nothing.path())).is_err());
}
