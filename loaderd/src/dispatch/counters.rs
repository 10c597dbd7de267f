//! What is counted while a run's invocations are dispatched. Written by pacer and workers, read for progress and metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::SlotOutcome;

/// Counts of a run under way.
#[derive(Debug, Default)]
pub struct Counters {
    due: AtomicU64,
    issued: AtomicU64,
    in_flight: AtomicU64,
    returned: AtomicU64,
    failed: AtomicU64,
}

impl Counters {
    /// Invocations that have come due.
    pub fn due(&self) -> u64 {
        self.due.load(Ordering::Relaxed)
    }

    /// Invocations that were handed to a worker.
    pub fn issued(&self) -> u64 {
        self.issued.load(Ordering::Relaxed)
    }

    /// Number of invocations that were sent and have not ended.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn came_due(&self) {
        self.due.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn handed_out(&self) {
        self.issued.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// An invocation has ended; one that `counts` in its slot is reported to the plan.
    pub(super) fn ended(&self, counts: bool, succeeded: bool) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if counts {
            self.failed.fetch_add(u64::from(!succeeded), Ordering::Relaxed);
            self.returned.fetch_add(1, Ordering::Release);
        }
    }

    /// The outcome of the slot whose time is over; the next one starts from zero.
    pub(super) fn close(&self, slot: u32, shortfall: u64) -> SlotOutcome {
        let returned = self.returned.swap(0, Ordering::Acquire);
        SlotOutcome { slot, returned, failed: self.failed.swap(0, Ordering::Relaxed), shortfall }
    }
}
