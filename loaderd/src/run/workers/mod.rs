//! The station that brings up the workers of a run, before and after its functions are deployed:
//!
//! ```text
//! listen ──▶ (functions) ──▶ assigned ──▶ start (the platform) ──▶ all ready, or the run ends
//!  Listening                  Assigned, Coordination    WorkerNews
//! ```

mod assemble;
mod check;
mod listen;

pub(super) use assemble::Assembly;
pub(super) use check::check;
pub(super) use listen::listen;
