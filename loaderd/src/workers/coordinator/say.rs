//! Messages to workers.

use loader_proto::worker::{Acknowledged, Dismissed, EndCalls, Start, work_response::Message as To};

use crate::{clock::Anchor, invoke::Status};

/// The load begins.
pub(super) fn start(t0: Anchor, origin: Anchor) -> To {
    let t0_clock_ns = origin.nanos_at(t0.instant);
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
