//! A run that the registry knows: how it is published, and how it is cancelled.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{id::RunId, run::RunView};

/// A run that the registry knows.
pub(super) struct Entry {
    pub(super) view: watch::Sender<Arc<RunView>>,
    pub(super) cancel: CancellationToken,
    /// Gives up a clean-up that waits.
    pub(super) give_up: CancellationToken,
}

impl Entry {
    pub(super) fn new(view: Arc<RunView>) -> Self {
        Self { view: watch::Sender::new(view), cancel: CancellationToken::new(), give_up: CancellationToken::new() }
    }

    pub(super) fn id(&self) -> RunId {
        self.view.borrow().file.run_id.clone()
    }
}
