//! A run as it changes.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::{sync::watch, time::Instant};
use tonic::Status;

use crate::{clock::Clock, run::RunView, store::State};

/// How often progress is told at most.
const PACE: Duration = Duration::from_millis(500);

/// A run's views: the one of now, then each change of state, and progress at [`PACE`]; ends with the last state.
pub(in crate::control) fn views<T, F, Fut>(
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
    told: Option<(Instant, State)>,
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
