//! Messages to workers.

use loader_proto::worker::{Acknowledged, Dismissed, EndCalls, Start, work_response::Message as To};
use tokio::time::Instant;

use crate::{clock::Anchor, invoke::Status, units};

/// The load begins.
pub(super) fn start(t0: Anchor, origin: Instant) -> To {
    let t0_clock_ns = units::nanos(t0.instant.saturating_duration_since(origin));
    To::Start(Start { t0_clock_ns, t0_unix_us: t0.unix.0 })
}

/// What is in flight ends.
pub(super) fn end_calls(status: Status) -> To {
    To::EndCalls(EndCalls { status: status.as_str().into_owned() })
}

/// The process ends.
pub(super) fn dismissed(reason: String) -> To {
    To::Dismissed(Dismissed { reason })
}

/// Batches were taken, up to this one.
pub(super) fn acknowledged(next_batch: u64) -> To {
    To::Acknowledged(Acknowledged { next_batch })
}
