//! A stream of what work on a blocking thread produces, piece by piece.

use std::{ops::ControlFlow, time::Duration};

use futures_util::{Stream, stream};
use tokio::{
    runtime::Handle,
    sync::mpsc,
    task::JoinHandle,
    time::{error::Elapsed, timeout},
};
use tonic::Status;

use crate::control::{permits::Permit, status};

/// Pieces that are made ahead of the client.
const AHEAD: usize = 4;

/// How long a client may take to read one.
const CLIENT_TIMEOUT: Duration = Duration::from_mins(1);

/// Pieces that were made, and the work that makes more. It ends with its next piece when the client has disconnected, and when the
/// client reads nothing for [`CLIENT_TIMEOUT`].
struct Working<T, E> {
    pieces: mpsc::Receiver<T>,
    work: JoinHandle<(Result<(), E>, Option<Elapsed>)>,
}

/// The pieces that `work` hands to its sink, then how it failed if it did. It holds `permit` until it ends.
pub(super) fn pieces<T, E>(
    permit: Permit,
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
        let worked = work(&mut |piece| match runtime.block_on(timeout(CLIENT_TIMEOUT, send.send(piece))) {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) => ControlFlow::Break(()),
            Err(elapsed) => {
                late = Some(elapsed);
                ControlFlow::Break(())
            }
        });
        drop(permit);
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
                let limit = humantime::format_duration(CLIENT_TIMEOUT);
                Status::deadline_exceeded(format!("the client read nothing for {limit}"))
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
    use crate::control::permits::Permits;

    fn count(sink: &mut dyn FnMut(u32) -> ControlFlow<()>) -> Result<(), String> {
        let stopped = (0..).find(|number| sink(*number).is_break());
        stopped.map(|_| ()).ok_or_else(|| "it ended".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_cancelled_and_releases_its_permit() {
        let permits = Permits::of_long_requests();
        let mut taken: Vec<_> = std::iter::from_fn(|| permits.take("eve").ok()).collect();
        assert_eq!(taken.len(), 16);
        let refused = permits.take("eve").expect_err("none is left");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let stream = std::pin::pin!(pieces(taken.remove(0), count));
        // Nothing is read. The clock does not advance by itself while a thread works.
        while permits.take("eve").is_err() {
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let received: Vec<_> = stream.map(|piece| piece.map_err(|status| status.code())).collect().await;
        assert_eq!(received, [Ok(0), Ok(1), Ok(2), Ok(3), Err(tonic::Code::DeadlineExceeded)]);
    }

    #[tokio::test]
    async fn a_client_that_disconnects_releases_its_permit() {
        let permits = Permits::of_long_requests();
        let taken: Vec<_> = (1..16).map(|_| permits.take("eve").expect("a permit")).collect();
        let mut stream = Box::pin(pieces(permits.take("eve").expect("a permit"), count));
        assert_eq!(stream.next().await.expect("a piece").expect("no error"), 0);
        assert!(permits.take("eve").is_err());
        drop(stream);
        while permits.take("eve").is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(taken);
    }
}
