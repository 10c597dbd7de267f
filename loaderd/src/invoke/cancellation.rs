//! Cancellation of the calls in flight.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::outcome::Status;

/// Cancels all calls of a run that are in flight, once. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    token: CancellationToken,
    status: Arc<OnceLock<Status>>,
}

impl Cancellation {
    /// Ends every call in flight with `status`. Only the first call of this method has an effect.
    pub fn cancel(&self, status: Status) {
        let _first = self.status.set(status);
        self.token.cancel();
    }

    /// Whether both cancel the same calls.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.status, &other.status)
    }

    /// Waits until the calls are cancelled; returns their status.
    pub(super) async fn cancelled(&self) -> Status {
        self.token.cancelled().await;
        self.status.get().copied().unwrap_or(Status::Cancelled)
    }
}
