//! The changes of a run, and of a study.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::{sync::watch, time::Instant};
use tonic::Status;

use crate::{clock::Clock, run::RunView, store::State, studies::StudyView};

/// Shortest time from one report of progress to the next.
const PROGRESS_PERIOD: Duration = Duration::from_millis(500);

/// A run's views: the present one, then each change of state, and progress at [`PROGRESS_PERIOD`]; ends with the last state.
pub(in crate::control) fn views<T, F, Fut>(
    views: watch::Receiver<Arc<RunView>>,
    show: F,
) -> impl Stream<Item = Result<T, Status>> + Send
where
    T: Send,
    F: Fn(Arc<RunView>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T, Status>> + Send,
{
    let start = Following { views, show, reported: None, clock: Clock };
    stream::unfold(Some(start), |following| async {
        let mut following = following?;
        let view = following.next().await?;
        let message = (following.show)(Arc::clone(&view)).await;
        let more = message.is_ok() && !view.file.state.is_terminal();
        Some((message, more.then_some(following)))
    })
}

/// A study's views: the present one, then each change; ends with the last state.
pub(in crate::control) fn study_views(
    views: watch::Receiver<Arc<StudyView>>,
) -> impl Stream<Item = Arc<StudyView>> + Send {
    stream::unfold((Some(views), true), |(views, is_first)| async move {
        let mut views = views?;
        if !is_first {
            views.changed().await.ok()?;
        }
        let view = views.borrow_and_update().clone();
        let more = !view.file.state.is_terminal();
        Some((view, (more.then_some(views), false)))
    })
}

struct Following<F> {
    views: watch::Receiver<Arc<RunView>>,
    show: F,
    reported: Option<(Instant, State)>,
    clock: Clock,
}

impl<F> Following<F> {
    /// The next view to report; `None` when no more can come.
    async fn next(&mut self) -> Option<Arc<RunView>> {
        if let Some((at, state)) = self.reported {
            self.views.changed().await.ok()?;
            let due = at + PROGRESS_PERIOD;
            // A change of state is reported at once, progress when it is due.
            while self.views.borrow().file.state == state && self.clock.now() < due {
                tokio::select! {
                    changed = self.views.changed() => changed.ok()?,
                    () = tokio::time::sleep_until(due) => {}
                }
            }
        }
        let view = self.views.borrow_and_update().clone();
        self.reported = Some((self.clock.now(), view.file.state));
        Some(view)
    }
}
