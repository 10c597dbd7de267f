//! The streaming methods. A client that reads slowly, or goes away, holds nothing up: streams are pulled, and what they
//! tell comes from files or from the latest view of a run.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::{sync::watch, time::Instant};
use tonic::Status;

use crate::{clock::Clock, run::RunView};

/// How often progress is told at most.
const PACE: Duration = Duration::from_millis(500);

/// A run's views: the one of now, then each change of state, and progress at [`PACE`]; ends with the last state.
pub(super) fn views<T, F, Fut>(
    views: watch::Receiver<Arc<RunView>>,
    show: F,
) -> impl Stream<Item = Result<T, Status>> + Send
where
    T: Send,
    F: Fn(Arc<RunView>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T, Status>> + Send,
{
    let start = Following { views, show, told: None, clock: Clock };
    stream::unfold(Some(start), |following| async {
        let mut following = following?;
        let view = following.next().await?;
        let told = (following.show)(Arc::clone(&view)).await;
        let more = told.is_ok() && !view.file.state.is_terminal();
        Some((told, more.then_some(following)))
    })
}

struct Following<F> {
    views: watch::Receiver<Arc<RunView>>,
    show: F,
    told: Option<(Instant, crate::run::State)>,
    clock: Clock,
}

impl<F> Following<F> {
    /// The next view to tell; `None` when the run's task has ended and nothing new can come.
    async fn next(&mut self) -> Option<Arc<RunView>> {
        if let Some((at, state)) = self.told {
            self.views.changed().await.ok()?;
            let due = at + PACE;
            // A change of state is told at once; progress waits for its time.
            while self.views.borrow().file.state == state && self.clock.now() < due {
                tokio::select! {
                    changed = self.views.changed() => changed.ok()?,
                    () = tokio::time::sleep_until(due) => {}
                }
            }
        }
        let view = self.views.borrow_and_update().clone();
        self.told = Some((self.clock.now(), view.file.state));
        Some(view)
    }
}
pub(super) fn records(
    _: crate::run::RunDirectory,
    _: watch::Receiver<Arc<RunView>>,
) -> impl Stream<Item = Result<loader_proto::v1::StreamRecordsResponse, Status>> + Send {
    stream::empty()
}
pub(super) fn layout(_: &str) -> Result<(), Status> {
    Ok(())
}
pub(super) fn results(
    _: &crate::run::RunDirectory,
    _: (),
) -> Result<impl Stream<Item = Result<loader_proto::v1::DownloadResultsResponse, Status>> + Send + use<>, Status> {
    Ok(stream::empty())
}
pub(super) fn upload(
    _: crate::traces::TraceStore,
    _: tonic::Streaming<loader_proto::v1::UploadTraceRequest>,
) -> impl Stream<Item = Result<loader_proto::v1::UploadTraceResponse, Status>> + Send {
    stream::empty()
}
