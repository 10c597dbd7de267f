//! Statistics of a trace, by themselves and compared with the published ones.
//!
//! ```text
//! Trace ──figures (apps, gaps, values)──▶ Figures ──published──▶ rows: found, target, tolerance, met
//! ```
//! Pure. In addition to the trace it holds a few numbers for each function and the counts of one app in memory. Minutes are
//! taken for the trace's units. A statistic for which the trace has no data (triggers, apps, a whole day) is unknown, not 0.

mod apps;
mod figures;
mod function;
mod gaps;
mod overview;
mod published;
mod values;

pub use apps::AppMemory;
pub use figures::Figures;
pub use function::FunctionFigures;
pub use overview::{Distribution, Interval, Level, Overview, TriggerShare};
pub use published::{Row, Tolerance, Unit, azure2019};

#[cfg(test)]
mod tests;
