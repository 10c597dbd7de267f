//! What an invocation waited for before it could be sent.

use std::time::Duration;

use tokio::time::Instant;

use super::sending::Sending;

/// How long a call waited before it could be sent, by what it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Waited {
    /// For a connection; absent when one stood.
    pub(super) connect: Option<Duration>,
    /// For a free stream or for flow control; absent when there was no wait.
    pub(super) stream: Option<Duration>,
    /// The limit of streams that it waited for.
    pub(super) stream_limit: Option<u32>,
}

impl Waited {
    /// The send at that instant, after the wait.
    pub(super) fn sending(&self, at: Instant) -> Sending {
        let Self { connect, stream, stream_limit } = *self;
        Sending { at, connect, stream_wait: stream, stream_limit }
    }

    /// What was waited for, as the beginning of a sentence.
    pub(super) fn cause(&self) -> String {
        match (self.stream, self.stream_limit) {
            (Some(_), Some(1)) => "no stream was free (the peer allows 1 on a connection)".to_owned(),
            (Some(_), Some(limit)) => format!("no stream was free (the peer allows {limit} on a connection)"),
            (Some(_), None) => "the peer's flow control held it back".to_owned(),
            (None, _) => "there was no connection".to_owned(),
        }
    }
}
