//! The results of a study: many runs of cells that differ in some fields, several of each, in rounds. Pure.
//!
//! A sample is a run. Runs that say nothing of the platform are left out, and counted; what a daemon or a directory knows of the rest is
//! given as [`Study`]. The formulas stand in [`statistics`](crate::statistics).
//!
//! ```text
//! Study { axes, cells, runs: cell, round, figures | why left out } ──Results::of──▶ Results
//!     cells:    figure of a cell: median, interval                                  ──▶ cells.csv
//!     compared: against the baseline: ratio, interval, p, Holm, effect, verdict     ──▶ compare.csv
//!     axes:     the effect of each value of an axis, over the other axes
//!     order:    drift, rounds, places within rounds
//!     spreads:  variance between cells and within
//!     remarks:  what is to be known before a number is believed
//! ```

mod axes;
mod baseline;
mod cells;
mod compared;
mod figures;
mod input;
mod lead;
mod order;
mod remarks;
mod results;
mod spread;
mod tables;

pub use axes::AxisEffect;
pub(crate) use axes::distinct;
pub use cells::CellFigure;
pub use compared::Compared;
pub use figures::{DEFAULT_FIGURES, compared_figure};
pub(crate) use input::brief;
pub use input::{Baseline, Outcome, Study, StudyRun};
pub use lead::{Lead, Tone};
pub use order::{OrderEffects, Untested};
pub use remarks::fewest_runs;
pub(crate) use remarks::probability;
pub use results::Results;
pub use spread::Spread;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
