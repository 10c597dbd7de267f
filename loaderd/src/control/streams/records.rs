//! A run's records, during the run and after it.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use loader_proto::{schema::InvocationRecord, v1};
use tokio::sync::watch;
use tonic::Status;

use crate::{
    control::{convert, status},
    results::{ReadError, RecordReader},
    run::RunView,
    store::RunDirectory,
};

/// How often a growing file is read.
const POLL_PERIOD: Duration = Duration::from_millis(250);

/// A reader, and the run whose end ends the stream.
struct Tail {
    reader: RecordReader,
    views: watch::Receiver<Arc<RunView>>,
}

/// The records of a run from the first on, until the run has ended.
pub(in crate::control) fn records(
    directory: &RunDirectory,
    views: watch::Receiver<Arc<RunView>>,
) -> impl Stream<Item = Result<v1::StreamRecordsResponse, Status>> + Send + use<> {
    let tail = Tail { reader: RecordReader::new(directory.path()), views };
    stream::unfold(Some(tail), |tail| async {
        match tail?.next().await {
            Ok((records, tail)) if records.is_empty() => match tail.reader.cut_off_bytes() {
                0 => None,
                cut_off_bytes => Some((Ok(v1::StreamRecordsResponse { cut_off_bytes, ..Default::default() }), None)),
            },
            Ok((records, tail)) => {
                let records = records.into_iter().map(convert::record).collect();
                Some((Ok(v1::StreamRecordsResponse { records, cut_off_bytes: 0 }), Some(tail)))
            }
            Err(status) => Some((Err(status), None)),
        }
    })
}

impl Tail {
    /// The next records; none at the end of the stream.
    async fn next(mut self) -> Result<(Vec<InvocationRecord<'static>>, Self), Status> {
        loop {
            // Checked before the file is read, so that all rows written before the end are read.
            let ended = self.views.borrow().file.state.is_terminal() || self.views.has_changed().is_err();
            let (records, reader) = read(self.reader).await?;
            self.reader = reader;
            if ended || !records.is_empty() {
                return Ok((records, self));
            }
            tokio::time::sleep(POLL_PERIOD).await;
        }
    }
}

/// Reads on a blocking thread.
async fn read(mut reader: RecordReader) -> Result<(Vec<InvocationRecord<'static>>, RecordReader), Status> {
    let read = move || reader.read().map(|records| (records, reader));
    let read = tokio::task::spawn_blocking(read).await.map_err(|error| status::broken(&error))?;
    read.map_err(|error: ReadError| Status::internal(error.to_string()))
}
