//! One invocation over the wire: connection, call, outcome.
//!
//! ```text
//!           Protocol: what is asked, how an answer is read      faas, hello (gRPC), http
//! Invoker ─▶ Route ─┤
//!           Transport: connections, streams, what a peer speaks  HTTP/2, HTTP/1.1
//! ```
//! The client speaks gRPC by hand on top of the `h2` crate: a client library costs more for each call, and turns a gateway's
//! plain 502, 503 or 504 into an error of the function.
//!
//! Everything in this module lives on one thread: a worker owns an [`Invoker`] and all its connections.

mod abandon;
mod outcome;
mod protocol;
mod route;
mod transport;

use std::time::Duration;

use tokio::time::timeout_at;

pub use abandon::Abandon;
pub use outcome::{Outcome, Status};
pub use protocol::Protocol;
pub use route::{BadEndpoint, Route};
pub use transport::{ConnectionCount, Connections, Policy};

use crate::{clock::Clock, spans};
use transport::{Connected, Received};

/// What one invocation asks for, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Run time, in milliseconds.
    pub runtime_ms: u32,
    /// Memory, in MiB.
    pub memory_mib: u32,
    /// The clock that the function shall count the run time by; absent: its own choice.
    pub clock: Option<&'static str>,
    /// The span that the function's work belongs to, where there is one.
    pub span: Option<spans::Context>,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long the answer may take, counted from the send.
    pub function_timeout: Duration,
}

/// Makes calls over connections that it shares among them.
pub struct Invoker {
    connections: Connections,
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

    /// Makes one call, unless it is given up. Every failure is an outcome.
    pub async fn call(&self, route: &Route, call: Call, abandon: &Abandon) -> Outcome {
        let deadline = self.clock.now() + call.connect_timeout;
        let connected = tokio::select! {
            connected = self.connections.ready(route, deadline) => connected,
            status = abandon.given_up() => return Outcome::bare(status, "given up before it was sent"),
        };
        let Connected { ready, connect } = match connected {
            Ok(connected) => connected,
            Err(failure) => return Outcome::unsent(failure),
        };
        let sent = self.clock.now();
        let (head, body) = route.exchange.request(&call);
        let outcome = match ready.send(head, body) {
            Ok(pending) => tokio::select! {
                received = timeout_at(sent + call.function_timeout, pending.read(&*route.exchange)) => {
                    let took = self.clock.now().duration_since(sent);
                    match received {
                        Ok(Received { bytes, reply }) => Outcome::answered(reply, bytes, took),
                        Err(_) => Outcome::timed_out(call.function_timeout),
                    }
                }
                status = abandon.given_up() => Outcome::bare(status, "no answer until then"),
            },
            Err(failure) => Outcome::unsent(failure),
        };
        Outcome { sent: Some(sent), connect, ..outcome }
    }
}

#[cfg(test)]
mod tests;
