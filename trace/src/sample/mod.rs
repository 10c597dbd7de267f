//! Sampling a trace: fewer functions that behave together as all of them do.
//!
//! What a sample is measured by is J, the measure of InVitro's sampler: the mean over units of the Wasserstein distances
//! between the sample's and the trace's distributions of invocations and of resources over functions, equally weighted. It is
//! minimised directly by exchanging functions, where InVitro keeps the best of some random draws. J alone can be gamed, as a
//! few heavy functions decide it: so the search also preserves run times, memory, popularity and idle times on logarithmic
//! scales, and the report has those measures, each beside what random samples have.
//!
//! ```text
//! Trace ─▶ Population ─▶ Grid ─▶ Search, size by size ─▶ Sample: functions, weights, distances beside chance
//! ```
//! Deterministic: the same trace and seed give the same samples, however many processors there are.

mod by_load;
mod by_weight;
mod draws;
mod exact;
mod fidelity;
mod grid;
mod load;
mod order;
mod own;
mod population;
mod report;
mod request;
mod sampler;
mod search;
mod table;
mod threads;
mod weights;

pub use draws::Chance;
pub use exact::Distance;
pub use fidelity::Finding;
pub use load::LoadFigures;
pub use request::{Measure, Preserve, SampleError, Sampling, Size};
pub use sampler::{Sample, Sampled, distance, sample};

/// The file beside samples in which stands how representative each is.
pub const REPORT_FILE: &str = "report.json";

#[cfg(test)]
mod tests;
