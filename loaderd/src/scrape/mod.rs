//! Samples of host and cluster during a run: a sample or a failure, never zeros for unknown values.

mod exposition;
mod host;
mod prometheus;
mod sample;

pub use exposition::{Point, points};
pub use host::{HostSample, HostScraper, ScrapeError, cores};
pub use prometheus::{Prometheus, QueryError, Value};
pub use sample::{AutoscalerSample, Commitments, NodeSample, PodSample, Role, Sample, Sampled, SourceError};
