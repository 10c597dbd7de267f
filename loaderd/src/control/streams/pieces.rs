//! A stream of what work on a blocking thread gives, piece by piece.

use std::ops::ControlFlow;

use futures_util::{Stream, stream};
use tokio::{sync::mpsc, task::JoinHandle};
use tonic::Status;

use crate::control::status;

/// Pieces that are made ahead of the client.
const AHEAD: usize = 4;

/// What was made, and who makes more. Work whose client went away ends with its next piece.
struct Working<T, E> {
    pieces: mpsc::Receiver<T>,
    work: JoinHandle<Result<(), E>>,
}

/// The pieces that `work` hands to its sink, then how it failed if it did.
pub(super) fn pieces<T, E>(
    work: impl FnOnce(&mut dyn FnMut(T) -> ControlFlow<()>) -> Result<(), E> + Send + 'static,
) -> impl Stream<Item = Result<T, Status>> + Send
where
    T: Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let (send, pieces) = mpsc::channel(AHEAD);
    let work = tokio::task::spawn_blocking(move || {
        work(&mut |piece| match send.blocking_send(piece) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    });
    stream::unfold(Some(Working { pieces, work }), |working| async {
        let mut working = working?;
        match working.pieces.recv().await {
            Some(piece) => Some((Ok(piece), Some(working))),
            None => match working.work.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((Err(Status::internal(error.to_string())), None)),
                Err(error) => Some((Err(status::broken(&error)), None)),
            },
        }
    })
}
