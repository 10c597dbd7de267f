//! What a call waits for before it is sent, and how long it may.

use std::time::Duration;

use tokio::time::Instant;

use crate::invoke::{
    outcome::{Failure, Status},
    waited::Waited,
};

/// Until when a call may wait.
#[derive(Debug, Clone, Copy)]
pub(in crate::invoke) struct Deadlines {
    /// For a connection, while none stands.
    pub(in crate::invoke) connect: Instant,
    /// For anything: it is not sent later than that.
    pub(in crate::invoke) send: Instant,
}

/// Why a call that was sent is waited for no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::invoke) enum Unanswered {
    /// It was not answered in time.
    TimedOut,
    /// It was cancelled; its status then.
    Cancelled(Status),
}

/// A call that was not sent.
#[derive(Debug)]
pub(in crate::invoke) struct Unsent {
    pub(in crate::invoke) failure: Failure,
    pub(in crate::invoke) waited: Waited,
}

impl Unsent {
    pub(super) fn new(failure: Failure, waited: Waited) -> Self {
        Self { failure, waited }
    }

    /// A call that was cancelled while it waited. What is left when the run's time to drain is over was never sent.
    pub(in crate::invoke) fn cancelled(status: Status, waited: Waited) -> Self {
        let failure = if status == Status::Unfinished {
            Failure::new(Status::NotSent, format!("{} until the end of the run", waited.cause()))
        } else {
            Failure::new(status, "cancelled before it was sent")
        };
        Self { failure, waited }
    }

    /// A call that could not be sent within `allowed`.
    pub(in crate::invoke) fn late(waited: Waited, allowed: Duration) -> Self {
        let allowed = humantime::format_duration(allowed);
        Self { failure: Failure::new(Status::NotSent, format!("{} for {allowed}", waited.cause())), waited }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsent_call_says_what_it_waited_for() {
        let minute = Duration::from_mins(1);
        let waited = |stream, stream_limit| Waited { stream, stream_limit, ..Waited::default() };
        for (waited, text) in [
            (waited(Some(minute), Some(1)), "no stream was free (the peer allows 1 on a connection) for 1m"),
            (waited(Some(minute), Some(100)), "no stream was free (the peer allows 100 on a connection) for 1m"),
            (waited(Some(minute), None), "the peer's flow control held it back for 1m"),
            (Waited::default(), "there was no connection for 1m"),
        ] {
            let Unsent { failure, .. } = Unsent::late(waited, minute);
            assert_eq!((failure.status, failure.error.as_str()), (Status::NotSent, text));
        }
        let waited = waited(Some(minute), Some(7));
        let drained = Unsent::cancelled(Status::Unfinished, waited).failure;
        assert_eq!(drained.error, "no stream was free (the peer allows 7 on a connection) until the end of the run");
        assert_eq!(drained.status, Status::NotSent);
        assert_eq!(Unsent::cancelled(Status::Cancelled, waited).failure.status, Status::Cancelled);
    }
}
