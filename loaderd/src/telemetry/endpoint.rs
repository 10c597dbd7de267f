//! `/metrics`, and beside it `/healthz` (the process lives) and `/readyz` (the daemon takes runs). HTTP/1.1.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{Metrics, text};

/// How long a client may take to send its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Most clients at the same time; further ones wait to be accepted.
const MOST_CLIENTS: usize = 64;

/// After a failed accept, such as for want of file descriptors.
const RETRY: Duration = Duration::from_millis(100);

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const OLDER: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Serves until `end`.
pub async fn serve(listener: TcpListener, metrics: Metrics, ready: watch::Receiver<bool>, end: CancellationToken) {
    let mut clients = JoinSet::new();
    loop {
        let full = clients.len() >= MOST_CLIENTS;
        tokio::select! {
            () = end.cancelled() => break,
            Some(_) = clients.join_next() => {}
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, _)) => {
                    clients.spawn(client(stream, metrics.clone(), ready.clone()));
                }
                Err(error) => {
                    log::warn!("the metrics endpoint cannot accept: {error}");
                    tokio::time::sleep(RETRY).await;
                }
            },
        }
    }
    clients.shutdown().await;
}

async fn client(stream: TcpStream, metrics: Metrics, ready: watch::Receiver<bool>) {
    let service = service_fn(|request| {
        let response = answer(&request, &metrics, &ready);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        log::debug!("a client of the metrics endpoint went away: {error}");
    }
}

fn answer(request: &Request<Incoming>, metrics: &Metrics, ready: &watch::Receiver<bool>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return respond(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET\n");
    }
    match request.uri().path() {
        "/metrics" if takes_open_metrics(request.headers()) => respond(StatusCode::OK, OPEN_METRICS, metrics.encode()),
        "/metrics" => respond(StatusCode::OK, OLDER, text::from_open_metrics(&metrics.encode())),
        "/healthz" => respond(StatusCode::OK, PLAIN, "ok\n"),
        "/readyz" if *ready.borrow() => respond(StatusCode::OK, PLAIN, "ok\n"),
        "/readyz" => respond(StatusCode::SERVICE_UNAVAILABLE, PLAIN, "shutting down\n"),
        _ => respond(StatusCode::NOT_FOUND, PLAIN, "try /metrics, /healthz or /readyz\n"),
    }
}

/// Whether the client asks for OpenMetrics, as Prometheus does.
fn takes_open_metrics(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| kind.trim_start().starts_with("application/openmetrics-text"))
}

fn respond(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests;
