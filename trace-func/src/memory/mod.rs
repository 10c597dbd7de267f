//! The memory that invocations hold.
//!
//! ```text
//! Memory::hold ─▶ Budget::reserve ─▶ Arena::map, touch ─▶ Held ─drop─▶ unmap ─▶ budget
//!                      └── Room: cgroup limits, MemAvailable, RLIMIT_AS
//! ```
//!
//! Memory is reserved from one budget before any of it is touched, so that no invocation, alone or with others, gets the
//! process killed for lack of memory. Each invocation has a mapping of its own, given back when its [`Held`] is dropped;
//! whether memory is kept between invocations is for this module alone to decide.

mod arena;
mod budget;
mod cgroup;
mod room;

use std::{io, sync::Arc};

use arena::Arena;
use budget::{Budget, Reservation};
pub use room::{Bound, Free, Room, SystemRoom};

const MIB: u64 = 1 << 20;

/// Why an invocation did not get its memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// There is less than asked for.
    #[error("{asked_mib} MiB asked for, but only {free_mib} MiB can be had: the bound is {bound}")]
    Exhausted {
        /// What the invocation asked for, in MiB.
        asked_mib: u64,
        /// What it could have had, in MiB.
        free_mib: u64,
        /// What sets the bound.
        bound: Bound,
    },
    /// The kernel refused the mapping, though there seemed to be room.
    #[error("the kernel refused to map {asked_mib} MiB: {source}")]
    Refused {
        /// What the invocation asked for, in MiB.
        asked_mib: u64,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The kernel did not say how much of the mapping is resident.
    #[error("can't measure how much memory is held: {0}")]
    Unmeasured(#[source] io::Error),
}

/// The memory of this instance, which its invocations share.
#[derive(Debug, Clone)]
pub struct Memory {
    budget: Arc<Budget>,
}

impl Memory {
    /// Memory bounded by `room`.
    pub fn new(room: impl Room + 'static) -> Self {
        Self { budget: Arc::new(Budget::new(Box::new(room))) }
    }

    /// Takes `mib` MiB and writes to every page of it, which takes some 0.4 ms for each MiB of fresh memory.
    ///
    /// Stops early, with part of the memory, once `abandoned` says that nobody waits for it any more. May wait until
    /// an invocation that has ended has given its memory back.
    pub fn hold(&self, mib: u32, abandoned: impl Fn() -> bool) -> Result<Held, MemoryError> {
        if mib == 0 {
            return Ok(Held { mapped: None, resident_bytes: 0 });
        }
        let bytes = u64::from(mib) * MIB;
        let reservation = self.budget.reserve(bytes)?;
        let arena = Arena::map(bytes).map_err(|source| MemoryError::Refused { asked_mib: u64::from(mib), source })?;
        let mut mapped = Mapped { arena, reservation };
        mapped.arena.touch(|bytes| {
            mapped.reservation.touched(bytes);
            !abandoned()
        });
        let resident_bytes = mapped.arena.resident_bytes().map_err(MemoryError::Unmeasured)?;
        Ok(Held { mapped: Some(mapped), resident_bytes })
    }
}

/// The memory that one invocation holds; dropped, it is given back.
#[derive(Debug)]
pub struct Held {
    mapped: Option<Mapped>,
    resident_bytes: u64,
}

impl Held {
    /// What the kernel said to be resident of this invocation's mapping once every page had been written, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.resident_bytes
    }

    /// Says that the memory will be dropped soon: from now on others wait for it rather than fail.
    pub fn start_return(&mut self) {
        if let Some(mapped) = &mut self.mapped {
            mapped.reservation.start_return();
        }
    }
}

/// A mapping and the share of the budget that stands for it.
#[derive(Debug)]
struct Mapped {
    // In this order: unmapped first, then given back to the budget.
    arena: Arena,
    reservation: Reservation,
}

impl Drop for Mapped {
    fn drop(&mut self) {
        self.reservation.start_return();
    }
}

#[cfg(test)]
mod tests;
