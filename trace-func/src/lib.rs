//! The function server: a benchmark function that consumes exactly the run time and the memory an invocation asks for.
//!
//! ```text
//! request ─▶ executor ─▶ consumer ─▶ memory (pool, budget ─▶ heap) ─▶ spin ─▶ reply
//!               │            └── behaviour: by which clock, with which work, touching the memory or not
//!               └── instance: its id, and whether this is its first invocation
//! ```
//!
//! The tokio runtime has one thread and does only I/O; each invocation spins on a thread of its own.

mod asked;
pub mod behaviour;
pub mod calibrate;
pub mod cli;
pub mod clock;
pub mod consumer;
pub mod executor;
pub mod hello;
pub mod instance;
pub mod memory;
pub mod parent;
mod plain;
pub mod saturate;
pub mod serve;
pub mod spin;
