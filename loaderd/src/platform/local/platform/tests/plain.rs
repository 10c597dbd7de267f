//! Plain HTTP/1.1 through the gateway.

use futures_util::FutureExt as _;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::duplex;
use tokio_util::task::AbortOnDropHandle;

use super::*;

#[tokio::test(start_paused = true)]
async fn requests_of_http1_reach_their_function_and_are_refused_in_plain_text() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    bench.deploy(vec![function("f")]).await.unwrap();
    let (near, far) = duplex(256 << 10);
    let gateway = &bench.local.gateway;
    gateway.tasks.spawn(Arc::clone(gateway).serve(far));
    let (mut client, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
    let connection = AbortOnDropHandle::new(gateway.tasks.spawn(connection.map(drop)));
    let known = format!("{}:80", route::authority("f", &run()));
    for (host, path, expected) in [
        (Some(known.as_str()), "/1000", (200, "body")),
        (Some("g.local"), "/0", (404, "")),
        (None, "/0", (404, "")),
        (Some(known.as_str()), "/die", (502, "unexpected EOF")),
        (Some(known.as_str()), "/0", (200, "body")),
    ] {
        let mut request = Request::post(path).header("x-a", "b").header("connection", "keep-alive");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let answer = client.send_request(request.body(Full::<Bytes>::from("body")).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!((head.status.as_u16(), body.as_ref()), (expected.0, expected.1.as_bytes()), "{host:?}{path}");
        assert_eq!(head.headers.get("x-a").is_some(), head.status == 200, "the instance echoes it");
        client.ready().await.unwrap();
    }
    drop((client, connection));
    bench.local.shutdown().await;
}
