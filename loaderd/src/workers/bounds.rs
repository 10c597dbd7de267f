//! Bounds and times of a coordinator and its workers.

use std::time::Duration;

/// Batches of a worker that the coordinator has and has not taken yet; it reads no more of that worker meanwhile. A worker that sends
/// no more than these ahead of an acknowledgement is always heard.
pub const WINDOW: usize = 8;

/// Largest message of a worker: a batch, compressed.
pub(super) const MAX_MESSAGE: usize = 4 << 20;

/// Batches that are decoded at the same time, over all workers.
pub const DECODED: usize = 8;

/// Streams of a worker's connection: its work, a comparison of clocks, two files of the trace.
pub(super) const MOST_STREAMS: u32 = 4;

/// Connections beyond two for each worker.
pub(super) const SPARE_CONNECTIONS: usize = 16;

/// How long a worker may take to say who it is, once its stream is open.
pub(super) const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest piece of a file of a trace.
pub(super) const PIECE: usize = 256 << 10;

/// Messages to a worker that wait to be sent; one that reads none is cut off, and comes back.
pub(super) const TO_WORKER: usize = 64;

/// Events that wait for the recorder; beyond them no batch is taken.
pub const MOST_PENDING: usize = 1 << 15;

/// Events that the recorder is handed at once.
pub(super) const HANDED: usize = 256;

/// Steps of a fill-in that are made at once.
pub(super) const STEPS: usize = 1 << 14;

/// From the sum of a slot's outcomes to the begin of the next slot, beside the longest round trip.
pub(super) const LEAD: Duration = Duration::from_millis(10);

/// From everything being ready to t0, at least.
pub(super) const START_LEAD: Duration = Duration::from_secs(1);

/// How long workers may hand over what they have recorded, once a run is ended early.
pub(super) const HAND_OVER: Duration = Duration::from_secs(10);

/// The least silence of a worker that counts as its loss.
const LEAST_LOST: Duration = Duration::from_secs(3);

/// When a worker counts as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// How often the coordinator looks.
    pub tick: Duration,
    /// Nothing was heard of it for so long: it is suspect.
    pub suspect: Duration,
    /// Nothing was heard of it for so long: it is lost.
    pub lost: Duration,
}

impl Times {
    /// Those of workers that give up by themselves when they hear nothing for `orphan_timeout`: of one that does, nothing more is to
    /// be waited for. It reports each second, so that less than a few tells nothing.
    pub fn of(orphan_timeout: Duration) -> Self {
        let Self { tick, suspect, lost } = Self::default();
        let lost = lost.min(orphan_timeout.max(LEAST_LOST));
        Self { tick, suspect: suspect.min(lost / 2), lost }
    }
}

impl Default for Times {
    fn default() -> Self {
        Self { tick: Duration::from_millis(100), suspect: Duration::from_secs(5), lost: Duration::from_secs(30) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_lost_no_later_than_it_gives_up() {
        let of = |orphan_timeout| {
            let Times { suspect, lost, .. } = Times::of(Duration::from_secs(orphan_timeout));
            (suspect.as_millis(), lost.as_secs())
        };
        assert_eq!(
            [1, 3, 4, 10, 30, 600].map(of),
            [(1500, 3), (1500, 3), (2000, 4), (5000, 10), (5000, 30), (5000, 30)]
        );
    }
}
