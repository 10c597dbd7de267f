//! Kourier's gateway: HTTP/2 without TLS, told apart by `:authority`, with the answers of `grpc-through-knative.md`.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    header::{CONTENT_TYPE, HeaderValue, SERVER},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::{
    Shared,
    function::{Body, NoPlace, Place},
};

/// What Envoy's SETTINGS say: `timelines/h2-settings.txt`.
const MAX_CONCURRENT_STREAMS: u32 = 1024;

/// Serves until its task is ended.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Small frames shall not wait for each other.
        let _without = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(answer(&shared, request).await) }
            });
            let connection = http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
                .serve_connection(TokioIo::new(stream), service);
            // The peer may go at any time.
            let _ended = connection.await;
        });
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let authority = request.uri().authority().map(|it| it.host().to_owned()).unwrap_or_default();
    let Some(function) = shared.function_of(&authority) else { return no_route() };
    let mut place = match function.place().await {
        Ok(place) => place,
        Err(NoPlace::NoRoute) => return no_route(),
        Err(NoPlace::Late) => return text(StatusCode::GATEWAY_TIMEOUT, "activator request timeout"),
    };
    let (mut parts, body) = request.into_parts();
    if place.waited {
        parts.headers.insert("k-proxy-request", HeaderValue::from_static("activator"));
    }
    match place.connection.send_request(Request::from_parts(parts, body.boxed())).await {
        Ok(answered) => {
            let (mut parts, body) = answered.into_parts();
            parts.headers.insert(SERVER, HeaderValue::from_static("envoy"));
            Response::from_parts(parts, Held { body, _place: place }.boxed())
        }
        // The function's process died.
        Err(_) => text(StatusCode::BAD_GATEWAY, "unexpected EOF"),
    }
}

/// Headers only, `grpc-status` 12, no message.
fn no_route() -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from_static("12"));
    headers.insert(SERVER, HeaderValue::from_static("envoy"));
    response
}

fn text(status: StatusCode, words: &'static str) -> Response<Body> {
    let body = Full::new(Bytes::from_static(words.as_bytes())).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(SERVER, HeaderValue::from_static("envoy"));
    response
}

/// An answer that holds its place until it was read, or nobody wants it any more.
struct Held {
    body: Incoming,
    _place: Place,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
