//! Whether the figures of one group of runs differ from those of another.
//!
//! A sample is a run: invocations of one run depend on each other, so that their number makes nothing certain. Runs that say nothing
//! of the platform are left out, and counted. The formulas stand in [`statistics`](crate::statistics).
//!
//! ```text
//! Run ──Group──▶ Sample | LeftOut ──compare──▶ Comparison { rows: figure, medians, ratio, p, effect, verdict }
//! ```

mod asked;
mod comparison;
mod differences;
mod expected;
mod group;
mod measure;
mod notes;
mod part;
mod row;
mod verdict;
mod within;

pub use comparison::{Comparison, Incomparable, compare};
pub use differences::{Choice, Difference};
pub use group::{Group, LeftOut, Sample, unusable};
pub use measure::{MEASURES, Measure, find};
pub use row::{Ratio, Row, Side};
pub(crate) use verdict::Evidence;
pub use verdict::Verdict;
pub(crate) use within::precision;
pub use within::{Method, Within};

#[cfg(test)]
mod tests;
