//! The invoker against servers of plain HTTP, and against servers that speak something else.

use std::{cell::RefCell, convert::Infallible};

use http::Version;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use loader_proto::v1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::{
    endpoint::HttpVersion,
    plan,
    spec::{Defaults, FunctionProtocol},
};

/// A route to `address` by plain HTTP, in the default form.
fn plain(address: SocketAddr, version: HttpVersion) -> Route {
    plain_with(&address.to_string(), version, v1::HttpRequest::default())
}

/// A route to `address` by plain HTTP, with that request.
pub(super) fn plain_with(address: &str, version: HttpVersion, request: v1::HttpRequest) -> Route {
    let name = if version == HttpVersion::Http1 { "http1" } else { "http2" };
    let function = v1::FunctionSpec { protocol: name.to_owned(), http: Some(request), ..Default::default() };
    let message = v1::RunSpec {
        function: Some(function),
        mode: Some(v1::run_spec::Mode::Burst(v1::BurstMode::default())),
        ..Default::default()
    };
    let spec = plan::validate(&message, &Defaults { platform: "local".to_owned() }).expect("a spec").run;
    let FunctionProtocol::Http(found, _) = &spec.protocol else { panic!("it was asked for") };
    assert_eq!(*found, version);
    let endpoint = Endpoint::plain(address, "f.run.local");
    Route::new(&endpoint, Protocol::of(spec.kind, &spec.protocol, "f")).expect("a route")
}

/// Runs a test with a listener on this machine.
fn on_loopback<T>(test: impl AsyncFnOnce(TcpListener, SocketAddr) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        test(listener, address).await
    })
}

/// One request as a server received it.
#[derive(Debug, Clone, PartialEq)]
struct Received {
    version: Version,
    line: String,
    host: String,
    asked: [String; 3],
}

/// Serves both versions of HTTP, and keeps the requests; a request for 666 ms is answered with 503.
async fn serve(listener: TcpListener, received: Rc<RefCell<Vec<Received>>>, connections: Rc<std::cell::Cell<u32>>) {
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        connections.set(connections.get() + 1);
        let received = Rc::clone(&received);
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let header = |name: &str| {
                let value = request.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
                value.unwrap_or_default()
            };
            let host = request.uri().host().map_or_else(|| header("host"), str::to_owned);
            let asked = ["function", "requested_cpu", "requested_memory"].map(header);
            let refused = asked[1] == "666";
            let line = format!("{} {}", request.method(), request.uri().path());
            received.borrow_mut().push(Received { version: request.version(), line, host, asked });
            let body = if refused { "not now" } else { r#"{"MachineName":"node-7","ExecutionTime":7001}"# };
            let status = if refused { 503 } else { 200 };
            let response = Response::builder().status(status).body(Full::new(Bytes::from_static(body.as_bytes())));
            async move { Ok::<_, Infallible>(response.expect("a response")) }
        });
        spawn_local(async move {
            let builder = hyper_util::server::conn::auto::Builder::new(LocalExecutor);
            let _ended = builder.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// Runs futures that stay on this thread.
#[derive(Clone)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        spawn_local(async move {
            let _ended = future.await;
        });
    }
}

#[test]
fn a_plain_request_asks_as_invitro_does_over_either_version() {
    for (version, expected) in [(HttpVersion::Http1, Version::HTTP_11), (HttpVersion::Http2, Version::HTTP_2)] {
        on_loopback(async |listener, address| {
            let (received, connections) = (Rc::default(), Rc::default());
            let server = spawn_local(serve(listener, Rc::clone(&received), Rc::clone(&connections)));
            let (invoker, route) = (invoker(), plain(address, version));
            for first in [true, false] {
                let outcome = invoker.call(&route, call(), &Cancellation::default()).await;
                assert_eq!((outcome.status, outcome.error.as_str()), (Status::Ok, ""));
                assert_eq!((outcome.runtime_us, outcome.instance.as_str()), (Some(7001), "node-7"));
                assert_eq!(outcome.response_bytes, Some(45));
                assert_eq!(outcome.connect.is_some(), first, "the second call found the connection");
                assert!(outcome.sent.is_some() && outcome.response.is_some());
            }
            let asked = ["f", "7", "3"].map(str::to_owned);
            let line = "POST /".to_owned();
            let one = Received { version: expected, line, host: "f.run.local".to_owned(), asked };
            assert_eq!(*received.borrow(), [one.clone(), one]);
            let refused = Call { runtime_ms: 666, ..call() };
            let outcome = invoker.call(&route, refused, &Cancellation::default()).await;
            assert_eq!((outcome.status, outcome.error.as_str()), (Status::Http(503), "not now"));
            assert_eq!((outcome.response_bytes, connections.get()), (Some(7), 1));
            server.abort();
        });
    }
}

