//! A run's load from several processes: workers that send shares of one plan, and what they say to each other.
//!
//! ```text
//! worker ═stream═▶ session ─▶ coordinator ─▶ merge ─▶ the recorder of the run
//!                                 │
//! platform ─news─▶ ───────────────┴─ losses ─▶ fill-in of what a lost worker did not send
//! ```
//!
//! The coordinator is of one run, in the daemon. It serves only while that run's load is under way, on a listener of its own, those who
//! present the run's token. The address is taken before anything is deployed.

mod assignment;
mod bounds;
mod certificate;
pub mod clocks;
mod coordination;
mod coordinator;
mod error;
mod fill_in;
mod merge;
mod messages;
mod outcomes;
mod seen;
mod serve;
mod service;
mod session;
mod token;
mod trace_files;
mod waiting;
pub mod wire;

pub use assignment::{Assigned, Limits, PlanFacts};
pub use bounds::{DECODED, MOST_PENDING, Times, WINDOW};
pub use certificate::CertificateError;
pub use coordination::{Coordinated, Coordination};
pub use coordinator::PlanAgain;
pub use error::{NoListener, NotReady};
pub use merge::{Disorder, Merge};
pub use serve::Listening;
pub use token::Token;
pub use trace_files::{OpenSource, TraceFiles};

#[cfg(test)]
mod tests;
