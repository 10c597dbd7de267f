//! Why memory is refused.

use std::io;

use super::limits::Bound;

/// Why an invocation did not get its memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// Less is available than was requested.
    #[error("{asked_mib} MiB requested, but only {free_mib} MiB available, limited by {bound}")]
    Exhausted {
        /// The request, in MiB.
        asked_mib: u64,
        /// What is available, in MiB.
        free_mib: u64,
        /// The limit that leaves the least memory.
        bound: Bound,
    },
    /// More than one invocation may ask for.
    #[error("{asked_mib} MiB requested, but this function's limit is {most_mib} MiB (--max-memory)")]
    AboveBound {
        /// The request, in MiB.
        asked_mib: u32,
        /// The limit, in MiB.
        most_mib: u32,
    },
    /// The kernel refused the mapping, though memory seemed to be available.
    #[error("the kernel refused to map {asked_mib} MiB: {source}")]
    Refused {
        /// The request, in MiB.
        asked_mib: u64,
        /// The error of the system call.
        source: io::Error,
    },
    /// The kernel did not report how much memory is resident.
    #[error("cannot measure resident memory: {0}")]
    Unmeasured(#[source] io::Error),
}

impl MemoryError {
    /// The same error for the whole request of an invocation that holds `mib` MiB already.
    pub(super) fn in_addition_to(self, mib: u64) -> Self {
        match self {
            Self::Exhausted { asked_mib, free_mib, bound } => {
                Self::Exhausted { asked_mib: asked_mib + mib, free_mib: free_mib + mib, bound }
            }
            other @ (Self::AboveBound { .. } | Self::Refused { .. } | Self::Unmeasured(_)) => other,
        }
    }
}
