//! A run's results, file by file.

use futures_util::{Stream, StreamExt as _};
use loader_proto::v1;
use tonic::Status;

use super::pieces::pieces;
use crate::{
    control::{permits::Permit, status},
    results::{self, Layout, Piece},
    store::RunDirectory,
};

/// The layout that a request names.
///
/// # Errors
/// INVALID_ARGUMENT for an unknown layout.
pub(in crate::control) fn layout(name: &str) -> Result<Layout, Status> {
    name.parse().map_err(|unknown: results::UnknownLayout| status::fault("layout", unknown.to_string()))
}

/// The files of a run, piece by piece.
pub(in crate::control) fn results(
    directory: &RunDirectory,
    layout: Layout,
    permit: Permit,
) -> impl Stream<Item = Result<v1::DownloadResultsResponse, Status>> + Send + use<> {
    let path = directory.path().to_owned();
    let files = pieces(permit, move |sink| results::export(&path, layout, sink));
    files.map(|piece| piece.map(|Piece { file, data }| v1::DownloadResultsResponse { file, data }))
}
