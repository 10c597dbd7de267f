//! Admits or refuses requests before they reach their route.

use axum::{
    Extension,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};

use crate::access::{Guard, Peer, Refusal, Role};

/// Who may use a set of routes.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) guard: Guard,
    /// The role that is needed; `None`: no role.
    pub(super) needed: Option<Role>,
}

/// Middleware: passes a request on if the guard admits its peer, which the server puts into its extensions.
pub(super) async fn check(
    State(Access { guard, needed }): State<Access>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    match guard.admit(&peer, authorization, needed) {
        Ok(_) => next.run(request).await,
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Unknown(_) => StatusCode::UNAUTHORIZED,
        Refusal::NotEnough { .. } => StatusCode::FORBIDDEN,
        Refusal::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
    };
    let mut response = (status, format!("{refusal}\n")).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
