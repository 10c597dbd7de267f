//! The ways in: sockets that are listened on, what comes through them, and who that is.

mod accept;
mod connection;
mod listener;
mod tls;

pub use accept::accept;
pub use connection::Connection;
pub use listener::{ListenError, Listener, Secured, inherited};
pub use tls::{Certificates, Files, Speaks, TlsError};
