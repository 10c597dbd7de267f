//! The figures of a run's summary by name: what studies compare and expectations are about.
//!
//! A figure's name is its path in summary.json without the units: `response.p99` is `responseUs.p99`, `achieved` is `achievedRatio`. The
//! names follow from the message, so that a new number of the summary has one from the beginning.
//!
//! ```text
//! name ──find──▶ Indicator { unit, direction } ──of──▶ value in a Figures
//! v1::RunSummary ──▶ Figures { name: value }
//! ```

mod catalogue;
mod direction;
mod figures;

pub use catalogue::{Indicator, Kind, all, find};
pub use direction::Better;
pub use figures::Figures;
