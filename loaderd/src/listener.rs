//! The ways in: sockets that are listened on, what comes through them, and who that is.

mod accept;
mod connection;
mod socket;
mod tls;

pub use accept::accept;
pub use connection::Connection;
pub use socket::{ListenError, Listener, Security, inherited};
pub use tls::{Alpn, Certificates, Files, TlsError};
