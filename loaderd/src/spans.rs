//! Spans of runs, their stages and some of their invocations, exported by OTLP.
//!
//! Ids follow from the run's id and from an invocation's, so that a worker can pass a function its context, and the recorder can
//! write the span afterwards, without anything being handed between them.

mod exporter;
mod ids;

pub use exporter::{Exporter, ExporterError, Span, SpanStatus, Tracer};
pub use ids::{Context, RunTrace};
