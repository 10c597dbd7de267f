//! How often a clamp touched what was drawn, counted where invocations are generated and read where the plan is.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A count that the slots of a plan share with it: a slot's invocations are drawn while the plan is elsewhere.
#[derive(Debug, Clone, Default)]
pub(super) struct ClampCount(Arc<AtomicU64>);

impl ClampCount {
    /// Counts one invocation, if a clamp touched it.
    pub(super) fn add(&self, touched: bool) {
        if touched {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The count so far.
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
