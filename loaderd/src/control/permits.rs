//! Permits for requests that hold a thread or memory for as long as their client likes. Runs need these, too, so that the number
//! of such requests is bounded: of all callers together, and of each caller, so that none keeps the others out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tonic::Status;

/// How many permits there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// For all callers together.
    pub(super) all: usize,
    /// For each caller.
    pub(super) each: usize,
}

/// The permits. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Permits {
    most: Most,
    /// What the permits are for, in the plural.
    uses: &'static str,
    /// The permits that each caller holds.
    held: Arc<Mutex<HashMap<String, usize>>>,
}

/// A permit, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    caller: String,
    permits: Permits,
}

impl Permits {
    pub(super) fn new(uses: &'static str, most: Most) -> Self {
        Self { most, uses, held: Arc::default() }
    }

    /// Permits for what takes long.
    pub(super) fn of_long_requests() -> Self {
        Self::new("uploads, downloads, plans and single invocations", Most { all: 64, each: 16 })
    }

    /// Takes one permit without waiting.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when the caller has as many as it may, or all are taken.
    pub(super) fn take(&self, caller: &str) -> Result<Permit, Status> {
        let Self { most: Most { all, each }, uses, .. } = self;
        let mut held = self.held();
        let own = held.get(caller).copied().unwrap_or_default();
        if own >= *each {
            let text = format!("{own} {uses} of {caller} are in progress: try again when one has ended");
            return Err(Status::resource_exhausted(text));
        }
        if held.values().sum::<usize>() >= *all {
            let text = format!("{all} {uses} are in progress: try again when one has ended");
            return Err(Status::resource_exhausted(text));
        }
        held.insert(caller.to_owned(), own + 1);
        Ok(Permit { caller: caller.to_owned(), permits: self.clone() })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // Each change is whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut held = self.permits.held();
        if let Some(own) = held.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                held.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_caller_takes_what_others_need() {
        let permits = Permits::new("things", Most { all: 5, each: 2 });
        let mut taken: Vec<_> = (0..2).map(|_| permits.take("ann").expect("is free")).collect();
        let refused = permits.take("ann").expect_err("has as many as it may");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        taken.extend(["bob", "bob", "eve"].map(|caller| permits.take(caller).expect("is free")));
        permits.take("eve").expect_err("all are taken");
        drop(taken.remove(0));
        permits.take("eve").expect("is free again");
        drop(taken);
        assert!(permits.held().is_empty());
    }
}
