//! Seats: a bound on what is held at the same time, of all callers and of each, so that none keeps the others out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many seats there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// For all callers together.
    pub(super) all: usize,
    /// For each caller.
    pub(super) each: usize,
}

/// The seats. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    most: Most,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A seat, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    caller: String,
    seats: Seats,
}

impl Seats {
    pub(super) fn new(most: Most) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// Takes a seat; none when all are taken, or as many as the caller may have.
    pub(super) fn take(&self, caller: &str) -> Option<Seat> {
        let mut taken = self.taken();
        let own = taken.get(caller).copied().unwrap_or_default();
        if own >= self.most.each || taken.values().sum::<usize>() >= self.most.all {
            return None;
        }
        taken.insert(caller.to_owned(), own + 1);
        Some(Seat { caller: caller.to_owned(), seats: self.clone() })
    }

    /// Whether any is taken.
    pub(super) fn any(&self) -> bool {
        !self.taken().is_empty()
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // Each change is whole.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(own) = taken.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_caller_takes_what_others_need() {
        let seats = Seats::new(Most { all: 3, each: 2 });
        assert!(!seats.any());
        let taken: Vec<_> = (0..2).map(|_| seats.take("ann").expect("is free")).collect();
        assert!(seats.take("ann").is_none());
        let other = seats.take("bob").expect("is free");
        assert!(seats.take("eve").is_none() && seats.any());
        drop(taken);
        assert!(seats.take("eve").is_some());
        drop(other);
        assert!(!seats.any());
    }
}
