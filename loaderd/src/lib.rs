//! The daemon: takes runs, plans them, deploys functions, dispatches invocations, and records what came of them.
//!
//! `ARCHITECTURE.md` describes how the modules depend on each other.

pub mod access;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod dispatch;
pub mod disturbance;
pub mod endpoint;
pub mod error_chain;
pub mod histogram;
pub mod http;
pub mod id;
pub mod invoke;
pub mod listener;
pub mod logging;
pub mod metrics;
pub mod page;
pub mod plan;
pub mod platform;
pub mod record;
pub mod registry;
pub mod results;
pub mod room;
pub mod run;
pub mod scrape;
pub mod secret;
pub mod spans;
pub mod spec;
pub mod steady;
pub mod store;
pub mod studies;
pub mod study;
pub mod supervisor;
pub mod traces;
pub mod units;
#[cfg(any(test, fuzzing))]
pub mod untrusted;
pub mod warmup;
pub mod worker;
pub mod workers;
