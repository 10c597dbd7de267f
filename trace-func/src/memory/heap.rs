//! The memory of one invocation, and where it is kept until the next one comes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    arena::{Arena, MIB},
    budget::Reservation,
};

/// Memory that grows and shrinks by whole MiB: a mapping for each, all of them written to.
#[derive(Debug)]
pub(super) struct Heap {
    // In this order: unmapped first, then given back to the budget.
    pages: Vec<Arena>,
    reservation: Reservation,
    /// How much of it is worth keeping, in MiB.
    keep_mib: u64,
}

impl Heap {
    /// One of no size.
    pub(super) fn empty(reservation: Reservation) -> Self {
        Self { pages: Vec::new(), reservation, keep_mib: 0 }
    }

    /// How much there is, in MiB.
    pub(super) fn mib(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Adds what was reserved for it, MiB by MiB, until `abandoned` says that nobody waits any more.
    ///
    /// # Errors
    /// What the kernel says when it refuses a mapping; what was added until then stays.
    pub(super) fn grow(
        &mut self,
        mib: u64,
        reservation: Reservation,
        abandoned: impl Fn() -> bool,
    ) -> std::io::Result<()> {
        self.reservation.absorb(reservation);
        for _ in 0..mib {
            if abandoned() {
                break;
            }
            let mut arena = Arena::map(MIB)?;
            arena.touch();
            self.reservation.touched(MIB);
            self.pages.push(arena);
        }
        Ok(())
    }

    /// Says how much of it is worth keeping, in MiB.
    pub(super) fn keep(&mut self, mib: u64) {
        self.keep_mib = mib;
    }

    /// What is not worth keeping, and what was reserved and not used by an invocation that was abandoned.
    fn part_excess(&mut self) -> Self {
        let keep = usize::try_from(self.keep_mib).unwrap_or(usize::MAX).min(self.pages.len());
        let pages = self.pages.split_off(keep);
        let kept = self.reservation.split(self.mib() * MIB);
        let mut excess = Self { pages, reservation: std::mem::replace(&mut self.reservation, kept), keep_mib: 0 };
        excess.start_return();
        excess
    }

    /// Says that it will be dropped soon.
    pub(super) fn start_return(&mut self) {
        self.reservation.start_return();
    }
}

/// Heaps that wait for an invocation, as many as there once were invocations at the same time.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Heap>>);

impl Pool {
    /// The smallest that is large enough, or the largest.
    pub(super) fn take(&self, mib: u64) -> Option<Heap> {
        let mut heaps = self.heaps();
        let enough = heaps.iter().enumerate().filter(|(_, heap)| heap.mib() >= mib).min_by_key(|(_, heap)| heap.mib());
        let largest = || heaps.iter().enumerate().max_by_key(|(_, heap)| heap.mib());
        let place = enough.or_else(largest)?.0;
        Some(heaps.swap_remove(place))
    }

    /// Keeps one for the next invocation.
    pub(super) fn put(&self, heap: Heap) {
        self.heaps().push(heap);
    }

    /// Gives back what is not worth keeping of those that wait.
    pub(super) fn trim(&self) {
        let excess: Vec<_> = self.heaps().iter_mut().map(Heap::part_excess).collect();
        // Here, where the lock is free again, it is unmapped.
        drop(excess);
    }

    /// Gives back all that wait; whether there were any.
    pub(super) fn clear(&self) -> bool {
        let heaps = std::mem::take(&mut *self.heaps());
        !heaps.is_empty()
    }

    /// Each change to it is one step, so that a panic elsewhere leaves nothing half done.
    fn heaps(&self) -> MutexGuard<'_, Vec<Heap>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
