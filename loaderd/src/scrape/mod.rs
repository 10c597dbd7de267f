//! Samples of the world around a run, each source on its own clock: a sample or a failure, never zeros for what is not
//! known.

mod exposition;
mod host;
mod prometheus;
mod sample;

pub use exposition::{Point, points};
pub use host::{HostSample, HostScraper, ScrapeError, cores};
pub use prometheus::{Prometheus, QueryError, Value};
pub use sample::{AutoscalerSample, Commitments, NodeSample, PodSample, Role, Sample, Sampled, SourceError};
