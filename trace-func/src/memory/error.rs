//! Why memory is refused.

use std::io;

use super::room::Bound;

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
    /// More than one invocation may ask for.
    #[error("{asked_mib} MiB asked for, but this function's bound is {most_mib} MiB (--max-memory)")]
    AboveBound {
        /// What the invocation asked for, in MiB.
        asked_mib: u32,
        /// The most that is given.
        most_mib: u32,
    },
    /// The kernel refused the mapping, though there seemed to be room.
    #[error("the kernel refused to map {asked_mib} MiB: {source}")]
    Refused {
        /// What the invocation asked for, in MiB.
        asked_mib: u64,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The kernel did not say how much memory is resident.
    #[error("can't measure how much memory is held: {0}")]
    Unmeasured(#[source] io::Error),
}

impl MemoryError {
    /// The same, as seen by an invocation that had so many MiB already.
    pub(super) fn beside(self, mib: u64) -> Self {
        match self {
            Self::Exhausted { asked_mib, free_mib, bound } => {
                Self::Exhausted { asked_mib: asked_mib + mib, free_mib: free_mib + mib, bound }
            }
            other @ (Self::AboveBound { .. } | Self::Refused { .. } | Self::Unmeasured(_)) => other,
        }
    }
}
