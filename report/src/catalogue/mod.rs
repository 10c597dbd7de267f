//! The figures of runs, by name: each of one run, or of several laid over each other.

mod bursts;
mod by_cell;
mod cold;
mod distributions;
mod entry;
mod functions;
mod list;
mod loads;
mod over_time;
mod parts;
mod quality;
mod resources;
mod workers;

pub use by_cell::CellsOfRuns;
pub use entry::{Entry, Panel};
pub use list::{FIGURES, find};
pub(crate) use loads::capacity;
pub(crate) use over_time::saturation_lag;
pub(crate) use parts::load_end;
