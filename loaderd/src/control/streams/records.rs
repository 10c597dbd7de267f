//! A run's records, during the run and after it.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use loader_proto::v1;
use tokio::sync::watch;
use tonic::Status;

use crate::{
    control::{convert, status},
    results::{Nodes, ReadError, RecordReader},
    run::RunView,
    store::RunDirectory,
};

/// How often a growing file is read.
const POLL_PERIOD: Duration = Duration::from_millis(250);

/// What a stream reads.
struct Sources {
    records: RecordReader,
    /// Absent where none are asked for.
    nodes: Option<Nodes>,
}

/// What was read at once.
type Batch = v1::StreamRecordsResponse;

/// A reader, and the run whose end ends the stream.
struct Tail {
    sources: Sources,
    views: watch::Receiver<Arc<RunView>>,
}

/// The records of a run from the first on, until the run has ended; each with its node's nearest sample, if that is asked for.
pub(in crate::control) fn records(
    directory: &RunDirectory,
    views: watch::Receiver<Arc<RunView>>,
    with_nodes: bool,
) -> impl Stream<Item = Result<v1::StreamRecordsResponse, Status>> + Send + use<> {
    let nodes = with_nodes.then(|| Nodes::new(directory.path()));
    let tail = Tail { sources: Sources { records: RecordReader::new(directory.path()), nodes }, views };
    stream::unfold(Some(tail), |tail| async {
        match tail?.next().await {
            Ok((batch, tail)) if batch.records.is_empty() => match tail.sources.records.cut_off_bytes() {
                0 => None,
                cut_off_bytes => Some((Ok(Batch { cut_off_bytes, ..Batch::default() }), None)),
            },
            Ok((batch, tail)) => Some((Ok(batch), Some(tail))),
            Err(status) => Some((Err(status), None)),
        }
    })
}

impl Tail {
    /// The next records; none at the end of the stream.
    async fn next(mut self) -> Result<(Batch, Self), Status> {
        loop {
            // Checked before the file is read, so that all rows written before the end are read.
            let ended = self.views.borrow().file.state.is_terminal() || self.views.has_changed().is_err();
            let (batch, sources) = read(self.sources).await?;
            self.sources = sources;
            if ended || !batch.records.is_empty() {
                return Ok((batch, self));
            }
            tokio::time::sleep(POLL_PERIOD).await;
        }
    }
}

impl Sources {
    /// The records that are new, with their nodes.
    fn read(&mut self) -> Result<Batch, ReadError> {
        let records = self.records.read()?;
        let mut nodes = Vec::new();
        if let Some(samples) = &mut self.nodes {
            samples.update()?;
            let nearest = |record| samples.nearest(record).map(convert::nearest_node).unwrap_or_default();
            nodes.extend(records.iter().map(nearest));
        }
        Ok(Batch { records: records.into_iter().map(convert::record).collect(), cut_off_bytes: 0, nodes })
    }
}

/// Reads on a blocking thread.
async fn read(mut sources: Sources) -> Result<(Batch, Sources), Status> {
    let read = move || sources.read().map(|batch| (batch, sources));
    let read = tokio::task::spawn_blocking(read).await.map_err(|error| status::broken(&error))?;
    read.map_err(|error: ReadError| Status::internal(error.to_string()))
}
