//! The memory that invocations hold.
//!
//! ```text
//! Memory::hold ─▶ Pool::take ─▶ Budget::reserve ─▶ Heap::grow ─▶ Held ─release─▶ Pool::put ─▶ answer ─▶ Pool::trim
//!                                    └── Room: cgroup limits, MemAvailable, RLIMIT_AS
//! ```
//!
//! An instance keeps its memory between invocations, as a warm runtime keeps its heap: an invocation takes what is there,
//! adds what is missing, and leaves it for the next. When it asked for less than half of what there was, the rest goes back
//! to the kernel after its answer. Invocations at the same time have a heap each. When memory gets short, heaps that wait
//! are given back before an invocation is refused. [`Memory::fresh`] keeps nothing.
//!
//! Memory is reserved from one budget before any of it is touched, so that no invocation, alone or with others, gets the
//! process killed for lack of memory.

mod arena;
mod budget;
mod cgroup;
mod error;
mod heap;
mod kernel;
mod room;

use std::{io, sync::Arc};

use arena::{Arena, MIB};
use budget::{Budget, Reservation};
pub use error::MemoryError;
use heap::{Heap, Pool};
use procfs::{FromRead as _, process::StatM};
pub use room::{Bound, Free, Room, SystemRoom};

/// The memory of this instance, which its invocations share.
#[derive(Debug, Clone)]
pub struct Memory {
    budget: Arc<Budget>,
    /// Absent where each invocation has fresh memory.
    pool: Option<Arc<Pool>>,
    most_mib: Option<u32>,
}

impl Memory {
    /// Memory bounded by `room`, kept between invocations.
    pub fn new(room: impl Room + 'static) -> Self {
        Self { budget: Arc::new(Budget::new(Box::new(room))), pool: Some(Arc::default()), most_mib: None }
    }

    /// The same without keeping any.
    #[must_use]
    pub fn fresh(self) -> Self {
        Self { pool: None, ..self }
    }

    /// The same, refusing more than so many MiB for one invocation.
    #[must_use]
    pub fn at_most(self, most_mib: Option<u32>) -> Self {
        Self { most_mib, ..self }
    }

    /// Takes `mib` MiB, of which every page has been written to: some 0.4 ms for each MiB that was not kept.
    ///
    /// Stops early, with part of the memory, once `abandoned` says that nobody waits for it any more. May wait until
    /// an invocation that has ended has given its memory back.
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn hold(&self, mib: u32, abandoned: impl Fn() -> bool) -> Result<Held, MemoryError> {
        self.allow(mib)?;
        let wanted = u64::from(mib);
        let heap = self.pool.as_ref().and_then(|pool| pool.take(wanted));
        let heap = heap.unwrap_or_else(|| Heap::empty(self.budget.nothing()));
        let mut held = Held { heap: Some(heap), pool: self.pool.clone(), untouched: None };
        let Some(heap) = &mut held.heap else { return Ok(held) };
        heap.keep(wanted.max(heap.mib()));
        if heap.mib() < wanted {
            let missing = wanted - heap.mib();
            let reservation = self.reserve(missing).map_err(|error| error.beside(heap.mib()))?;
            let grown = heap.grow(missing, reservation, &abandoned);
            grown.map_err(|source| MemoryError::Refused { asked_mib: wanted, source })?;
        }
        heap.keep(if wanted * 2 < heap.mib() { wanted } else { u64::MAX });
        Ok(held)
    }

    /// Maps `mib` MiB and touches none of it, so that it takes no memory.
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn pretend(&self, mib: u32) -> Result<Held, MemoryError> {
        self.allow(mib)?;
        let asked_mib = u64::from(mib);
        let map = (mib > 0).then(|| Arena::map(asked_mib * MIB)).transpose();
        let untouched = map.map_err(|source| MemoryError::Refused { asked_mib, source })?;
        Ok(Held { heap: None, pool: None, untouched })
    }

    fn allow(&self, mib: u32) -> Result<(), MemoryError> {
        match self.most_mib {
            Some(most_mib) if mib > most_mib => Err(MemoryError::AboveBound { asked_mib: mib, most_mib }),
            Some(_) | None => Ok(()),
        }
    }

    /// Reserves; where that fails, what waits for invocations goes first.
    fn reserve(&self, mib: u64) -> Result<Reservation, MemoryError> {
        let first = self.budget.reserve(mib * MIB);
        match (&first, &self.pool) {
            (Err(_), Some(pool)) if pool.clear() => self.budget.reserve(mib * MIB),
            _ => first,
        }
    }
}

/// Memory of this process that is resident, in bytes, as the kernel counts it.
///
/// # Errors
/// The kernel does not say.
pub fn resident_bytes() -> Result<u64, MemoryError> {
    let statm =
        StatM::from_file("/proc/self/statm").map_err(|error| MemoryError::Unmeasured(io::Error::other(error)))?;
    Ok(statm.resident * procfs::page_size())
}

/// The memory that one invocation holds; dropped, it is kept for the next one, or given back.
#[derive(Debug)]
pub struct Held {
    heap: Option<Heap>,
    pool: Option<Arc<Pool>>,
    untouched: Option<Arena>,
}

impl Held {
    /// How much was written to, in MiB.
    pub fn touched_mib(&self) -> u64 {
        self.heap.as_ref().map_or(0, Heap::mib)
    }

    /// Leaves the memory to the next invocation, at once. What is left to do, giving some of it back to the kernel, is done
    /// when the leftover is dropped: it takes some 60 µs a MiB.
    pub fn release(mut self) -> Leftover {
        self.part()
    }

    fn part(&mut self) -> Leftover {
        self.untouched = None;
        match (self.heap.take(), self.pool.take()) {
            (Some(heap), Some(pool)) => {
                pool.put(heap);
                Leftover { fresh: None, pool: Some(pool) }
            }
            (Some(mut heap), None) => {
                heap.start_return();
                Leftover { fresh: Some(heap), pool: None }
            }
            (None, pool) => Leftover { fresh: None, pool },
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.part();
    }
}

/// Memory that goes back to the kernel when this is dropped.
#[derive(Debug)]
pub struct Leftover {
    /// Of an invocation whose memory is not kept; others wait for it from now on rather than fail.
    fresh: Option<Heap>,
    pool: Option<Arc<Pool>>,
}

impl Drop for Leftover {
    fn drop(&mut self) {
        self.fresh = None;
        if let Some(pool) = &self.pool {
            pool.trim();
        }
    }
}

#[cfg(test)]
mod tests;
