//! Makes calls, and turns what becomes of each into an outcome.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{
    call::Call,
    cancellation::Cancellation,
    outcome::Outcome,
    route::Route,
    sending::Sending,
    transport::{Connections, Deadlines, Pending, Received, Unanswered, Unsent},
    waited::Waited,
};
use crate::clock::Clock;

/// Makes calls over connections that it shares among them.
pub struct Invoker {
    pub(super) connections: Connections,
    clock: Clock,
}

/// A request that is sent as a whole.
struct Sent {
    at: Instant,
    pending: Pending,
    waited: Waited,
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
        let Sent { at, pending, waited } = match self.send(route, &call, cancellation).await {
            Ok(sent) => sent,
            Err(Unsent { failure, waited }) => return Outcome::unsent(failure).after(waited),
        };
        noted(&waited.sending(at));
        let outcome = match pending.read(at + call.function_timeout, cancellation).await {
            Ok(received) => self.answered(at, received),
            Err(Unanswered::TimedOut) => Outcome::timed_out(call.function_timeout),
            Err(Unanswered::Cancelled(status)) => Outcome::bare(status, "cancelled before it was answered"),
        };
        Outcome { sent: Some(at), ..outcome }.after(waited)
    }

    /// Sends a request as soon as there is a connection with a free stream.
    async fn send(&self, route: &Route, call: &Call, cancellation: &Cancellation) -> Result<Sent, Unsent> {
        let begun = self.clock.now();
        let deadlines = Deadlines { connect: begun + call.connect_timeout, send: begun + call.function_timeout };
        let asked = route.exchange.request(call);
        let (ready, waited) = self.connections.ready(route, asked.body.len(), &deadlines, cancellation).await?;
        let at = self.clock.now();
        let pending = ready.send(asked, &route.exchange).map_err(|failure| Unsent { failure, waited })?;
        let sent = Sent { at, pending, waited };
        match sent.pending.is_held() {
            // Boxed, so that calls that are sent at once are small.
            true => Box::pin(self.release(sent, deadlines.send, cancellation)).await,
            false => Ok(sent),
        }
    }

    /// Sends the rest of a request that the peer's flow control holds back. It is sent when that is.
    async fn release(&self, held: Sent, deadline: Instant, cancellation: &Cancellation) -> Result<Sent, Unsent> {
        let Sent { at: begun, pending, waited } = held;
        let released = tokio::select! {
            released = timeout_at(deadline, pending.released()) => Ok(released),
            status = cancellation.cancelled() => Err(status),
        };
        let at = self.clock.now();
        let stream = Some(waited.stream.unwrap_or_default() + at.duration_since(begun));
        let waited = Waited { stream, ..waited };
        match released {
            Ok(Ok(())) => Ok(Sent { at, pending, waited }),
            Ok(Err(_)) => Err(Unsent::late(waited, at.duration_since(begun))),
            Err(status) => Err(Unsent::cancelled(status, waited)),
        }
    }

    /// The outcome of a call that was sent at `sent`. The answer arrived after that, and before now.
    fn answered(&self, sent: Instant, received: Received) -> Outcome {
        let Received { bytes, arrived, reply } = received;
        let completed = self.clock.now();
        let arrived = arrived.unwrap_or(completed).clamp(sent, completed);
        Outcome {
            response: Some(arrived.duration_since(sent)),
            receive_lag: Some(completed.duration_since(arrived)),
            response_bytes: bytes,
            ..Outcome::replied(reply)
        }
    }
}
