//! What a request passes before it is answered: where it may come from, and who may read.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    middleware::Next,
    response::{Html, IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header, uri::Authority};
use loader_report::live;

use super::{cookie, handles::Inner, origin::Foreign};
use crate::access::{Caller, Credentials, Peer, Refusal, Role};

/// The authority that a request asks for, which is this daemon's.
#[derive(Debug, Clone)]
pub(super) struct Asked(pub(super) Authority);

/// Who reads.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    pub(super) caller: Caller,
    pub(super) credentials: Credentials,
    /// The cookie of its session, where it has one.
    pub(super) session: Option<Vec<u8>>,
}

/// Middleware: passes on what may come from where it comes from.
pub(super) async fn origin(State(page): State<Arc<Inner>>, mut request: Request, next: Next) -> Response {
    match page.hosts.check(request.uri(), request.headers()) {
        Ok(authority) => {
            request.extensions_mut().insert(Asked(authority));
            next.run(request).await
        }
        Err(foreign) => {
            log::debug!("the page refuses a request: {foreign}");
            let status = match foreign {
                Foreign::Host => StatusCode::MISDIRECTED_REQUEST,
                Foreign::Site => StatusCode::FORBIDDEN,
            };
            (status, Html(live::message("Refused", &format!("{foreign}.")))).into_response()
        }
    }
}

/// Middleware: passes on requests of those who may read: by their session, their token, their certificate, or their listener, as on
/// the control API.
pub(super) async fn reader(
    State(page): State<Arc<Inner>>,
    Extension(peer): Extension<Peer>,
    Extension(Asked(authority)): Extension<Asked>,
    mut request: Request,
    next: Next,
) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let session = cookie::value(request.headers(), &authority).filter(|_| authorization.is_none());
    let session = session.and_then(|value| Some((page.sessions.find(value, page.clock.now())?, value.to_vec())));
    let (credentials, session) = match session {
        Some((credentials, session)) => (Ok(credentials), Some(session)),
        None => (Credentials::of(&peer, authorization), None),
    };
    let admitted = credentials.and_then(|credentials| {
        let caller = page.guard.admit_holder(&credentials, &peer, Role::Read)?;
        Ok(Viewer { caller, credentials, session })
    });
    match admitted {
        Ok(viewer) => {
            request.extensions_mut().insert(viewer);
            next.run(request).await
        }
        Err(refusal) => refuse(&refusal),
    }
}

/// The answer to those who may not read: the login.
pub(super) fn refuse(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Unknown(_) | Refusal::NotEnough { .. } => StatusCode::UNAUTHORIZED,
    };
    let reason = match refusal {
        Refusal::NotEnough { .. } => "This daemon shows its page to those who log in.".to_owned(),
        Refusal::Unknown(_) | Refusal::TooMany { .. } => format!("{refusal}."),
    };
    (status, Html(live::login(&reason))).into_response()
}
