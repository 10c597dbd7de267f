//! Which calls share connections.

use tokio_util::task::TaskTracker;

use super::count::ConnectionCount;
use crate::{
    clock::Clock,
    invoke::route::Route,
    spec::{ConnectionPolicy, Connections},
};

/// Which calls share connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// All calls to an address share connections. With HTTP/2 this many, at least one; with HTTP/1.1, where a connection
    /// takes one call at a time, as many as calls in flight need, and this many are made ahead.
    Pooled(usize),
    /// Each function has connections of its own: one of HTTP/2; as many as its calls in flight need of HTTP/1.1.
    PerFunction,
    /// Each call makes its own connection, which ends with it.
    PerInvocation,
}

impl Policy {
    /// As a spec has it; `pooled` connections to each address where it leaves their number to the daemon.
    pub fn of(connections: &Connections, pooled: usize) -> Self {
        match connections.policy {
            ConnectionPolicy::Pooled => Self::Pooled(connections.per_address.map_or(pooled, |count| count as usize)),
            ConnectionPolicy::PerFunction => Self::PerFunction,
            ConnectionPolicy::PerInvocation => Self::PerInvocation,
        }
    }
}

/// What both pools need to make connections.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) policy: Policy,
    /// Owns the tasks that serve connections.
    pub(super) drivers: TaskTracker,
    pub(super) count: ConnectionCount,
    pub(super) clock: Clock,
}

impl Setup {
    /// The key by which calls to `route` share connections, and how many are made ahead; absent where each call has its own.
    pub(super) fn shared_by<'a>(&self, route: &'a Route) -> Option<(&'a String, usize)> {
        match self.policy {
            // With TLS a function has a certificate of its own, and so a connection.
            Policy::Pooled(_) if route.tls.is_some() => Some((&route.function, 1)),
            Policy::Pooled(count) => Some((&route.address, count.max(1))),
            Policy::PerFunction => Some((&route.function, 1)),
            Policy::PerInvocation => None,
        }
    }
}
