//! Making up traces that look like production: for samples that may be published, and for sizes no public trace has.
//!
//! ```text
//! apps (sizes, ranks) ──popularity──▶ invocations per app ──functions──▶ triggers, profiles, counts ──write──▶ files
//! ```
//! Statistics are those of Shahrad et al., "Serverless in the Wild" (USENIX ATC 2020), on Azure Functions. The same
//! [`Synth`] gives the same trace; a trace is compared and shared as files, so unlike a plan it may differ in a last digit
//! between machines whose mathematical libraries do.

mod apps;
mod functions;
mod load;
mod popularity;
mod profiles;
mod request;
mod write;

pub use request::{Synth, SynthError};

#[cfg(test)]
mod tests;
