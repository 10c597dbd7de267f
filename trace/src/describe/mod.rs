//! Statistics of a trace, beside the published ones.
//!
//! ```text
//! Trace ──figures (apps, gaps, values)──▶ Figures ──published──▶ rows: found, target, tolerance, met
//! ```
//! Pure. Beside the trace it takes a few numbers for each function and the counts of one app. Minutes are taken for the
//! trace's units. What a trace does not tell (triggers, apps, a whole day) is unknown, not 0.

mod apps;
mod figures;
mod gaps;
mod published;
mod values;

pub use apps::AppMemory;
pub use figures::Figures;
pub use published::{Row, Tolerance, Unit, azure2019};

#[cfg(test)]
mod tests;
