//! The memory of one invocation, and the pool that keeps it for the next one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    budget::Reservation,
    mapping::{MIB, Mapping},
};

/// Memory that grows and shrinks by whole MiB: a mapping for each, all of them written to.
#[derive(Debug)]
pub(super) struct Heap {
    // In this order: unmapped first, then given back to the budget.
    pages: Vec<Mapping>,
    reservation: Reservation,
    /// How much of it to keep for the next invocation, in MiB.
    keep_mib: u64,
}

impl Heap {
    /// A heap without memory.
    pub(super) fn empty(reservation: Reservation) -> Self {
        Self { pages: Vec::new(), reservation, keep_mib: 0 }
    }

    /// Its size in MiB.
    pub(super) fn mib(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Adds what was reserved for it, MiB by MiB, until `cancelled` returns true.
    ///
    /// # Errors
    /// The kernel refused a mapping; what was added until then stays.
    pub(super) fn grow(
        &mut self,
        mib: u64,
        reservation: Reservation,
        cancelled: impl Fn() -> bool,
    ) -> std::io::Result<()> {
        self.reservation.absorb(reservation);
        for _ in 0..mib {
            if cancelled() {
                break;
            }
            let mut mapping = Mapping::map(MIB)?;
            mapping.touch();
            self.reservation.touched(MIB);
            self.pages.push(mapping);
        }
        Ok(())
    }

    /// Sets how much of it to keep, in MiB.
    pub(super) fn keep(&mut self, mib: u64) {
        self.keep_mib = mib;
    }

    /// Splits off what is not kept, and what was reserved and not used by an invocation that was cancelled.
    fn split_excess(&mut self) -> Self {
        let keep = usize::try_from(self.keep_mib).unwrap_or(usize::MAX).min(self.pages.len());
        let pages = self.pages.split_off(keep);
        let kept = self.reservation.split(self.mib() * MIB);
        let mut excess = Self { pages, reservation: std::mem::replace(&mut self.reservation, kept), keep_mib: 0 };
        excess.start_return();
        excess
    }

    /// Announces that it will be dropped soon, so that other reservations wait for its memory.
    pub(super) fn start_return(&mut self) {
        self.reservation.start_return();
    }
}

/// Idle heaps: as many as the greatest number of concurrent invocations so far.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Heap>>);

impl Pool {
    /// The smallest that is large enough, or the largest.
    pub(super) fn take(&self, mib: u64) -> Option<Heap> {
        let mut heaps = self.heaps();
        let enough = heaps.iter().enumerate().filter(|(_, heap)| heap.mib() >= mib).min_by_key(|(_, heap)| heap.mib());
        let largest = || heaps.iter().enumerate().max_by_key(|(_, heap)| heap.mib());
        let index = enough.or_else(largest)?.0;
        Some(heaps.swap_remove(index))
    }

    /// Keeps a heap for the next invocation.
    pub(super) fn put(&self, heap: Heap) {
        self.heaps().push(heap);
    }

    /// Frees what is not kept of the idle heaps.
    pub(super) fn trim(&self) {
        let excess: Vec<_> = self.heaps().iter_mut().map(Heap::split_excess).collect();
        // It is unmapped here, after the lock was released.
        drop(excess);
    }

    /// Frees all idle heaps; returns whether there were any.
    pub(super) fn clear(&self) -> bool {
        let heaps = std::mem::take(&mut *self.heaps());
        !heaps.is_empty()
    }

    /// Each change to it is one step, so that a panic elsewhere leaves nothing half done.
    fn heaps(&self) -> MutexGuard<'_, Vec<Heap>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
