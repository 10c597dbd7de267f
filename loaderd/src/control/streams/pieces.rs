//! A stream of what work on a blocking thread gives, piece by piece.

use std::{ops::ControlFlow, time::Duration};

use futures_util::{Stream, stream};
use tokio::{
    runtime::Handle,
    sync::mpsc,
    task::JoinHandle,
    time::{error::Elapsed, timeout},
};
use tonic::Status;

use crate::control::{places::Place, status};

/// Pieces that are made ahead of the client.
const AHEAD: usize = 4;

/// How long a client may take to take one.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was made, and who makes more. Work whose client went away ends with its next piece, and work whose client does not take
/// any for too long.
struct Working<T, E> {
    pieces: mpsc::Receiver<T>,
    work: JoinHandle<(Result<(), E>, Option<Elapsed>)>,
}

/// The pieces that `work` hands to its sink, then how it failed if it did. It works in a place of its own.
pub(super) fn pieces<T, E>(
    place: Place,
    work: impl FnOnce(&mut dyn FnMut(T) -> ControlFlow<()>) -> Result<(), E> + Send + 'static,
) -> impl Stream<Item = Result<T, Status>> + Send
where
    T: Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let (send, pieces) = mpsc::channel(AHEAD);
    let runtime = Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        let mut late = None;
        let worked = work(&mut |piece| match runtime.block_on(timeout(PATIENCE, send.send(piece))) {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) => ControlFlow::Break(()),
            Err(elapsed) => {
                late = Some(elapsed);
                ControlFlow::Break(())
            }
        });
        drop(place);
        (worked, late)
    });
    stream::unfold(Some(Working { pieces, work }), |working| async {
        let mut working = working?;
        if let Some(piece) = working.pieces.recv().await {
            return Some((Ok(piece), Some(working)));
        }
        let failed = match working.work.await {
            Ok((Ok(()), None)) => return None,
            Ok((_, Some(_))) => {
                let words = format!("the client took nothing for {}", humantime::format_duration(PATIENCE));
                Status::deadline_exceeded(words)
            }
            Ok((Err(error), None)) => Status::internal(error.to_string()),
            Err(error) => status::broken(&error),
        };
        Some((Err(failed), None))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;
    use crate::control::places::Places;

    /// Counts for ever.
    fn count(sink: &mut dyn FnMut(u32) -> ControlFlow<()>) -> Result<(), String> {
        let stopped = (0..).find(|number| sink(*number).is_break());
        stopped.map(|_| ()).ok_or_else(|| "it ended".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up_and_gives_its_place_back() {
        let places = Places::default();
        let mut taken: Vec<_> = std::iter::from_fn(|| places.take().ok()).collect();
        assert_eq!(taken.len(), 64);
        let refused = places.take().expect_err("there is none left");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let stream = std::pin::pin!(pieces(taken.remove(0), count));
        // Nobody takes any. The clock does not go on by itself as long as a thread is at work.
        while places.take().is_err() {
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let told: Vec<_> = stream.map(|piece| piece.map_err(|status| status.code())).collect().await;
        assert_eq!(told, [Ok(0), Ok(1), Ok(2), Ok(3), Err(tonic::Code::DeadlineExceeded)]);
    }

    #[tokio::test]
    async fn one_that_goes_away_gives_its_place_back() {
        let places = Places::default();
        let taken: Vec<_> = (1..64).map(|_| places.take().expect("there is one")).collect();
        let mut stream = Box::pin(pieces(places.take().expect("there is one"), count));
        assert_eq!(stream.next().await.expect("a piece").expect("is good"), 0);
        assert!(places.take().is_err());
        drop(stream);
        while places.take().is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(taken);
    }
}
