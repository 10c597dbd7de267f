//! Counts connections.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The number of connections, over all workers.
#[derive(Debug, Clone, Default)]
pub struct ConnectionCount {
    pub(super) open: Arc<AtomicU64>,
    pub(super) connecting: Arc<AtomicU64>,
}

impl ConnectionCount {
    /// Number of established connections.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Connections that are being made.
    pub fn connecting(&self) -> u64 {
        self.connecting.load(Ordering::Relaxed)
    }

    /// Takes the numbers of a load that is sent elsewhere.
    pub fn reported(&self, open: u64, connecting: u64) {
        self.open.store(open, Ordering::Relaxed);
        self.connecting.store(connecting, Ordering::Relaxed);
    }
}

/// Counts one connection until dropped.
pub(super) struct Counted(Arc<AtomicU64>);

impl Counted {
    pub(super) fn new(counter: &Arc<AtomicU64>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
