//! The station that brings up the workers of a run, once its functions are deployed:
//!
//! ```text
//! assigned ──▶ listen ──▶ start (the platform) ──▶ all ready, or the run ends
//!  Assigned     Coordination    WorkerNews
//! ```

mod assemble;
mod check;

pub(super) use assemble::Assembly;
pub(super) use check::check;
