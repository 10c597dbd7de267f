//! The routes and the roles that they need.

use axum::{
    Router,
    extract::State,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, Method, StatusCode, header};
use tokio::sync::watch;

use super::access::{self, Access};
use crate::{
    access::{Guard, Role},
    metrics::{Metrics, TextFormat},
};

/// What is served, and to whom.
#[derive(Debug, Clone)]
pub struct Exposed {
    /// The metrics that `/metrics` exports.
    pub metrics: Metrics,
    /// Whether the daemon accepts runs.
    pub ready: watch::Receiver<bool>,
    /// Who may read the metrics.
    pub guard: Guard,
}

/// All routes. A route needs a role, unless its response is not confidential.
pub fn router(exposed: Exposed) -> Router {
    let Exposed { metrics, ready, guard } = exposed;
    let needs = |needed| middleware::from_fn_with_state(Access { guard: guard.clone(), needed }, access::check);
    let readers = Router::new()
        .route("/metrics", get(self::metrics))
        .method_not_allowed_fallback(only_get)
        .layer(needs(Some(Role::Read)))
        .with_state(metrics);
    // Orchestrators and load balancers that probe the daemon have no token.
    let public = Router::new()
        .route("/healthz", get("ok\n"))
        .route("/readyz", get(readiness))
        .fallback(not_found)
        .method_not_allowed_fallback(only_get)
        .layer(needs(None))
        .with_state(ready);
    readers.merge(public)
}

async fn metrics(State(metrics): State<Metrics>, headers: HeaderMap) -> impl IntoResponse {
    let format = if accepts_open_metrics(&headers) { TextFormat::OpenMetrics } else { TextFormat::Prometheus };
    ([(header::CONTENT_TYPE, format.media_type())], metrics.encode_as(format))
}

/// Whether the client accepts OpenMetrics, as Prometheus does.
fn accepts_open_metrics(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| kind.trim_start().starts_with("application/openmetrics-text"))
}

async fn readiness(State(ready): State<watch::Receiver<bool>>) -> (StatusCode, &'static str) {
    if *ready.borrow() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready: cleaning up after an earlier process, or shutting down\n")
    }
}

async fn only_get() -> (StatusCode, &'static str) {
    (StatusCode::METHOD_NOT_ALLOWED, "only GET\n")
}

async fn not_found(method: Method) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return only_get().await.into_response();
    }
    (StatusCode::NOT_FOUND, "try /metrics, /healthz or /readyz\n").into_response()
}
