//! Kourier's gateway: HTTP/2 and HTTP/1.1, with and without TLS, routed by `:authority` or `host`, with the answers of
//! `grpc-through-knative.md`.
//!
//! A roll-out replaces its pods: the old ones wind their connections up and let end what is in flight on them, while new connections
//! are taken by the new ones. HTTP/2 gets GOAWAY; HTTP/1.1 gets `connection: close` with its next answer, as a connection that is
//! closed while a request is on its way loses it. Not recorded: as Envoy's documentation of draining has it.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{
    Request, Response, StatusCode, Version,
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, SERVER, TRANSFER_ENCODING},
    http::{Uri, request::Parts},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Shared, components,
    function::{Body, NoPermit, Permit},
};

/// What Envoy's SETTINGS say: `timelines/h2-settings.txt`.
const MAX_CONCURRENT_STREAMS: u32 = 1024;

/// Serves until its task is ended.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, tls: Option<TlsAcceptor>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Small frames must not wait for each other.
        let _without = stream.set_nodelay(true);
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => speak(stream, shared).await,
                // A client that does not trust the certificate goes.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        speak(stream, shared).await;
                    }
                }
            }
        });
    }
}

/// Serves a connection until it ends, or the pod that it goes to is replaced.
async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let mut rollouts = shared.rollouts.subscribe();
    let gateway = Arc::clone(&shared);
    let (is_http2, winds_up) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (speaks_http2, closes) = (Arc::clone(&is_http2), Arc::clone(&winds_up));
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, closes) = (Arc::clone(&shared), Arc::clone(&closes));
        let http2 = request.version() == Version::HTTP_2;
        speaks_http2.store(http2, Ordering::Relaxed);
        async move {
            let mut answer = answer(&shared, request).await;
            if closes.load(Ordering::Relaxed) && !http2 {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(MAX_CONCURRENT_STREAMS);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // The peer may go at any time.
        _ended = connection.as_mut() => return,
        () = components::goes_away(&gateway, |away| away.gateway) => return,
        _ = rollouts.changed() => {}
    }
    winds_up.store(true, Ordering::Relaxed);
    if is_http2.load(Ordering::Relaxed) {
        connection.as_mut().graceful_shutdown();
    }
    tokio::select! {
        _ended = connection => {}
        () = components::goes_away(&gateway, |away| away.gateway) => {}
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let is_grpc =
        request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    let no_route = || if is_grpc { no_route() } else { text(StatusCode::NOT_FOUND, "") };
    let (mut parts, body) = request.into_parts();
    name_host(&mut parts);
    let authority = parts.uri.authority().map(|it| it.host().to_owned()).unwrap_or_default();
    let Some(function) = shared.function_of(&authority) else { return no_route() };
    let permitted = tokio::select! {
        biased;
        permitted = function.permit() => permitted,
        () = components::goes_away(shared, |away| away.activator) => {
            return text(StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream");
        }
    };
    let mut permit = match permitted {
        Ok(permit) => permit,
        Err(NoPermit::NoRoute) => return no_route(),
        Err(NoPermit::Late) => return text(StatusCode::GATEWAY_TIMEOUT, "activator request timeout"),
    };
    if permit.waited {
        parts.headers.insert("k-proxy-request", HeaderValue::from_static("activator"));
    }
    match permit.connection.send_request(Request::from_parts(parts, body.boxed())).await {
        Ok(answered) => {
            let (mut parts, body) = answered.into_parts();
            parts.headers.insert(SERVER, HeaderValue::from_static("envoy"));
            Response::from_parts(parts, Held { body, _permit: permit }.boxed())
        }
        // The function's process died.
        Err(_) => text(StatusCode::BAD_GATEWAY, "unexpected EOF"),
    }
}

/// Gives a request of HTTP/1.1, which names its host in a header, the form in which it goes on to a pod by HTTP/2.
fn name_host(parts: &mut Parts) {
    let host = parts.headers.remove(HOST).and_then(|host| host.to_str().ok().map(str::to_owned));
    parts.headers.remove(CONNECTION);
    parts.headers.remove(TRANSFER_ENCODING);
    if let (None, Some(host)) = (parts.uri.authority(), host) {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = Uri::builder().scheme("http").authority(host).path_and_query(path).build().unwrap_or_default();
    }
    parts.version = hyper::Version::HTTP_2;
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

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(SERVER, HeaderValue::from_static("envoy"));
    response
}

/// A response that holds its permit until it was read or dropped.
struct Held {
    body: Incoming,
    _permit: Permit,
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
