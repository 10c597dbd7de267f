//! Follows the platform's instances as they come up: cold_starts.csv.

use std::{path::Path, sync::Arc};

use tokio::sync::mpsc;

use crate::{
    clock::UnixMicros,
    platform::InstanceStart,
    record::{CsvFile, RecordError},
};

/// The columns of cold_starts.csv.
const COLUMNS: [&str; 7] = [
    "function",
    "instance",
    "desired_unix_us",
    "created_unix_us",
    "scheduled_unix_us",
    "started_unix_us",
    "ready_unix_us",
];

/// Follows the starts of one run.
pub(super) struct Starts {
    file: CsvFile,
    names: Arc<[String]>,
}

impl Starts {
    /// Makes cold_starts.csv in the run's directory.
    ///
    /// # Errors
    /// A file that can't be made.
    pub(super) fn create(directory: &Path, names: Arc<[String]>) -> Result<Self, RecordError> {
        Ok(Self { file: CsvFile::create(&directory.join("cold_starts.csv"), &COLUMNS)?, names })
    }

    /// Follows `feed` to its end; no instances, which the scales count, and what could not be written.
    pub(super) async fn follow(mut self, mut feed: mpsc::Receiver<InstanceStart>) -> (u64, Result<(), RecordError>) {
        let mut written = Ok(());
        while let Some(start) = feed.recv().await {
            let row = self.take(&start);
            written = written.and(row).and(self.file.flush());
        }
        (0, written.and(self.file.sync()))
    }

    fn take(&mut self, start: &InstanceStart) -> Result<(), RecordError> {
        let InstanceStart { function, instance, desired, created, scheduled, started, ready } = start;
        let name = self.names.get(function.as_usize()).cloned().unwrap_or_default();
        let instants = [*desired, Some(*created), *scheduled, *started, *ready];
        let instants = instants.map(|at| at.map(|UnixMicros(at)| at.to_string()).unwrap_or_default());
        self.file.append([name, instance.clone()].into_iter().chain(instants))
    }
}
