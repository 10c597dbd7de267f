//! What every request passes: authentication, authorization, and an audit line for each change.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, Response, header};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use super::status;
use crate::{
    access::{Caller, Guard, ListenerKind, Peer, Refusal, Role, needed},
    id::RunId,
};

/// The run that a request changed, which the service puts into its response's extensions.
#[derive(Debug, Clone)]
pub(super) struct Changed(pub(super) RunId);

/// Puts a [`Gate`] before a service.
#[derive(Debug, Clone)]
pub(super) struct GateLayer(pub(super) Guard);

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { inner, guard: self.0.clone() }
    }
}

/// A service behind a gate.
#[derive(Debug, Clone)]
pub(super) struct Gate<S> {
    inner: S,
    guard: Guard,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let (needed, peer) = (needed(&path), request.extensions().get::<Peer>().cloned());
        let admitted = match &peer {
            Some(peer) => admit(&self.guard, peer, request.headers(), needed),
            // Every connection has one.
            None => Err(Refusal::Unknown("the connection has no peer")),
        };
        let caller = match admitted {
            Ok(caller) => caller,
            Err(refusal) => {
                let (method, origin) = (method(&path), origin(peer.as_ref()));
                log::warn!(METHOD = method, WAY = origin.as_str(); "refused: {method} by {origin}: {refusal}");
                let refused = status::refused(&refusal).into_http();
                return Box::pin(async move { Ok(refused) });
            }
        };
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        request.extensions_mut().insert(caller.clone());
        Box::pin(async move {
            let answered = inner.call(request).await?;
            if needed.is_some_and(|role| role > Role::Read) {
                audit(&caller, peer.as_ref(), method(&path), &answered);
            }
            Ok(answered)
        })
    }
}

fn admit(guard: &Guard, peer: &Peer, headers: &HeaderMap, needed: Option<Role>) -> Result<Caller, Refusal> {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    guard.admit(peer, authorization, needed)
}

/// The name of a method, for the log.
fn method(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) { name } else { "unknown" }
}

/// Where a request comes from, for the log.
fn origin(peer: Option<&Peer>) -> String {
    match peer {
        Some(Peer { listener: ListenerKind::Socket { .. }, .. }) => "the Unix socket".to_owned(),
        Some(Peer { address: Some(address), .. }) => address.ip().to_string(),
        Some(Peer { address: None, .. }) | None => "?".to_owned(),
    }
}

/// Logs who changed what. A stream is logged when it begins, so that its code is that of its start.
fn audit(caller: &Caller, peer: Option<&Peer>, method: &str, answer: &Response<Body>) {
    let code = Status::from_header_map(answer.headers()).map_or(tonic::Code::Ok, |status| status.code());
    let (client, origin, code) = (caller.name.as_str(), origin(peer), format!("{code:?}"));
    match answer.extensions().get::<Changed>() {
        Some(Changed(run)) => log::info!(
            RUN_ID = run.as_str(), CLIENT = client, METHOD = method, CODE = code.as_str();
            "audit: {client} by {origin}: {method}: {code}"
        ),
        None => log::info!(
            CLIENT = client, METHOD = method, CODE = code.as_str();
            "audit: {client} by {origin}: {method}: {code}"
        ),
    }
}
