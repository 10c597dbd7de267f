//! The server with its routes on a real socket, and a client that writes its requests byte by byte.

use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    access::{Digest, Guard, Policy, Role, Token},
    listener::{Listener, Security},
    metrics::Metrics,
};

async fn ask(address: SocketAddr, request: &str) -> String {
    ask_for(address, request, "*/*", None).await
}

async fn ask_for(address: SocketAddr, request: &str, accept: &str, token: Option<String>) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let bearer = token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"));
    let request = format!("{request} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\n{bearer}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads");
    answer
}

async fn listener() -> (Listener, SocketAddr) {
    let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)), Security::Plain).await.expect("binds");
    let address = listener.address();
    (listener, address.trim_start_matches("http://").parse().expect("an address"))
}

#[tokio::test]
async fn metrics_need_a_role_and_health_does_not() {
    let (listener, address) = listener().await;
    let policy = Policy {
        loopback: None,
        tokens: vec![Token { name: "dashboard".to_owned(), role: Role::Read, digest: Digest::of(b"secret") }],
        ..Policy::default()
    };
    let guard = Guard::new(policy, NonZeroU32::MAX);
    let (_sender, ready) = watch::channel(true);
    let end = CancellationToken::new();
    let client = async {
        assert!(ask(address, "GET /metrics").await.starts_with("HTTP/1.1 403"));
        let with = |token: &str| ask_for(address, "GET /metrics", "*/*", Some(token.to_owned()));
        assert!(with("wrong").await.starts_with("HTTP/1.1 401"));
        assert!(with("wrong").await.contains("\r\nwww-authenticate: Bearer\r\n"));
        assert!(ask(address, "POST /metrics").await.starts_with("HTTP/1.1 403"));
        assert!(with("secret").await.starts_with("HTTP/1.1 200"));
        assert!(ask(address, "GET /healthz").await.starts_with("HTTP/1.1 200"));
        end.cancel();
    };
    tokio::join!(serve(listener, router(Exposed { metrics: Metrics::new(), ready, guard }), end.clone()), client);
}

#[tokio::test]
async fn it_serves_metrics_health_and_readiness() {
    let (listener, address) = listener().await;
    let metrics = Metrics::new();
    metrics.runs_queued(3);
    let (sender, ready) = watch::channel(true);
    let end = CancellationToken::new();
    let client = async {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5";
        let answer = ask_for(address, "GET /metrics", prometheus, None).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0"), "{answer}");
        assert!(answer.contains("\nloader_runs_queued 3\n"), "{answer}");
        assert!(answer.ends_with("# EOF\n"), "{answer}");
        let answer = ask(address, "GET /metrics").await;
        assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
        assert!(answer.contains("\n# TYPE loader_runs_total counter\n"), "{answer}");
        assert!(!answer.contains("# EOF"), "{answer}");
        assert!(ask(address, "GET /healthz").await.starts_with("HTTP/1.1 200"));
        assert!(ask(address, "GET /readyz").await.starts_with("HTTP/1.1 200"));
        sender.send_replace(false);
        assert!(ask(address, "GET /readyz").await.starts_with("HTTP/1.1 503"));
        assert!(ask(address, "GET /healthz").await.starts_with("HTTP/1.1 200"));
        assert!(ask(address, "POST /metrics").await.starts_with("HTTP/1.1 405"));
        assert!(ask(address, "GET /").await.starts_with("HTTP/1.1 404"));
        end.cancel();
    };
    let guard = Guard::new(Policy::default(), NonZeroU32::MAX);
    tokio::join!(serve(listener, router(Exposed { metrics, ready, guard }), end.clone()), client);
}

/// Serves every caller on loopback, and gives `client` the address.
async fn serving(client: impl AsyncFnOnce(SocketAddr)) {
    let (listener, address) = listener().await;
    let (_sender, ready) = watch::channel(true);
    let guard = Guard::new(Policy::default(), NonZeroU32::MAX);
    let end = CancellationToken::new();
    let client = async {
        client(address).await;
        end.cancel();
    };
    tokio::join!(serve(listener, router(Exposed { metrics: Metrics::new(), ready, guard }), end.clone()), client);
}

#[tokio::test]
async fn methods_and_paths_get_their_status() {
    serving(async |address| {
        for (request, status, body) in [
            ("GET /healthz", "200 OK", "ok\n"),
            ("GET /healthz?verbose=1", "200 OK", "ok\n"),
            ("HEAD /healthz", "200 OK", ""),
            ("POST /healthz", "405 Method Not Allowed", "only GET\n"),
            ("DELETE /nowhere", "405 Method Not Allowed", "only GET\n"),
            ("HEAD /nowhere", "404 Not Found", ""),
            ("GET /metrics/", "404 Not Found", "try /metrics, /healthz or /readyz\n"),
        ] {
            let answer = ask(address, request).await;
            let (head, answered) = answer.split_once("\r\n\r\n").expect("a head and a body");
            assert_eq!((head.lines().next(), answered), (Some(&*format!("HTTP/1.1 {status}")), body), "{request}");
            assert!(head.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{request}: {head}");
        }
        let head = ask(address, "HEAD /metrics").await;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        assert!(length.parse::<u64>().expect("a number") > 1000 && head.ends_with("\r\n\r\n"), "{head}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn idle_clients_are_disconnected() {
    serving(async |address| {
        for sent in ["", "GET /healthz HTTP/1.1\r\nhost:", "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            stream.write_all(sent.as_bytes()).await.expect("writes");
            let mut answer = Vec::new();
            let closed = stream.read_to_end(&mut answer);
            tokio::pin!(closed);
            assert!(timeout(Duration::from_secs(9), &mut closed).await.is_err(), "{sent:?}: closed too early");
            let closed = timeout(Duration::from_secs(3), closed).await.expect("is closed in time");
            closed.expect("is closed in an orderly way");
        }
    })
    .await;
}

#[tokio::test]
async fn the_size_of_headers_is_limited() {
    serving(async |address| {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(20_000));
        stream.write_all(request.as_bytes()).await.expect("writes");
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.expect("answers");
        assert_eq!(&status, b"HTTP/1.1 431");
    })
    .await;
}

#[tokio::test]
async fn clients_above_the_limit_are_turned_away() {
    serving(async |address| {
        let mut idle = Vec::new();
        for _ in 0..server::BOUNDS.each {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("writes");
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.expect("answers");
            idle.push(stream);
        }
        let mut above = TcpStream::connect(address).await.expect("connects");
        let read = above.read(&mut [0; 12]).await;
        assert!(read.is_err() || read.is_ok_and(|bytes| bytes == 0), "served above the limit");
        drop(idle);
        // The server notices when it next reads from one of them.
        while !asked(address).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Whether a new client is served.
async fn asked(address: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let mut status = [0; 12];
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.is_ok()
        && stream.read_exact(&mut status).await.is_ok()
}

#[tokio::test]
async fn a_client_that_never_reads_is_dropped_and_others_are_served() {
    serving(async |address| {
        let mut deaf = TcpStream::connect(address).await.expect("connects");
        let requests = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
        // Until the server reads no more, as nobody reads its answers.
        while timeout(Duration::from_secs(1), deaf.write_all(&requests)).await.is_ok_and(|wrote| wrote.is_ok()) {}
        tokio::time::pause();
        let closed = async { while deaf.write_all(&requests).await.is_ok() {} };
        timeout(Duration::from_secs(300), closed).await.expect("is closed");
        tokio::time::resume();
        assert!(asked(address).await);
    })
    .await;
}
