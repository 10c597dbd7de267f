//! The endpoint on a real socket, asked by a client that speaks HTTP by hand.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

async fn ask(address: std::net::SocketAddr, request: &str) -> String {
    ask_for(address, request, "*/*").await
}

async fn ask_for(address: std::net::SocketAddr, request: &str, accept: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let request = format!("{request} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads");
    answer
}

#[tokio::test]
async fn it_tells_metrics_health_and_readiness() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("has an address");
    let metrics = Metrics::new();
    metrics.runs_queued(3);
    let (tell, ready) = watch::channel(true);
    let end = CancellationToken::new();
    let client = async {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5";
        let answer = ask_for(address, "GET /metrics", prometheus).await;
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
    tokio::join!(serve(listener, metrics, ready, end.clone()), client);
}
