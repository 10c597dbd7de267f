//! Studies: many runs that belong together, as they are planned, and which run comes next. Pure.
//!
//! ```text
//! v1::StudySpec ──settings──▶ Settings ─┐
//!       └─────────axes──────▶ Axis ─────┴─cells──▶ Cell ──order──▶ PlannedRun: cell, repeat, round
//!                                                    └──────────▶ v1::RunSpec of a cell and a repeat
//! Settings, StudyRun… ──next──▶ the next run, or how the study ended
//! ```
//! A study is read as a whole ([`StudyPlan::of`]): each cell's spec is checked as that of any run, and every fault is found at once. What a
//! trace or a platform does not have room for, whoever makes the plans of the runs finds.

mod attempt;
mod axes;
mod base;
mod cells;
mod course;
mod figures;
mod hooks;
mod order;
mod plan;
mod settings;
mod share;
mod totals;
mod until;

pub use attempt::{Attempt, AttemptEnd, Outcome, StudyRun};
pub use axes::Axis;
pub use cells::Cell;
pub use course::{Counts, Next, Spared, next};
pub use hooks::Hooks;
pub use order::{MOST_RUNS, Order, PlannedRun};
pub use plan::StudyPlan;
pub use settings::{Combine, OnFailure, Seeds, Settings};
pub use totals::StudyTotals;
pub use until::Until;

#[cfg(test)]
mod tests;
