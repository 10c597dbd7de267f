//! Listeners: sockets, TLS, the connections that they accept, and the peers of those.

mod accept;
mod connection;
mod deadlines;
mod places;
mod socket;
mod tls;
mod validity;

pub use accept::accept;
pub use connection::{Accepted, Connection};
pub use deadlines::{OpenRequest, Requests};
pub use places::Bounds;
pub use socket::{ListenError, Listener, Security, inherited};
pub use tls::{Alpn, Certificates, Files, TlsError};
