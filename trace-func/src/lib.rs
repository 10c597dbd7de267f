//! The function server: a benchmark function that consumes exactly the run time and the memory an invocation asks for.
//!
//! ```text
//! request ─▶ executor ─▶ consumer ─▶ memory (budget ─▶ arena) ─▶ spin ─▶ reply
//!               └── instance: who answers, and whether for the first time
//! ```
//!
//! The tokio runtime has one thread and does only I/O; each invocation spins on a thread of its own.

pub mod cli;
pub mod clock;
pub mod consumer;
pub mod executor;
pub mod instance;
pub mod memory;
pub mod parent;
pub mod serve;
pub mod spin;
