//! The function server: a benchmark function that consumes exactly the run time and the memory an invocation asks for.
//!
//! ```text
//! request ─▶ executor ─▶ consumer ─▶ memory (pool, budget ─▶ heap) ─▶ spin ─▶ reply
//!               │            └── habits: by which clock, with which work, touching the memory or not
//!               └── instance: who answers, and whether for the first time
//! ```
//!
//! The tokio runtime has one thread and does only I/O; each invocation spins on a thread of its own.

pub mod calibrate;
pub mod cli;
pub mod clock;
pub mod consumer;
pub mod executor;
pub mod habits;
pub mod hello;
pub mod instance;
pub mod memory;
pub mod parent;
mod plain;
pub mod saturate;
pub mod serve;
pub mod spin;
