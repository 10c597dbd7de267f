//! Threads that requests hold for as long as their clients like. They are of those that runs need, too, so there are only so many.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

/// How many there are, for all clients together.
const PLACES: usize = 64;

/// The places. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Semaphore>);

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "it is held, not looked at")] OwnedSemaphorePermit);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

impl Places {
    /// Takes one.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when there is none.
    pub(super) fn take(&self) -> Result<Place, Status> {
        let permit = Arc::clone(&self.0).try_acquire_owned();
        let words = || {
            format!(
                "{PLACES} downloads, plans and invocations by hand are under way: try again when one of them has ended"
            )
        };
        permit.map(Place).map_err(|_| Status::resource_exhausted(words()))
    }
}
