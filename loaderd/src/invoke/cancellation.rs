//! Giving up on calls that are out.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::Status;

/// By which a run gives up on all its calls that are out, once. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Abandon {
    token: CancellationToken,
    status: Arc<OnceLock<Status>>,
}

impl Abandon {
    /// Ends every call that is out with `status`. Only the first time counts.
    pub fn give_up(&self, status: Status) {
        let _first = self.status.set(status);
        self.token.cancel();
    }

    /// Waits until the calls are given up; the status that they get.
    pub(super) async fn given_up(&self) -> Status {
        self.token.cancelled().await;
        self.status.get().copied().unwrap_or(Status::Cancelled)
    }
}
