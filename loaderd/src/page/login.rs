//! Sessions: a token or a one-time code is exchanged for a cookie.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    response::{Html, IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, header};
use loader_report::live;

use super::{
    cookie,
    gate::{self, Asked},
    handles::Inner,
};
use crate::access::{Credentials, Digest, ListenerKind, Peer, Refusal, Role};

/// Opens a session.
pub(super) async fn begin(
    State(page): State<Arc<Inner>>,
    Extension(peer): Extension<Peer>,
    Extension(Asked(authority)): Extension<Asked>,
    form: Bytes,
) -> Response {
    let now = page.clock.now();
    let credentials = match secret(&form) {
        Some(Secret::Token(token)) => {
            Ok(Credentials { peer: peer.clone(), token: Some(Digest::of(token.trim().as_bytes())) })
        }
        Some(Secret::Code(code)) => {
            let held = page.sessions.redeem(code.as_bytes(), now);
            held.ok_or(Refusal::Unknown("this address was used before, or is too old"))
        }
        None => Err(Refusal::Unknown("a token is missing")),
    };
    let admitted = credentials.and_then(|credentials| {
        let caller = page.guard.admit_holder(&credentials, &peer, Role::Read)?;
        Ok((caller, credentials))
    });
    let from = peer.address.map_or_else(|| "?".to_owned(), |address| address.ip().to_string());
    let (caller, credentials) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            log::warn!(CLIENT = "?", METHOD = "page", WAY = from.as_str(); "refused: a session of the page by {from}: {refusal}");
            return gate::refuse(&refusal);
        }
    };
    match page.sessions.open(credentials, &caller.name, now) {
        Ok(value) => {
            log::info!("{} reads the page by {from}", caller.name);
            with_cookie(&cookie::set(&authority, &value, peer.listener == ListenerKind::Tls))
        }
        Err(full) => (StatusCode::SERVICE_UNAVAILABLE, Html(live::login(&format!("{full}.")))).into_response(),
    }
}

/// Ends a session.
pub(super) async fn end(
    State(page): State<Arc<Inner>>,
    Extension(peer): Extension<Peer>,
    Extension(Asked(authority)): Extension<Asked>,
    headers: HeaderMap,
) -> Response {
    if let Some(value) = cookie::value(&headers, &authority) {
        page.sessions.end(value);
    }
    with_cookie(&cookie::remove(&authority, peer.listener == ListenerKind::Tls))
}

/// Sends the browser to the page, with a cookie.
fn with_cookie(line: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/"), (header::SET_COOKIE, line)]).into_response()
}

/// What is exchanged.
enum Secret {
    Token(String),
    Code(String),
}

fn secret(form: &[u8]) -> Option<Secret> {
    form_urlencoded::parse(form).find_map(|(name, value)| match &*name {
        "token" => Some(Secret::Token(value.into_owned())),
        "code" => Some(Secret::Code(value.into_owned())),
        _ => None,
    })
}
