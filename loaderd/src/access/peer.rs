//! The other end of a connection. Pure.

use std::net::SocketAddr;

/// The kind of listener that accepted a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// The Unix socket; the permissions of its file apply.
    Socket {
        /// The peer's user, where the kernel reports it.
        uid: Option<u32>,
    },
    /// TCP on loopback, without TLS.
    Loopback,
    /// TCP with TLS, on any address.
    Tls,
}

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The listener that accepted it.
    pub listener: ListenerKind,
    /// Its address, over TCP.
    pub address: Option<SocketAddr>,
    /// The name (CN) in its verified certificate.
    pub certificate: Option<String>,
}
