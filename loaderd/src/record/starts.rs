//! Follows the platform's instances as they come up: cold_starts.csv.

use std::{collections::HashMap, io, path::Path, sync::Arc};

use loader_proto::schema::{ColdStartRecord, ColdStarts, Positions, Table as _};
use tokio::sync::mpsc;

use crate::{
    clock::UnixMicros,
    platform::InstanceStart,
    record::{CsvFile, RecordError},
};

/// Follows the starts of one run.
pub(crate) struct Starts {
    file: CsvFile<ColdStarts>,
    names: Arc<[String]>,
}

impl Starts {
    /// Makes cold_starts.csv in the run's directory.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub(crate) fn create(directory: &Path, names: Arc<[String]>) -> Result<Self, RecordError> {
        Ok(Self { file: CsvFile::create(directory)?, names })
    }

    /// Follows `feed` to its end; no instances, which the scales count, and what could not be written.
    pub(crate) async fn follow(mut self, mut feed: mpsc::Receiver<InstanceStart>) -> (u64, Result<(), RecordError>) {
        let mut written = Ok(());
        while let Some(start) = feed.recv().await {
            let row = self.take(&start);
            written = written.and(row).and(self.file.flush());
        }
        (0, written.and(self.file.sync()))
    }

    fn take(&mut self, start: &InstanceStart) -> Result<(), RecordError> {
        let InstanceStart { function, instance, desired, created, scheduled, started, ready, source } = start;
        let unix_us = |at: Option<UnixMicros>| at.map(|UnixMicros(at)| at);
        self.file.append(&ColdStartRecord {
            function: self.names.get(function.as_usize()).map_or("", String::as_str).into(),
            instance: instance.into(),
            desired_unix_us: unix_us(*desired),
            created_unix_us: created.0,
            scheduled_unix_us: unix_us(*scheduled),
            started_unix_us: unix_us(*started),
            ready_unix_us: unix_us(*ready),
            // Filled in when the run is over.
            first_reply_unix_us: None,
            source: source.as_str().into(),
        })
    }
}

/// Fills in when each instance first replied: it is known from the invocations, and only when all are over. The file is replaced
/// whole. Without one nothing is done.
///
/// # Errors
/// A failure to read or write; then the file is as it was.
pub(crate) fn fill_in(directory: &Path, replies: &HashMap<String, UnixMicros>) -> Result<(), RecordError> {
    let path = directory.join(ColdStarts::SCHEMA.file);
    if !path.exists() {
        return Ok(());
    }
    let failed = |source: io::Error| RecordError::Write { path: path.clone(), source };
    let unreadable = |source: csv::Error| failed(source.into());
    let part = path.with_extension("csv.part");
    // What a crash has left of an earlier attempt.
    let _absent = std::fs::remove_file(&part);
    let mut filled = CsvFile::<ColdStarts>::create_at(&part)?;
    let mut started = csv::Reader::from_path(&path).map_err(unreadable)?;
    let columns = Positions::<ColdStarts>::of(started.headers().map_err(unreadable)?);
    for row in started.records() {
        let row = row.map_err(unreadable)?;
        let start: ColdStartRecord<'_> =
            columns.read(|index| row.get(index)).map_err(|error| failed(io::Error::other(error)))?;
        let first_reply_unix_us = replies.get(start.instance.as_ref()).map(|UnixMicros(at)| *at);
        filled.append(&ColdStartRecord { first_reply_unix_us, ..start })?;
    }
    filled.sync()?;
    drop(filled);
    std::fs::rename(&part, &path).map_err(|source| RecordError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::FunctionIndex, platform::TimeSource};

    #[tokio::test]
    async fn first_replies_are_filled_in_when_they_are_known() {
        let directory = tempfile::tempdir().unwrap();
        assert!(fill_in(directory.path(), &HashMap::new()).is_ok(), "without a file nothing is done");
        let (send, receive) = mpsc::channel(2);
        for (instance, ready) in [("f-1", Some(UnixMicros(50))), ("f-2", None)] {
            let start = InstanceStart {
                function: FunctionIndex(0),
                instance: instance.to_owned(),
                desired: None,
                created: UnixMicros(10),
                scheduled: Some(UnixMicros(20)),
                started: Some(UnixMicros(40)),
                ready,
                source: TimeSource::Watch,
            };
            send.send(start).await.unwrap();
        }
        drop(send);
        let starts = Starts::create(directory.path(), Arc::from(["f".to_owned()])).unwrap();
        starts.follow(receive).await.1.unwrap();
        fill_in(directory.path(), &HashMap::from([("f-1".to_owned(), UnixMicros(45))])).unwrap();
        let text = std::fs::read_to_string(directory.path().join(ColdStarts::SCHEMA.file)).unwrap();
        let rows: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(rows, ["f,f-1,,10,20,40,50,45,watch", "f,f-2,,10,20,40,,,watch"]);
    }
}
