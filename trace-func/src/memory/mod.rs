//! The memory that invocations hold.
//!
//! ```text
//! Memory::hold ─▶ Pool::take ─▶ Budget::reserve ─▶ Heap::grow ─▶ Held ─release─▶ Pool::put ─▶ answer ─▶ Pool::trim
//!                                    └── Limits: cgroup limits, MemAvailable, RLIMIT_AS
//! ```
//!
//! An instance keeps its memory between invocations, as a warm runtime keeps its heap: an invocation takes what is there,
//! adds what is missing, and leaves it for the next. When it asked for less than half of what there was, the rest goes back
//! to the kernel after its answer. Invocations at the same time have a heap each. When memory gets short, idle heaps
//! are freed before an invocation is refused. [`Memory::fresh`] keeps nothing.
//!
//! Memory is reserved from one budget before any of it is touched, so that no invocation, alone or with others, gets the
//! process killed for lack of memory.

mod budget;
mod cgroup;
mod error;
mod heap;
mod kernel;
mod limits;
mod mapping;

use std::{io, sync::Arc};

use budget::{Budget, Reservation};
pub use error::MemoryError;
use heap::{Heap, Pool};
pub use limits::{Bound, Free, Limits, SystemLimits};
use mapping::{MIB, Mapping};
use procfs::{FromRead as _, process::StatM};

/// The memory of this instance, which its invocations share.
#[derive(Debug, Clone)]
pub struct Memory {
    budget: Arc<Budget>,
    /// Absent where each invocation has fresh memory.
    pool: Option<Arc<Pool>>,
    most_mib: Option<u32>,
}

impl Memory {
    /// Memory within `limits`, kept between invocations.
    pub fn new(limits: impl Limits + 'static) -> Self {
        Self { budget: Arc::new(Budget::new(Box::new(limits))), pool: Some(Arc::default()), most_mib: None }
    }

    /// The same, with fresh memory for each invocation.
    #[must_use]
    pub fn fresh(self) -> Self {
        Self { pool: None, ..self }
    }

    /// The same, refusing more than `most_mib` MiB for one invocation; `None` for no limit.
    #[must_use]
    pub fn at_most(self, most_mib: Option<u32>) -> Self {
        Self { most_mib, ..self }
    }

    /// Takes `mib` MiB, of which every page has been written to: some 0.4 ms for each MiB that was not kept.
    ///
    /// Stops early, with part of the memory, once `cancelled` returns true. May wait until an invocation that has ended
    /// has freed its memory.
    ///
    /// # Errors
    /// Less is available, or the kernel refused a mapping.
    pub fn hold(&self, mib: u32, cancelled: impl Fn() -> bool) -> Result<Held, MemoryError> {
        self.allow(mib)?;
        let wanted = u64::from(mib);
        let heap = self.pool.as_ref().and_then(|pool| pool.take(wanted));
        let heap = heap.unwrap_or_else(|| Heap::empty(self.budget.nothing()));
        let mut held = Held { heap: Some(heap), pool: self.pool.clone(), untouched: None };
        let Some(heap) = &mut held.heap else { return Ok(held) };
        heap.keep(wanted.max(heap.mib()));
        if heap.mib() < wanted {
            let missing = wanted - heap.mib();
            let reservation = self.reserve(missing).map_err(|error| error.in_addition_to(heap.mib()))?;
            let grown = heap.grow(missing, reservation, &cancelled);
            grown.map_err(|source| MemoryError::Refused { asked_mib: wanted, source })?;
        }
        heap.keep(if wanted * 2 < heap.mib() { wanted } else { u64::MAX });
        Ok(held)
    }

    /// Maps `mib` MiB and touches none of it, so that none becomes resident.
    ///
    /// # Errors
    /// Above the limit, or the kernel refused the mapping.
    pub fn map_untouched(&self, mib: u32) -> Result<Held, MemoryError> {
        self.allow(mib)?;
        let asked_mib = u64::from(mib);
        let map = (mib > 0).then(|| Mapping::map(asked_mib * MIB)).transpose();
        let untouched = map.map_err(|source| MemoryError::Refused { asked_mib, source })?;
        Ok(Held { heap: None, pool: None, untouched })
    }

    fn allow(&self, mib: u32) -> Result<(), MemoryError> {
        match self.most_mib {
            Some(most_mib) if mib > most_mib => Err(MemoryError::AboveBound { asked_mib: mib, most_mib }),
            Some(_) | None => Ok(()),
        }
    }

    /// Reserves memory; where that fails, frees the idle heaps and tries again.
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
/// The kernel does not report it.
pub fn resident_bytes() -> Result<u64, MemoryError> {
    let statm =
        StatM::from_file("/proc/self/statm").map_err(|error| MemoryError::Unmeasured(io::Error::other(error)))?;
    Ok(statm.resident * procfs::page_size())
}

/// The memory that one invocation holds. When dropped, it is kept for the next one, or freed.
#[derive(Debug)]
pub struct Held {
    heap: Option<Heap>,
    pool: Option<Arc<Pool>>,
    untouched: Option<Mapping>,
}

impl Held {
    /// How much was written to, in MiB.
    pub fn touched_mib(&self) -> u64 {
        self.heap.as_ref().map_or(0, Heap::mib)
    }

    /// Leaves the memory to the next invocation, at once. What remains, returning some of it to the kernel, is done
    /// when the leftover is dropped: some 60 µs a MiB.
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

/// Memory that is returned to the kernel when this is dropped.
#[derive(Debug)]
pub struct Leftover {
    /// The heap of an invocation whose memory is not kept; other reservations wait for it rather than fail.
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
