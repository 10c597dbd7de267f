//! A run's results, file by file.

use std::ops::ControlFlow;

use futures_util::{Stream, stream};
use loader_proto::v1;
use tokio::{sync::mpsc, task::JoinHandle};
use tonic::Status;

use crate::{
    control::status,
    results::{self, ExportError, Layout, Piece},
    run::RunDirectory,
};

/// Pieces that are read ahead of the client.
const AHEAD: usize = 4;

/// The layout that a request names.
///
/// # Errors
/// INVALID_ARGUMENT for one that there isn't.
pub(in crate::control) fn layout(name: &str) -> Result<Layout, Status> {
    name.parse().map_err(|unknown: results::UnknownLayout| status::fault("layout", unknown.to_string()))
}

/// What has been read, and who reads on. A reader whose client went away ends with its next piece.
struct Reading {
    pieces: mpsc::Receiver<Piece>,
    reader: JoinHandle<Result<(), ExportError>>,
}

/// The files of a run, piece by piece.
pub(in crate::control) fn results(
    directory: &RunDirectory,
    layout: Layout,
) -> impl Stream<Item = Result<v1::DownloadResultsResponse, Status>> + Send + use<> {
    let (send, pieces) = mpsc::channel(AHEAD);
    let path = directory.path().to_owned();
    let reader = tokio::task::spawn_blocking(move || {
        let mut sink = |piece| match send.blocking_send(piece) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        results::export(&path, layout, &mut sink)
    });
    stream::unfold(Some(Reading { pieces, reader }), |reading| async {
        let mut reading = reading?;
        match reading.pieces.recv().await {
            Some(Piece { file, data }) => Some((Ok(v1::DownloadResultsResponse { file, data }), Some(reading))),
            None => match reading.reader.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((Err(Status::internal(error.to_string())), None)),
                Err(error) => Some((Err(status::broken(&error)), None)),
            },
        }
    })
}
