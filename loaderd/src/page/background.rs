//! Work that takes processor time, on a thread of its own that yields to those that send.

use crate::dispatch::{Lost, Running};

/// Work that left no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The system refuses another thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// It panicked.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Runs `work`, and waits for its result. It goes on when the caller does not wait any more.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Broken> {
    Ok(Running::start_yielding("page", work)?.take().await?)
}
