//! Transports: connections, the streams on them, and what a peer speaks.
//!
//! A worker has one pool of connections for each HTTP version. Both share connections by the same [`Policy`], and both hand
//! out one that can take a request at once, with what the call waited for; requests and answers are the protocol's. All
//! connections know when the kernel received what was read last.
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
mod stamped;
mod wait;

pub(super) use answer::Received;
pub use connections::Connections;
pub(super) use connections::Pending;
pub use count::ConnectionCount;
#[cfg(any(test, fuzzing))]
pub(crate) use http2::peer_bytes;
pub use sharing::Policy;
pub(super) use wait::{Deadlines, Unanswered, Unsent};
