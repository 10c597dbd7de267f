//! Makes calls, and turns what becomes of each into an outcome.

use std::time::Duration;

use tokio::time::timeout_at;

use super::{
    call::Call,
    cancellation::Cancellation,
    outcome::Outcome,
    route::Route,
    sending::Sending,
    transport::{Connected, Connections, Received},
};
use crate::clock::Clock;

/// Makes calls over connections that it shares among them.
pub struct Invoker {
    pub(super) connections: Connections,
    clock: Clock,
}

impl Invoker {
    /// An invoker that calls over `connections`.
    pub fn new(connections: Connections, clock: Clock) -> Self {
        Self { connections, clock }
    }

    /// Makes the connections to `route` that calls will need, so that the first ones find them. Failures show later, in
    /// the calls.
    pub async fn prepare(&self, route: &Route, timeout: Duration) {
        self.connections.prepare(route, self.clock.now() + timeout).await;
    }

    /// Makes one call, unless it is cancelled. Every failure is an outcome.
    pub async fn call(&self, route: &Route, call: Call, cancellation: &Cancellation) -> Outcome {
        self.call_noted(route, call, cancellation, |_| {}).await
    }

    /// The same; `noted` learns of the send at once.
    pub async fn call_noted(
        &self,
        route: &Route,
        call: Call,
        cancellation: &Cancellation,
        noted: impl FnOnce(&Sending),
    ) -> Outcome {
        let deadline = self.clock.now() + call.connect_timeout;
        let connected = tokio::select! {
            connected = self.connections.ready(route, deadline) => connected,
            status = cancellation.cancelled() => return Outcome::bare(status, "cancelled before it was sent"),
        };
        let Connected { ready, connect } = match connected {
            Ok(connected) => connected,
            Err(failure) => return Outcome::unsent(failure),
        };
        let sent = self.clock.now();
        let (head, body) = route.exchange.request(&call);
        let outcome = match ready.send(head, body) {
            Ok(pending) => {
                noted(&Sending { at: sent, connect, stream_wait: None, stream_limit: None });
                tokio::select! {
                    received = timeout_at(sent + call.function_timeout, pending.read(&*route.exchange)) => {
                        let took = self.clock.now().duration_since(sent);
                        match received {
                            Ok(Received { bytes, reply }) => Outcome::answered(reply, bytes, took),
                            Err(_) => Outcome::timed_out(call.function_timeout),
                        }
                    }
                    status = cancellation.cancelled() => Outcome::bare(status, "cancelled before it was answered"),
                }
            }
            Err(failure) => Outcome::unsent(failure),
        };
        Outcome { sent: Some(sent), connect, ..outcome }
    }
}
