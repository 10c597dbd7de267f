//! Studies: many runs that belong together, as they are planned. Pure.
//!
//! ```text
//! v1::StudySpec ──settings──▶ Settings ─┐
//!       └─────────axes──────▶ Axis ─────┴─cells──▶ Cell ──order──▶ PlannedRun: cell, repeat, round
//!                                                    └──────────▶ v1::RunSpec of a cell and a repeat
//! ```
//! A study is read as a whole ([`StudyPlan::of`]): each cell's spec is checked as that of any run, and every fault is found at once. What a
//! trace or a platform does not have room for, whoever makes the plans of the runs finds.

mod axes;
mod base;
mod cells;
mod order;
mod plan;
mod settings;
mod totals;

pub use axes::Axis;
pub use cells::Cell;
pub use order::{Order, PlannedRun};
pub use plan::StudyPlan;
pub use settings::{Combine, MOST_RUNS, OnFailure, Seeds, Settings};
pub use totals::StudyTotals;

#[cfg(test)]
mod tests;
