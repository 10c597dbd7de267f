//! What a slot's own invocations show of the platform, and what it takes to count that.

use std::time::Duration;

/// The longest time that an invocation is given for its answer before a slot is judged, unless the spec sets another.
pub(super) const LONGEST_VERDICT: Duration = Duration::from_mins(1);

/// What a plan judges its slots by. Counting begins with the slot, and ends when all it asked for has had its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judging {
    /// The first part of a slot, which is not judged.
    pub warmup: Duration,
    /// How long after its send an invocation counts as failed, if it was not answered.
    pub verdict: Duration,
    /// How long the load waits between slots for what is in flight; absent: it does not wait, and a slot is judged at the end
    /// of the next one.
    pub drain: Option<Duration>,
    /// The response time from the due instant that is accepted; absent without an objective.
    pub slo: Option<Duration>,
    /// An invocation is sent in time when it is at most this late.
    pub lag: Duration,
}

impl Judging {
    /// The longest wait between two slots: what is in flight drains, and each invocation has its time.
    pub fn longest_wait(&self) -> Option<Duration> {
        self.drain.map(|drain| drain.max(self.verdict))
    }
}

/// What a slot's own invocations show. All counts but those of the backlog are of the invocations due in its measured part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SlotEvidence {
    /// Number of the slot, from 0.
    pub slot: u32,
    /// Its target rate, in invocations per second.
    pub rate: f64,
    /// Invocations that were to be due.
    pub planned: u64,
    /// Of those, the ones that were sent in time, or that the peer refused a connection.
    pub in_time: u64,
    /// The others, by who was to blame.
    pub late: Late,
    /// Invocations that succeeded in the time that they were given.
    pub succeeded: u64,
    /// Of those, the ones within the objective's response time from their due instant; absent without an objective.
    pub within_slo: Option<u64>,
    /// The backlog.
    pub backlog: Backlog,
}

/// Invocations that were not sent in time, by what delayed them most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Late {
    /// The loader itself, or its bounds of what is in flight.
    pub loader: u64,
    /// The peer's limit of streams, or its flow control.
    pub streams: u64,
    /// Connections.
    pub connections: u64,
    /// The peer's limit of streams on a connection, if one was met.
    pub stream_limit: Option<u32>,
}

/// What was in flight in the measured part of a slot, its warm-up's invocations among it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Backlog {
    /// Of earlier slots, in flight when the slot began.
    pub inherited: u64,
    /// Invocations sent in the measured part.
    pub sent: u64,
    /// Answers that arrived in it.
    pub answered: u64,
    /// The number in flight at instants that are [`Backlog::every`] apart.
    pub in_flight: Vec<u64>,
    /// How far apart these instants are.
    pub every: Duration,
}
