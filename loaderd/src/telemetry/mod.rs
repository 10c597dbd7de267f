//! What the daemon tells of itself: Prometheus metrics and their endpoint, and its log.
//!
//! Metrics are only ever written from the parts that know; nothing in the daemon reads them back.

pub mod endpoint;
pub mod logging;
mod metrics;
mod process;
mod repeats;
mod series;
mod text;

pub use metrics::{Completed, Metrics, NodeFigures, Pods, RunLabels};
