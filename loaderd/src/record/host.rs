//! Watches the loader's own host while a load goes: loader.csv.

use std::{path::Path, time::Duration};

use loader_proto::schema::{Fixed, HostRecord, HostSamples};
use tokio::time::Instant;

use crate::{
    clock::Clock,
    id::RunId,
    metrics::Metrics,
    record::{CsvFile, RecordError},
    scrape::{HostSample, HostScraper},
};

/// Name of the source in the metrics.
const SOURCE: &str = "host";

/// How often the host is sampled.
const PERIOD: Duration = Duration::from_secs(1);

/// What the load itself knows at the time of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occupancy {
    pub(crate) in_flight: u64,
    pub(crate) open_connections: u64,
    pub(crate) records_queued: u64,
}

/// Samples the host and keeps what it finds.
pub(crate) struct HostRecorder {
    file: CsvFile<HostSamples>,
    scraper: Option<HostScraper>,
    next: Instant,
    run: RunId,
    metrics: Metrics,
    clock: Clock,
    error: Option<RecordError>,
}

impl HostRecorder {
    /// Makes loader.csv in the run's directory.
    ///
    /// # Errors
    /// A file that can't be made.
    pub(crate) fn create(directory: &Path, run: RunId, metrics: Metrics, clock: Clock) -> Result<Self, RecordError> {
        let file = CsvFile::create(directory)?;
        let now = clock.now();
        let next = now + PERIOD;
        let mut this = Self { file, scraper: None, next, run, metrics, clock, error: None };
        // What the first sample is the difference to.
        this.sample(now);
        Ok(this)
    }

    /// Takes a sample if it is time for one. Where the host can't be sampled, the row says so by empty fields.
    pub(crate) fn tick(&mut self, occupancy: Occupancy) {
        let now = self.clock.now();
        if now < self.next || self.error.is_some() {
            return;
        }
        // A tick that came late makes no second sample for the time that was missed.
        self.next = (self.next + PERIOD).max(now);
        let sample = self.sample(now);
        let figure = |figure: fn(&HostSample) -> f64| sample.as_ref().map(figure).map(Fixed);
        let Occupancy { in_flight, open_connections, records_queued } = occupancy;
        let written = self.file.append(&HostRecord {
            unix_us: self.clock.unix().0,
            cpu_ratio: figure(|sample| sample.cpu_ratio),
            rss_mib: figure(|sample| sample.rss_mib),
            host_cpu_ratio: figure(|sample| sample.host_cpu_ratio),
            host_memory_ratio: figure(|sample| sample.host_memory_ratio),
            in_flight,
            open_connections,
            records_queued,
        });
        self.error = written.and_then(|()| self.file.flush()).err();
    }

    /// Makes the file durable.
    ///
    /// # Errors
    /// The first row that could not be written.
    pub(crate) fn finish(mut self) -> Result<(), RecordError> {
        self.error.map_or_else(|| self.file.sync(), Err)
    }

    fn sample(&mut self, now: Instant) -> Option<HostSample> {
        let sampled = match self.scraper.as_mut() {
            Some(scraper) => scraper.sample(now).map(Some),
            None => HostScraper::new(now).map(|scraper| {
                self.scraper = Some(scraper);
                None
            }),
        };
        self.metrics.scraped(SOURCE, self.clock.now().saturating_duration_since(now), sampled.is_err());
        if let Err(error) = &sampled {
            log::warn!(RUN_ID = self.run.as_str(); "the loader's own host is not watched: {error}");
        }
        sampled.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use loader_proto::schema::Table as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn there_is_a_row_a_second_however_often_it_is_asked() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut host =
            HostRecorder::create(directory.path(), RunId::new(0, 0), Metrics::new(), Clock).expect("creates");
        let occupancy = Occupancy { in_flight: 7, open_connections: 2, records_queued: 5 };
        for _ in 0..31 {
            host.tick(occupancy);
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        host.finish().expect("finishes");
        let text = std::fs::read_to_string(directory.path().join("loader.csv")).expect("reads");
        let rows: Vec<Vec<_>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(rows[0], HostSamples::SCHEMA.header().collect::<Vec<_>>());
        assert_eq!(rows.len(), 4, "{text}");
        assert_eq!(rows[1][5..], ["7", "2", "5"]);
        assert!(rows[1][1..5].iter().all(|figure| figure.parse::<f64>().is_ok()), "{text}");
    }
}
