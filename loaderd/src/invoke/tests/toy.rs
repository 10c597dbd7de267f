//! A protocol that only this file knows goes through route, invoker and both transports: none of them names a protocol. What
//! a real one needs in addition is its line in `protocol/mod.rs`, and its name in a spec.

use std::sync::Arc;

use http::{Request, Uri};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::{
    endpoint::HttpVersion,
    invoke::{
        exchange::{self, Answer, Beyond, Exchange, Head, OwnFields, RequestHead, Wanted},
        outcome::{Failure, Origin, Reply},
    },
};

/// Requests `/toy/<milliseconds>`, and expects `<microseconds> <instance>` or a complaint.
#[derive(Debug)]
struct Toy {
    version: HttpVersion,
    endpoint: Endpoint,
}

impl Exchange for Toy {
    fn version(&self) -> HttpVersion {
        self.version
    }

    fn request(&self, call: &Call) -> exchange::Asked {
        let uri: Uri = self.endpoint.uri(&format!("/toy/{}", call.runtime_ms)).expect("a URI");
        let head = RequestHead::Own(Box::new(Request::get(uri).body(()).expect("a request")));
        exchange::Asked { head, own: OwnFields::new(), body: Bytes::new() }
    }

    fn wanted(&self, _head: Head<'_>) -> Wanted {
        Wanted::Body { keep: 64, beyond: Beyond::Refused, trailers: false }
    }

    fn reply(&self, answer: Answer<'_>) -> Result<Reply, Failure> {
        let body = String::from_utf8(answer.body?.to_vec()).expect("text");
        let Some((micros, instance)) = body.split_once(' ') else {
            return Err(Failure::new(Status::MemoryAllocationFailed, body));
        };
        let origin = Origin { instance: instance.to_owned(), ..Origin::default() };
        Ok(Reply { runtime_us: micros.parse().ok(), memory_kib: None, origin })
    }
}

fn toy_route(address: &str, version: HttpVersion) -> Route {
    let endpoint = Endpoint::plain(address, "f.run.local");
    Route::with_exchange(&endpoint, Arc::new(Toy { version, endpoint: endpoint.clone() })).expect("a route")
}

/// The answer of a function that speaks the toy protocol.
fn answer_to(path: &str) -> &'static str {
    if path == "/toy/7" { "7001 toy-1" } else { "refused" }
}

/// One call that succeeds and one that fails, and what becomes of them.
async fn check(invoker: &Invoker, route: &Route) {
    let outcome = invoker.call(route, call(), &Cancellation::default()).await;
    let record = outcome.record();
    assert_eq!((&*record.status, &*record.error, &*record.instance), ("ok", "", "toy-1"));
    assert_eq!(
        (record.actual_runtime_us, record.actual_memory_kib, record.response_bytes),
        (Some(7001), None, Some(10))
    );
    let outcome = invoker.call(route, Call { runtime_ms: 8, ..call() }, &Cancellation::default()).await;
    assert_eq!((outcome.status, outcome.error.as_str()), (Status::MemoryAllocationFailed, "refused"));
    assert_eq!(outcome.connect, None, "the connection is shared");
}

#[test]
fn an_unknown_protocol_is_called_over_http2() {
    let answer = |request: Asked, mut respond: super::Answer| {
        let text = answer_to(request.uri().path());
        let mut body = respond.send_response(head(StatusCode::OK, "text/plain"), false).expect("sends");
        body.send_data(Bytes::from_static(text.as_bytes()), true).expect("sends");
    };
    with_server(answer, async |invoker, known| {
        check(&invoker, &toy_route(&known.address, HttpVersion::Http2)).await;
    });
}

#[test]
fn an_unknown_protocol_is_called_over_http1() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let route = toy_route(&listener.local_addr().expect("an address").to_string(), HttpVersion::Http1);
        let server = spawn_local(async move {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut buffer = [0; 1024];
            loop {
                let read = socket.read(&mut buffer).await.expect("a request");
                let request = std::str::from_utf8(&buffer[..read]).expect("text");
                let Some(path) = request.split(' ').nth(1) else { return };
                let text = answer_to(path);
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
                socket.write_all(answer.as_bytes()).await.expect("sends");
            }
        });
        check(&invoker(), &route).await;
        server.abort();
    });
}
