//! Follows the platform's scale feed: scales.csv, metrics, and how many instances started.

use std::{path::Path, sync::Arc, time::Duration};

use loader_proto::schema::{self, ScaleRecord};
use tokio::sync::mpsc;

use crate::{
    metrics::{Metrics, Pods},
    platform::{Scale, ScaleSample, TimeSource},
    record::{CsvFile, RecordError},
};

/// How often what was written goes to the operating system.
const FLUSH: Duration = Duration::from_millis(500);

/// Follows the scales of one run.
pub(crate) struct Scales {
    file: CsvFile<schema::Scales>,
    names: Arc<[String]>,
    /// Gets each sample before it is written: decisions by scales must not wait for a disk.
    observe: Box<dyn Fn(&ScaleSample) + Send>,
    metrics: Metrics,
    latest: Vec<Scale>,
}

impl Scales {
    /// Makes scales.csv in the run's directory. `observe` gets each sample of the feed.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub(crate) fn create(
        directory: &Path,
        names: Arc<[String]>,
        observe: impl Fn(&ScaleSample) + Send + 'static,
        metrics: Metrics,
    ) -> Result<Self, RecordError> {
        let latest = vec![Scale::default(); names.len()];
        Ok(Self { file: CsvFile::create(directory)?, names, observe: Box::new(observe), metrics, latest })
    }

    /// Follows `feed` to its end; how many instances were started, and what could not be written.
    pub(crate) async fn follow(mut self, mut feed: mpsc::Receiver<ScaleSample>) -> (u64, Result<(), RecordError>) {
        let mut flush = tokio::time::interval(FLUSH);
        let mut written = Ok(());
        loop {
            tokio::select! {
                sample = feed.recv() => match sample {
                    Some(sample) => {
                        let row = self.take(&sample);
                        written = written.and(row);
                    }
                    None => break,
                },
                _ = flush.tick() => written = written.and(self.file.flush()),
            }
        }
        written = written.and(self.file.sync());
        self.metrics.pods(Pods::default());
        (self.latest.iter().map(|scale| scale.started).sum(), written)
    }

    fn take(&mut self, sample: &ScaleSample) -> Result<(), RecordError> {
        (self.observe)(sample);
        let index = sample.function.as_usize();
        if let Some(latest) = self.latest.get_mut(index) {
            *latest = sample.scale;
        }
        self.metrics.pods(total(&self.latest));
        let Scale { desired, running, unready, pending, terminating, queue, started: _ } = sample.scale;
        let function = self.names.get(index).map_or("", String::as_str).into();
        let unix_us = sample.at.0;
        let source = sample.source.map_or("", TimeSource::as_str).into();
        let row = ScaleRecord { unix_us, function, desired, running, unready, pending, terminating, queue, source };
        self.file.append(&row)
    }
}

/// The instances of all functions.
fn total(scales: &[Scale]) -> Pods {
    scales.iter().fold(Pods::default(), |sum, scale| Pods {
        desired: sum.desired + scale.desired,
        running: sum.running + scale.running,
        unready: sum.unready + scale.unready,
        pending: sum.pending + scale.pending,
        terminating: sum.terminating + scale.terminating,
        queue: sum.queue + scale.queue.unwrap_or(0),
    })
}
