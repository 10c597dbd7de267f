//! The daemon: takes runs, plans them, deploys functions, dispatches invocations, and records what came of them.
//!
//! `ARCHITECTURE.md` tells how the modules hang together.

pub mod clock;
pub mod endpoint;
pub mod id;
pub mod plan;
pub mod platform;
pub mod spec;
