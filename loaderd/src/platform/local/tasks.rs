//! Lets hyper's connections run their own tasks where an owner can await them.

use std::future::Future;

use hyper::rt::Executor;
use tokio_util::task::TaskTracker;

/// Spawns on a tracker.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks(pub(super) TaskTracker);

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
