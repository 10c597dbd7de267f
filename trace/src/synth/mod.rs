//! Making up traces that look like production: for samples that may be published, and for sizes no public trace has.
//!
//! ```text
//! apps (sizes) ─▶ triggers ─▶ popularity ─▶ rhythm ──plan──▶ functions: split, load, profiles ──write──▶ files
//! ```
//! Statistics are those of Shahrad et al., "Serverless in the Wild" (USENIX ATC 2020), on Azure Functions;
//! [`crate::describe`] measures them. The same [`Synth`] gives the same trace; a trace is compared and shared as files, so
//! unlike a plan it may differ in a last digit between machines whose mathematical libraries do.

mod apps;
mod draws;
mod functions;
pub mod like;
mod load;
mod plan;
mod popularity;
mod profiles;
mod request;
mod rhythm;
mod split;
mod triggers;
mod whole;
mod write;

pub use request::{Synth, SynthError};

#[cfg(test)]
mod tests;
