//! Transports: connections, the streams on them, and what a peer speaks.
//!
//! A worker has one pool of connections for each HTTP version. Both share connections by the same [`Policy`], and both hand
//! out one that can take a request at once; what is asked over it and how the answer is read is the protocol's affair.
//!
//! ```text
//! Connections::ready ─▶ Ready::send ─▶ Pending::read ─▶ Received
//! ```

mod answer;
mod dial;
mod http1;
mod http2;
mod peer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::{Route, outcome::Failure, protocol::Exchange};
use crate::{clock::Clock, endpoint::HttpVersion};
pub(super) use answer::Received;

/// How many connections there are, over all workers.
#[derive(Debug, Clone, Default)]
pub struct ConnectionCount {
    open: Arc<AtomicU64>,
    connecting: Arc<AtomicU64>,
}

impl ConnectionCount {
    /// Connections that stand.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Connections that are being made.
    pub fn connecting(&self) -> u64 {
        self.connecting.load(Ordering::Relaxed)
    }
}

/// Counts one while it lives.
struct Counted(Arc<AtomicU64>);

impl Counted {
    fn new(counter: &Arc<AtomicU64>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who shares a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// All calls to an address share connections. Of HTTP/2 there are so many, at least one; of HTTP/1.1, where a connection
    /// takes one call at a time, there are as many as calls in flight need, and so many are made ahead.
    Pooled(usize),
    /// Each function has connections of its own: one of HTTP/2; as many as its calls in flight need of HTTP/1.1.
    PerFunction,
    /// Each call makes its own connection, which ends with it.
    PerInvocation,
}

/// What both pools need to make connections.
#[derive(Debug, Clone)]
struct Setup {
    policy: Policy,
    /// Owns the tasks that serve connections.
    drivers: TaskTracker,
    count: ConnectionCount,
    clock: Clock,
}

impl Setup {
    /// Who shares connections with the calls to `route`, and how many there are from the start; nobody where each call has
    /// its own.
    fn shared_by<'a>(&self, route: &'a Route) -> Option<(&'a String, usize)> {
        match self.policy {
            // With TLS a function has a certificate of its own, and so a connection.
            Policy::Pooled(_) if route.tls.is_some() => Some((&route.function, 1)),
            Policy::Pooled(count) => Some((&route.address, count.max(1))),
            Policy::PerFunction => Some((&route.function, 1)),
            Policy::PerInvocation => None,
        }
    }
}

/// A ready connection, and how long this caller waited for it to be made.
pub(super) struct Connected {
    pub(super) ready: Ready,
    /// Absent when a connection was there.
    pub(super) connect: Option<Duration>,
}

/// A connection that has room for one more call.
pub(super) enum Ready {
    Http1(http1::Ready),
    Http2(http2::Ready),
}

impl Ready {
    /// Puts a request on the wire.
    pub(super) fn send(self, head: Request<()>, body: Bytes) -> Result<Pending, Failure> {
        match self {
            Self::Http1(ready) => Ok(Pending::Http1(ready.send(head, body))),
            Self::Http2(ready) => ready.send(head, body).map(Pending::Http2),
        }
    }
}

/// A request that is out.
pub(super) enum Pending {
    Http1(http1::Pending),
    Http2(http2::Pending),
}

impl Pending {
    /// Waits for the answer and reads as much of it as the protocol wants.
    pub(super) async fn read(self, exchange: &dyn Exchange) -> Received {
        match self {
            Self::Http1(pending) => pending.read(exchange).await,
            Self::Http2(pending) => pending.read(exchange).await,
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

    /// Connections that stand.
    #[cfg(test)]
    pub(super) fn open(&self) -> u64 {
        self.count.open()
    }

    /// Makes the connections that calls to `route` will share, where they are not there yet.
    pub(super) async fn prepare(&self, route: &Route, deadline: Instant) {
        match route.exchange.version() {
            HttpVersion::Http1 => self.http1.prepare(route, deadline).await,
            HttpVersion::Http2 => self.http2.prepare(route, deadline).await,
        }
    }

    /// A connection to `route` with room for one more call. Over HTTP/2 it waits while the peer allows no further stream:
    /// that wait is the loader's own lateness, and has no deadline but the run's.
    pub(super) async fn ready(&self, route: &Route, deadline: Instant) -> Result<Connected, Failure> {
        match route.exchange.version() {
            HttpVersion::Http1 => {
                let (ready, connect) = self.http1.ready(route, deadline).await?;
                Ok(Connected { ready: Ready::Http1(ready), connect })
            }
            HttpVersion::Http2 => {
                let (ready, connect) = self.http2.ready(route, deadline).await?;
                Ok(Connected { ready: Ready::Http2(ready), connect })
            }
        }
    }
}
