//! The daemon's Prometheus metrics: the series, and their text formats.
//!
//! A leaf: it knows neither sockets nor what serves it ([`crate::http`] does), and no other part of the daemon. Metrics
//! are only ever written from the parts that measure; nothing in the daemon reads them back.

mod daemon;
mod durations;
mod figures;
mod histograms;
mod process;
mod series;
mod text;

pub use daemon::Metrics;
pub use figures::{Completed, NodeFigures, Pods, Population, RunLabels, Sent, Side, WorkerFigures};
pub use text::TextFormat;
