//! What can be wrong with watches without an error: they deliver nothing for a while.

use super::{Cluster, Shared};

impl Cluster {
    /// Holds back all events of watches, or delivers them; connections stay open, as behind a network that drops packets.
    pub fn hold_watches(&self, held: bool) {
        self.shared.held.send_replace(held);
    }
}

impl Shared {
    /// Waits until watches may deliver.
    pub(super) async fn delivers(&self) {
        let mut held = self.held.subscribe();
        // The sender lives as long as this does.
        let _open = held.wait_for(|held| !held).await;
    }
}
