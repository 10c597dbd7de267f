//! Whether an invocation was in flight.

use tokio::time::Instant;

/// Whether and until when an invocation was in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flight {
    /// It was handed to a worker, and ended then.
    Until(Instant),
    /// It was never handed out.
    Never,
    /// It was never handed out, because of the bound of the memory in flight.
    OverMemory,
}
