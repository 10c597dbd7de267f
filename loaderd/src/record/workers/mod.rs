//! The workers of a run: what the coordinator knows of them, and what their rows show.

mod recent;
mod standing;
mod statistics;
mod summary;

pub(super) use recent::RecentLags;
pub use standing::{ClockBound, WorkerClock, WorkerFacts, WorkerLag, WorkerProgress, WorkerStanding, WorkerState};
pub(super) use statistics::WorkerStatistics;
pub use summary::{ClockError, WorkerSummary};
pub(super) use summary::{clock_error, summaries};
