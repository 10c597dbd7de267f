//! The send of a call, as those learn of it who can't wait for its outcome.

use std::time::Duration;

use tokio::time::Instant;

/// When a call was sent, and what it waited for before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// When it was sent.
    pub at: Instant,
    /// How long it waited for a connection; absent when one was open.
    pub connect: Option<Duration>,
    /// How long it waited for a free stream or for flow control; absent when it did not wait.
    pub stream_wait: Option<Duration>,
    /// The peer's limit of concurrent streams, if it waited for that.
    pub stream_limit: Option<u32>,
}
