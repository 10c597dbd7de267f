//! Transports: connections, the streams on them, and what a peer speaks.
//!
//! A worker has one pool of connections for each HTTP version. Both share connections by the same [`Policy`], and both hand
//! out one that can take a request at once; requests and answers are the protocol's.
//!
//! ```text
//! Connections::ready ─▶ Ready::send ─▶ Pending::read ─▶ Received
//! ```

mod answer;
mod connections;
mod count;
mod dial;
mod http1;
mod http2;
mod peer;
mod sharing;

pub(super) use answer::Received;
pub(super) use connections::Connected;
pub use connections::Connections;
pub use count::ConnectionCount;
pub use sharing::Policy;
