//! Seats: a bound on what is held at the same time, of all callers and of each, so that none keeps the others out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many seats there are.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// For all callers together.
    pub all: usize,
    /// For each caller.
    pub each: usize,
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The caller has as many as it may have.
    ByCaller(usize),
    /// All callers together have all of them.
    ByAll(usize),
}

/// The seats. Clones share them.
#[derive(Debug, Clone)]
pub struct Seats {
    most: Most,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A seat, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    caller: String,
    seats: Seats,
}

impl Seats {
    /// So many seats, none of which is taken.
    pub fn new(most: Most) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// Takes a seat.
    ///
    /// # Errors
    /// When all are taken, or as many as the caller may have.
    pub fn take(&self, caller: &str) -> Result<Seat, Taken> {
        let mut taken = self.taken();
        let own = taken.get(caller).copied().unwrap_or_default();
        if own >= self.most.each {
            return Err(Taken::ByCaller(own));
        }
        if taken.values().sum::<usize>() >= self.most.all {
            return Err(Taken::ByAll(self.most.all));
        }
        taken.insert(caller.to_owned(), own + 1);
        Ok(Seat { caller: caller.to_owned(), seats: self.clone() })
    }

    /// Whether any is taken.
    pub fn any(&self) -> bool {
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
        assert_eq!(seats.take("ann").err(), Some(Taken::ByCaller(2)));
        let other = seats.take("bob").expect("is free");
        assert_eq!(seats.take("eve").err(), Some(Taken::ByAll(3)));
        assert!(seats.any());
        drop(taken);
        assert!(seats.take("eve").is_ok());
        drop(other);
        assert!(!seats.any());
    }
}
