//! Samples of the world around a run, each source on its own clock: a sample or a failure, never zeros for what is not
//! known.

mod host;

pub use host::{HostSample, HostScraper, ScrapeError};
