//! One invocation over the wire: connection, call, outcome.
//!
//! ```text
//!           Protocol: builds requests, reads answers           faas, hello (gRPC), http
//! Invoker ─▶ Route ─┤
//!           Transport: connections, streams, what a peer speaks  HTTP/2, HTTP/1.1
//! ```
//! The client implements gRPC and HTTP/2 itself: a client library costs more for each call, and turns a gateway's plain 502, 503
//! or 504 into an error of the function.
//!
//! Everything in this module lives on one thread: a worker owns an [`Invoker`] and all its connections.

mod call;
mod cancellation;
mod exchange;
mod invoker;
mod outcome;
mod protocol;
mod route;
mod sending;
mod transport;
mod waited;

pub use call::Call;
pub use cancellation::Cancellation;
pub use invoker::Invoker;
pub use outcome::{Outcome, Status};
pub use protocol::Protocol;
pub use route::{BadEndpoint, Route};
pub use sending::Sending;
#[cfg(any(test, fuzzing))]
pub(crate) use transport::peer_bytes;
pub use transport::{ConnectionCount, Connections, Policy};

#[cfg(test)]
mod tests;
