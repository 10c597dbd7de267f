//! What is counted while a run's invocations are dispatched. Written by pacer and workers, read for progress and metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::plan::Offset;

/// Counts of a run under way.
#[derive(Debug, Default)]
pub struct Counters {
    due: AtomicU64,
    issued: AtomicU64,
    /// When the last of them was due, nanoseconds after t0.
    last_due: AtomicU64,
    in_flight: AtomicU64,
    memory_mib: AtomicU64,
    /// Whether the pacer waits until nothing is in flight.
    idle_awaited: AtomicBool,
    idle: Notify,
}

impl Counters {
    /// Invocations that have come due.
    pub fn due(&self) -> u64 {
        self.due.load(Ordering::Relaxed)
    }

    /// When the last invocation was due that has come due: all before it are handed out, or will not be sent.
    pub fn last_due(&self) -> Offset {
        Offset::from_nanos(self.last_due.load(Ordering::Relaxed))
    }

    /// Invocations that were handed to a worker.
    pub fn issued(&self) -> u64 {
        self.issued.load(Ordering::Relaxed)
    }

    /// Number of invocations that were sent and have not ended.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Memory that the invocations in flight asked for, in MiB.
    pub fn memory_in_flight_mib(&self) -> u64 {
        self.memory_mib.load(Ordering::Relaxed)
    }

    /// Takes the counts of a load that is sent elsewhere.
    pub fn reported(&self, due: u64, issued: u64, in_flight: u64, memory_mib: u64) {
        // Each count only grows, whatever order reports come in.
        self.due.fetch_max(due, Ordering::Relaxed);
        self.issued.fetch_max(issued, Ordering::Relaxed);
        self.in_flight.store(in_flight, Ordering::SeqCst);
        self.memory_mib.store(memory_mib, Ordering::Relaxed);
    }

    pub(super) fn came_due(&self, due: Offset) {
        self.last_due.store(due.as_nanos(), Ordering::Relaxed);
        self.due.fetch_add(1, Ordering::Relaxed);
    }

    /// An invocation that asks for this much memory was handed to a worker; returns the memory in flight with it, in MiB.
    pub(super) fn handed_out(&self, memory_mib: u32) -> u64 {
        self.issued.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let more = u64::from(memory_mib);
        self.memory_mib.fetch_add(more, Ordering::Relaxed) + more
    }

    /// An invocation that asked for this much memory has ended, and is counted wherever it counts.
    pub(super) fn ended(&self, memory_mib: u32) {
        self.memory_mib.fetch_sub(memory_mib.into(), Ordering::Relaxed);
        // In one order with the flag: either this sees that the pacer waits, or the pacer sees that nothing is in flight.
        if self.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.idle_awaited.load(Ordering::SeqCst) {
            self.idle.notify_one();
        }
    }

    /// Waits until nothing is in flight. Only one task may.
    pub(super) async fn idle(&self) {
        self.idle_awaited.store(true, Ordering::SeqCst);
        while self.in_flight() > 0 {
            self.idle.notified().await;
        }
        self.idle_awaited.store(false, Ordering::SeqCst);
    }
}
