//! The daemon: takes runs, plans them, deploys functions, dispatches invocations, and records what came of them.
//!
//! `ARCHITECTURE.md` tells how the modules hang together.

pub mod access;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod dispatch;
pub mod door;
pub mod endpoint;
pub mod id;
pub mod invoke;
pub mod plan;
pub mod platform;
pub mod record;
pub mod results;
pub mod run;
pub mod scrape;
pub mod spans;
pub mod spec;
pub mod steady;
pub mod supervisor;
pub mod telemetry;
pub mod traces;
#[cfg(any(test, fuzzing))]
pub mod untrusted;
pub mod warmup;
pub mod words;
