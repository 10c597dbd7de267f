//! The endpoint on a real socket, asked by a client that speaks HTTP by hand.

use std::{net::SocketAddr, num::NonZeroU32};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;
use crate::{
    access::{Digest, Policy, Token},
    door::Secured,
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
    let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)), Secured::Plain).await.expect("binds");
    let address = listener.address();
    (listener, address.trim_start_matches("http://").parse().expect("an address"))
}

#[tokio::test]
async fn metrics_are_for_those_who_may_and_health_is_for_all() {
    let (listener, address) = listener().await;
    let policy = Policy {
        loopback: None,
        tokens: vec![Token { name: "board".to_owned(), role: Role::Read, digest: Digest::of(b"secret") }],
        ..Policy::default()
    };
    let guard = Guard::new(policy, NonZeroU32::MAX);
    let (_tell, ready) = watch::channel(true);
    let end = CancellationToken::new();
    let client = async {
        assert!(ask(address, "GET /metrics").await.starts_with("HTTP/1.1 403"));
        let with = |token: &str| ask_for(address, "GET /metrics", "*/*", Some(token.to_owned()));
        assert!(with("wrong").await.starts_with("HTTP/1.1 401"));
        assert!(with("secret").await.starts_with("HTTP/1.1 200"));
        assert!(ask(address, "GET /healthz").await.starts_with("HTTP/1.1 200"));
        end.cancel();
    };
    tokio::join!(serve(listener, Exposed { metrics: Metrics::new(), ready, guard }, end.clone()), client);
}

#[tokio::test]
async fn it_tells_metrics_health_and_readiness() {
    let (listener, address) = listener().await;
    let metrics = Metrics::new();
    metrics.runs_queued(3);
    let (tell, ready) = watch::channel(true);
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
        tell.send_replace(false);
        assert!(ask(address, "GET /readyz").await.starts_with("HTTP/1.1 503"));
        assert!(ask(address, "GET /healthz").await.starts_with("HTTP/1.1 200"));
        assert!(ask(address, "POST /metrics").await.starts_with("HTTP/1.1 405"));
        assert!(ask(address, "GET /").await.starts_with("HTTP/1.1 404"));
        end.cancel();
    };
    let guard = Guard::new(Policy::default(), NonZeroU32::MAX);
    tokio::join!(serve(listener, Exposed { metrics, ready, guard }, end.clone()), client);
}
