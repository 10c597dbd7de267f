//! Real functions for a trace's: which of some profiled functions stands for each.
//!
//! ```text
//! profile (JSON) ─▶ Proxies ┐
//! Trace ────────────────────┴─by a rule─▶ Mapping: a proxy for each function, and how far off they are
//! ```

mod map;
mod profile;

pub use map::{Choice, Errors, Mapping, Rule, map};
pub use profile::{Proxies, Proxy, ProxyError};

#[cfg(test)]
mod tests;
