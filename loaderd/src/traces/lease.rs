//! One writer for each trace.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The right to write a trace, released on drop.
#[derive(Debug)]
pub(super) struct Lease {
    under_way: Arc<Mutex<HashSet<String>>>,
    id: String,
}

impl Lease {
    /// Takes it, unless another upload of the trace has it.
    pub(super) fn take(under_way: &Arc<Mutex<HashSet<String>>>, id: &str) -> Option<Self> {
        // A set of names stays valid even if a holder panicked.
        let first = under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        first.then(|| Self { under_way: Arc::clone(under_way), id: id.to_owned() })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
