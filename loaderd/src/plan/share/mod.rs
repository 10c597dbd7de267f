//! Shares: which invocations of a plan are whose, where several workers send it.
//!
//! ```text
//! outline ──Shares::of──▶ Shares ──▶ each worker: Shared(whole plan) ──▶ its own invocations, each with its place in the whole
//! ```
//!
//! Every worker makes the whole plan and keeps its share, so that ids, slots, due times and sizes are those of the one plan,
//! however many share it. The shares of all workers add up to the plan, invocation for invocation.

mod fingerprint;
mod shared;
mod shares;

pub use fingerprint::fingerprint;
pub use shared::Shared;
pub use shares::{Shares, WrongShares};

#[cfg(test)]
mod tests;