/// Answers each request over HTTP/1.1 once `calls` are there, and so shows that none waits for another one.
async fn answer_together(listener: TcpListener, calls: usize) {
    let mut sockets = Vec::new();
    while sockets.len() < calls {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        read_head(&mut socket).await;
        sockets.push(socket);
    }
    for socket in &mut sockets {
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.expect("sends");
    }
    // They stay open, and are taken again.
    for socket in &mut sockets {
        read_head(socket).await;
        socket.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await.expect("sends");
    }
}

async fn read_head(socket: &mut tokio::net::TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.expect("a request"));
    }
}

#[test]
fn calls_in_flight_over_http1_have_a_connection_each_however_many_they_are() {
    const CALLS: usize = 50;
    on_loopback(async |listener, address| {
        let server = spawn_local(answer_together(listener, CALLS));
        let (invoker, route) = (Rc::new(invoker()), plain(address, HttpVersion::Http1));
        for round in 0..2 {
            let calls = (0..CALLS).map(|_| {
                let (invoker, route) = (Rc::clone(&invoker), route.clone());
                spawn_local(async move { invoker.call(&route, call(), &Cancellation::default()).await })
            });
            for outcome in calls.collect::<Vec<_>>() {
                let outcome = outcome.await.expect("ends");
                assert_eq!((outcome.status, outcome.error.as_str()), (Status::Ok, ""));
                assert_eq!(outcome.connect.is_some(), round == 0);
            }
        }
        server.await.expect("the server ends");
        // All were closed by their peer.
        while invoker.connections.open() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn policies_hold_for_http1() {
    on_loopback(async |listener, address| {
        let server = spawn_local(serve(listener, Rc::default(), Rc::default()));
        for (policy, made, prepared) in [
            (Policy::Pooled(2), [false; 3], 2),
            (Policy::PerFunction, [false; 3], 1),
            (Policy::PerInvocation, [true; 3], 0),
        ] {
            let (invoker, route) = (invoker_with(policy), plain(address, HttpVersion::Http1));
            invoker.prepare(&route, Duration::from_secs(60)).await;
            assert_eq!(invoker.connections.open(), prepared, "{policy:?}");
            for made in made {
                let outcome = invoker.call(&route, call(), &Cancellation::default()).await;
                assert_eq!((outcome.status, outcome.connect.is_some()), (Status::Ok, made), "{policy:?}");
            }
            while invoker.connections.open() > prepared {
                tokio::task::yield_now().await;
            }
        }
        server.abort();
    });
}

/// The outcome of a call by `route` to a server that reads a little, sends `bytes` and closes.
fn outcome_after(bytes: &'static [u8], route: impl Fn(SocketAddr) -> Route) -> (Status, String) {
    on_loopback(async |listener, address| {
        let server = spawn_local(async move {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let _some = socket.read(&mut [0; 1024]).await;
            let _sent = socket.write_all(bytes).await;
            // What the client sends in the meantime would reset the connection.
            let _ended = socket.shutdown().await;
            let _rest = socket.read_to_end(&mut Vec::new()).await;
        });
        let outcome = invoker().call(&route(address), call(), &Cancellation::default()).await;
        server.await.expect("ends");
        (outcome.status, outcome.error.replace(&address.to_string(), "PEER"))
    })
}

#[test]
fn a_peer_that_speaks_something_else_is_named_as_such() {
    let http1 = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    let alert = b"\x15\x03\x01\x00\x02\x02\x46";
    let settings = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01";
    let over_http1 = |address| plain(address, HttpVersion::Http1);
    let over_http2 = |address| plain(address, HttpVersion::Http2);
    let failed = |what: &str| (Status::ConnectError, format!("PEER: the peer {what}"));
    assert_eq!(outcome_after(http1, route), failed("speaks HTTP/1.1, not HTTP/2"));
    assert_eq!(outcome_after(http1, over_http2), failed("speaks HTTP/1.1, not HTTP/2"));
    assert_eq!(outcome_after(alert, route), failed("speaks TLS; the connection was made without"));
    assert_eq!(outcome_after(alert, over_http1), failed("speaks TLS; the connection was made without"));
    assert_eq!(outcome_after(settings, over_http1), failed("speaks HTTP/2, not HTTP/1.1"));
    let (status, error) = outcome_after(b"", route);
    assert_eq!(status, Status::ConnectError);
    assert!(error.ends_with("; the peer sent nothing: check that it speaks HTTP/2 without TLS"), "{error}");
}

#[test]
fn a_peer_that_answers_and_closes_before_it_has_read_is_named_all_the_same() {
    let server = |listener: TcpListener| async move {
        loop {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let _sent = socket.write_all(b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n").await;
        }
    };
    on_loopback(async |listener, address| {
        let server = spawn_local(server(listener));
        for _ in 0..20 {
            let outcome = invoker().call(&route(address), call(), &Cancellation::default()).await;
            assert_eq!(outcome.error, format!("{address}: the peer speaks HTTP/1.1, not HTTP/2"));
        }
        server.abort();
    });
}

#[test]
fn a_connection_that_breaks_is_a_failure_of_the_call() {
    let over_http1 = |address| plain(address, HttpVersion::Http1);
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nonly"] {
        assert_eq!(outcome_after(bytes, over_http1).0, Status::Grpc(Code::Unavailable));
    }
    assert_eq!(outcome_after(b"SSH-2.0-OpenSSH_9.9\r\n", over_http1).0, Status::Grpc(Code::Internal));
}

#[test]
fn an_answer_over_http1_that_does_not_come_times_out_and_its_connection_is_not_used_again() {
    on_loopback(async |listener, address| {
        let (invoker, route) = (invoker(), plain(address, HttpVersion::Http1));
        let late = Call { function_timeout: Duration::from_millis(20), ..call() };
        let outcome = invoker.call(&route, late, &Cancellation::default()).await;
        assert_eq!((outcome.status, outcome.response), (Status::FunctionTimeout, None));
        while invoker.connections.open() > 0 {
            tokio::task::yield_now().await;
        }
        drop(listener);
    });
}

#[test]
fn http1_over_tls_is_agreed_upon() {
    on_loopback(async |listener, address| {
        let signed = rcgen::generate_simple_self_signed(["f.run.local".to_owned()]).expect("a certificate");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), signed.cert.pem()).expect("writes");
        let key = tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der())
            .expect("a key");
        let provider = tokio_rustls::rustls::crypto::ring::default_provider();
        let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key);
        let mut config = config.expect("a configuration");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
        let server = spawn_local(async move {
            let (socket, _) = listener.accept().await.expect("a connection");
            let mut socket = acceptor.accept(socket).await.expect("a handshake");
            assert_eq!(socket.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            let _some = socket.read(&mut [0; 1024]).await;
            socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("sends");
            socket.flush().await.expect("sends");
            // The client closes.
            let _rest = socket.read_to_end(&mut Vec::new()).await;
        });
        let tls = Tls::trusting(Some(file.path())).expect("an authority");
        let endpoint = Endpoint { tls: Some(tls), ..Endpoint::plain(address.to_string(), "f.run.local") };
        let exchange = plain(address, HttpVersion::Http1).exchange;
        let secured = Route { exchange, ..Route::new(&endpoint, Protocol::Faas).expect("a route") };
        let secured = Route { tls: secured.tls.map(|tls| tls.speaking(HttpVersion::Http1)), ..secured };
        let invoker = invoker();
        let outcome = invoker.call(&secured, call(), &Cancellation::default()).await;
        assert_eq!((outcome.status, outcome.error.as_str(), outcome.response_bytes), (Status::Ok, "", Some(0)));
        drop(invoker);
        server.await.expect("ends");
    });
}
