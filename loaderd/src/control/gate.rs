//! What every request passes: authentication, authorization, and an audit line for each change.
//!
//! A request that may change something is carried to its end, and to its audit line, by a task of the server: its connection may
//! end, and its client may reset it, at any time. A reload that takes a caller's access ends its requests, streams above all.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::FutureExt as _;
use http::{Request, Response, header};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::body::Body;
use tower::{Layer, Service};

use super::{
    answer::{self, Revoked},
    audit::{audit, method, origin},
    permits::Permits,
    status,
};
use crate::{
    access::{Caller, Guard, Most, Peer, Refusal, Role, needed},
    listener::Accepted,
};

/// Whether the client of a request has left: it has reset the request, its connection has ended, or it has lost its access. Each
/// request has one among its extensions.
#[derive(Debug, Clone, Default)]
pub(super) struct Departure(pub(super) CancellationToken);

/// Puts a [`Gate`] before a service.
#[derive(Debug, Clone)]
pub(super) struct GateLayer {
    pub(super) guard: Guard,
    /// The requests that are carried to their end.
    pub(super) carried: TaskTracker,
    /// Bounds their number.
    pub(super) permits: Permits,
}

/// Most requests that are carried to their end at the same time.
const MOST_CARRIED: Most = Most { all: 512, each: 128 };

impl GateLayer {
    /// A gate that `guard` keeps. Clones share their limits.
    pub(super) fn new(guard: Guard) -> Self {
        let permits = Permits::new("requests that change something", MOST_CARRIED);
        Self { guard, carried: TaskTracker::new(), permits }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { inner, guard: self.guard.clone(), carried: self.carried.clone(), permits: self.permits.clone() }
    }
}

/// A service behind a gate.
#[derive(Debug, Clone)]
pub(super) struct Gate<S> {
    inner: S,
    guard: Guard,
    carried: TaskTracker,
    permits: Permits,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let (peer, open) = match request.extensions().get::<Accepted>() {
            Some(Accepted { peer, requests }) => (Some(peer.clone()), Some(requests.begin())),
            None => (None, None),
        };
        let needed = needed(&path);
        let (caller, revoked) = match self.admit(peer.as_ref(), &request, needed) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                let (method, origin) = (method(&path), origin(peer.as_ref()));
                let client = refusal.caller().unwrap_or("?");
                log::warn!(
                    CLIENT = client, METHOD = method, WAY = origin.as_str();
                    "refused: {method} by {origin}: {refusal}"
                );
                let refused = status::refused(&refusal).into_http();
                return Box::pin(async move { Ok(refused) });
            }
        };
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        request.extensions_mut().insert(caller.clone());
        let departure = Departure::default();
        let left = departure.0.clone().drop_guard();
        request.extensions_mut().insert(departure);
        let carried =
            needed.is_some_and(|role| role > Role::Read).then(|| (self.carried.clone(), self.permits.clone()));
        Box::pin(async move {
            // Dropped with this future, when the client leaves before the answer.
            let _left = left;
            let Some((carried, permits)) = carried else {
                let answered = tokio::select! {
                    answered = inner.call(request) => answered?,
                    refusal = revoked.clone() => return Ok(status::refused(&refusal).into_http()),
                };
                return Ok(answer::until(revoked, open, answered));
            };
            let permit = match permits.take(&caller.name) {
                Ok(permit) => permit,
                Err(status) => {
                    let refused = status.into_http();
                    audit(&caller, peer.as_ref(), method(&path), &refused);
                    return Ok(refused);
                }
            };
            let task = carried.spawn(async move {
                let answered = inner.call(request).await?;
                audit(&caller, peer.as_ref(), method(&path), &answered);
                drop(permit);
                Ok(answered)
            });
            let answered = tokio::select! {
                answered = task => answered.unwrap_or_else(|error| Ok(status::broken(&error).into_http()))?,
                // The task goes on.
                refusal = revoked.clone() => return Ok(status::refused(&refusal).into_http()),
            };
            Ok(answer::until(revoked, open, answered))
        })
    }
}

impl<S> Gate<S> {
    /// The caller, if it is allowed to make the request, and when it no longer is.
    fn admit(
        &self,
        peer: Option<&Peer>,
        request: &Request<Body>,
        needed: Option<Role>,
    ) -> Result<(Caller, Revoked), Refusal> {
        // Every connection has one.
        let peer = peer.ok_or(Refusal::Unknown("the connection has no peer"))?;
        let authorization = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
        let caller = self.guard.admit(peer, authorization, needed)?;
        let revoked = self.guard.revoked(peer, authorization, needed);
        let (method, origin) = (method(request.uri().path()).to_owned(), origin(Some(peer)));
        let client = caller.name.clone();
        let logged = revoked.inspect(move |refusal| {
            log::warn!(
                CLIENT = client.as_str(), METHOD = method.as_str(), WAY = origin.as_str();
                "ended: {method} of {client} by {origin}: {refusal}"
            );
        });
        Ok((caller, logged.boxed().shared()))
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, num::NonZeroU32, sync::Arc};

    use futures_util::{FutureExt as _, future::BoxFuture};
    use tokio::sync::{Semaphore, mpsc};

    use super::*;
    use crate::access::{ListenerKind, Policy};

    /// A service that answers once it is let, and tells how its requests ended.
    #[derive(Clone)]
    struct Slow {
        go: Arc<Semaphore>,
        ended: mpsc::Sender<bool>,
    }

    impl Service<Request<Body>> for Slow {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Body>) -> Self::Future {
            let Self { go, ended } = self.clone();
            Box::pin(async move {
                let _permit = go.acquire().await;
                let left = request.extensions().get::<Departure>().is_some_and(|it| it.0.is_cancelled());
                ended.try_send(left).expect("is awaited");
                Ok(Response::default())
            })
        }
    }

    fn request(method: &str) -> Request<Body> {
        let mut request = Request::new(Body::default());
        *request.uri_mut() = format!("/loader.v1.LoaderControl/{method}").parse().expect("a path");
        let peer = Peer { listener: ListenerKind::Loopback, address: None, certificate: None };
        request.extensions_mut().insert(Accepted { peer, requests: crate::listener::Requests::default() });
        request
    }

    #[tokio::test]
    async fn what_changes_something_is_carried_to_its_end_when_its_client_leaves() {
        let (ended, mut ends) = mpsc::channel(16);
        let go = Arc::new(Semaphore::new(0));
        let layer = GateLayer::new(Guard::new(Policy::default(), NonZeroU32::MAX));
        let mut gate = layer.layer(Slow { go: Arc::clone(&go), ended });
        for method in ["SubmitRun", "CancelRun", "DeleteRun", "PinRun", "CleanRuns", "GetRun", "PlanRun"] {
            // Polled once, then dropped, as when the client resets the request.
            assert!(gate.call(request(method)).now_or_never().is_none());
        }
        go.add_permits(1);
        layer.carried.close();
        layer.carried.wait().await;
        drop(gate);
        // What only reads ended with its client.
        let ends: Vec<_> = std::iter::from_fn(|| ends.try_recv().ok()).collect();
        assert_eq!(ends, [true; 5]);
    }
}
