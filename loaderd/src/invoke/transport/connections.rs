//! The connections of one worker, of both HTTP versions.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::{
    answer::Received,
    count::ConnectionCount,
    http1, http2,
    sharing::{Policy, Setup},
    wait::{Deadlines, Unanswered, Unsent},
};
use crate::{
    clock::Clock,
    endpoint::HttpVersion,
    invoke::{
        cancellation::Cancellation,
        exchange::{Asked, Exchange},
        outcome::Failure,
        route::Route,
        waited::Waited,
    },
};

/// A connection that has room for one more call.
pub(in crate::invoke) enum Ready {
    Http1(http1::Ready),
    Http2(http2::Ready),
}

impl Ready {
    /// Puts a request on the wire.
    pub(in crate::invoke) fn send(self, asked: Asked, exchange: &Arc<dyn Exchange>) -> Result<Pending, Failure> {
        match self {
            Self::Http1(ready) => Ok(Pending::Http1(ready.send(asked, exchange))),
            Self::Http2(ready) => ready.send(&asked, exchange).map(Pending::Http2),
        }
    }
}

/// A request in flight.
pub(in crate::invoke) enum Pending {
    Http1(http1::Pending),
    Http2(http2::Pending),
}

impl Pending {
    /// Whether the peer's flow control holds a part of it back.
    pub(in crate::invoke) fn is_held(&self) -> bool {
        match self {
            Self::Http1(_) => false,
            Self::Http2(pending) => pending.is_held(),
        }
    }

    /// Waits until the peer's flow control has let that part go.
    pub(in crate::invoke) async fn released(&self) {
        if let Self::Http2(pending) = self {
            pending.released().await;
        }
    }

    /// Waits for the answer and reads as much of it as the protocol wants, until then at the latest. The cancellation is the one
    /// that the connection was asked for with.
    pub(in crate::invoke) async fn read(
        self,
        until: Instant,
        cancellation: &Cancellation,
    ) -> Result<Received, Unanswered> {
        match self {
            Self::Http1(pending) => Box::pin(pending.read(until, cancellation)).await,
            Self::Http2(pending) => pending.read(until).await,
        }
    }
}

/// All connections of one worker.
pub struct Connections {
    http1: http1::Pool,
    http2: http2::Pool,
    #[cfg(test)]
    count: ConnectionCount,
}

impl Connections {
    /// Connections that are shared by `policy`; `drivers` owns the tasks that serve them.
    pub fn new(policy: Policy, drivers: TaskTracker, count: ConnectionCount, clock: Clock) -> Self {
        let setup = Setup { policy, drivers, count, clock };
        Self {
            #[cfg(test)]
            count: setup.count.clone(),
            http1: http1::Pool::new(setup.clone()),
            http2: http2::Pool::new(setup),
        }
    }

    /// Number of established connections.
    #[cfg(test)]
    pub(in crate::invoke) fn open(&self) -> u64 {
        self.count.open()
    }

    /// Makes the connections that calls to `route` will share, unless they exist.
    pub(in crate::invoke) async fn prepare(&self, route: &Route, deadline: Instant) {
        match route.exchange.version() {
            HttpVersion::Http1 => self.http1.prepare(route, deadline).await,
            HttpVersion::Http2 => self.http2.prepare(route, deadline).await,
        }
    }

    /// A connection to `route` with room for a request with a body of so many bytes, and what the call waited for.
    pub(in crate::invoke) async fn ready(
        &self,
        route: &Route,
        bytes: usize,
        deadlines: &Deadlines,
        cancellation: &Cancellation,
    ) -> Result<(Ready, Waited), Unsent> {
        match route.exchange.version() {
            HttpVersion::Http1 => {
                let (ready, waited) = self.http1.ready(route, deadlines, cancellation).await?;
                Ok((Ready::Http1(ready), waited))
            }
            HttpVersion::Http2 => {
                let (ready, waited) = self.http2.ready(route, bytes, deadlines, cancellation).await?;
                Ok((Ready::Http2(ready), waited))
            }
        }
    }
}
