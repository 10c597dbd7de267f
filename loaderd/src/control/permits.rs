//! Permits for requests that hold a blocking thread for as long as their client likes. Runs need such threads, too, so that the
//! number of these requests is bounded.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

/// Permits, for all clients together.
const MAX_PERMITS: usize = 64;

/// The permits. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Permits(Arc<Semaphore>);

/// A permit, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit(#[expect(dead_code, reason = "it is held, not looked at")] OwnedSemaphorePermit);

impl Default for Permits {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_PERMITS)))
    }
}

impl Permits {
    /// Takes one permit without waiting.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when all are taken.
    pub(super) fn take(&self) -> Result<Permit, Status> {
        let permit = Arc::clone(&self.0).try_acquire_owned();
        permit.map(Permit).map_err(|_| {
            Status::resource_exhausted(format!(
                "{MAX_PERMITS} downloads, plans and single invocations are in progress: try again when one has ended"
            ))
        })
    }
}
