//! `/metrics`, and beside it `/healthz` (the process lives) and `/readyz` (the daemon takes runs). HTTP/1.1.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{Metrics, text};
use crate::{
    access::{Guard, Refusal, Role},
    door::{self, Connection, Listener},
};

/// How long a client may take to send its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Most clients at the same time; further ones wait.
const MOST_CLIENTS: usize = 64;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const OLDER: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What is told, and to whom.
#[derive(Debug, Clone)]
pub struct Exposed {
    /// The metrics.
    pub metrics: Metrics,
    /// Whether the daemon takes runs.
    pub ready: watch::Receiver<bool>,
    /// Who may read the metrics.
    pub guard: Guard,
}

/// Serves until `end`.
pub async fn serve(listener: Listener, exposed: Exposed, end: CancellationToken) {
    let (connections, mut accepted) = mpsc::channel(1);
    let serve = async {
        let mut clients = JoinSet::new();
        loop {
            let full = clients.len() >= MOST_CLIENTS;
            tokio::select! {
                () = end.cancelled() => break,
                Some(_) = clients.join_next() => {}
                connection = accepted.recv(), if !full => match connection {
                    Some(Ok(connection)) => {
                        clients.spawn(client(connection, exposed.clone()));
                    }
                    Some(Err(_)) => {}
                    None => break,
                },
            }
        }
        clients.shutdown().await;
    };
    tokio::join!(door::accept(listener, connections, end.clone()), serve);
}

async fn client(connection: Connection, exposed: Exposed) {
    let peer = connection.peer().clone();
    let service = service_fn(|request: Request<Incoming>| {
        let authorization = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        // Whether the daemon lives and is ready is told to everybody.
        let needed = (request.uri().path() == "/metrics").then_some(Role::Read);
        let response = match exposed.guard.admit(&peer, authorization, needed) {
            Ok(_) => answer(&request, &exposed.metrics, &exposed.ready),
            Err(refusal) => refuse(&refusal),
        };
        async move { Ok::<_, Infallible>(response) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    if let Err(error) = server.serve_connection(TokioIo::new(connection), service).await {
        log::debug!("a client of the metrics endpoint went away: {error}");
    }
}

fn refuse(refusal: &Refusal) -> Response<Full<Bytes>> {
    let status = match refusal {
        Refusal::Unknown(_) => StatusCode::UNAUTHORIZED,
        Refusal::NotEnough { .. } => StatusCode::FORBIDDEN,
        Refusal::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
    };
    let mut response = respond(status, PLAIN, format!("{refusal}\n"));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
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
        "/readyz" => respond(
            StatusCode::SERVICE_UNAVAILABLE,
            PLAIN,
            "not now: cleaning up after an earlier process, or shutting down\n",
        ),
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
