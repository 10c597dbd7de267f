//! The budget from which invocations reserve memory before they touch it.
//!
//! What the system says to be free already lacks what the process has touched, and not what is reserved and still to be
//! touched. So a new reservation fits when
//!
//! ```text
//! reserved + asked ≤ free + touched
//! ```
//!
//! All of it is read and written under one lock, and in an order by which a race makes the room look smaller, never
//! larger: `touched` grows after the writes and shrinks before the unmapping, `reserved` shrinks after it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{arena::MIB, error::MemoryError, room::Room};

/// What an invocation must leave free: page tables and thread stacks, and pages whose charge the kernel counts in
/// batches.
const MARGIN: u64 = 4 * MIB;

/// The budget that the invocations of a process share.
#[derive(Debug)]
pub(super) struct Budget {
    room: Box<dyn Room>,
    ledger: Mutex<Ledger>,
    given_back: Condvar,
}

/// Bytes of all reservations together.
#[derive(Debug, Default)]
struct Ledger {
    reserved: u64,
    touched: u64,
    /// Part of `reserved` that is being unmapped.
    returning: u64,
}

impl Budget {
    pub(super) fn new(room: Box<dyn Room>) -> Self {
        Self { room, ledger: Mutex::default(), given_back: Condvar::new() }
    }

    /// Reserves `bytes`. Waits for memory that is just being given back when that could help.
    pub(super) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reservation, MemoryError> {
        let mut ledger = self.ledger();
        loop {
            let free = self.room.free();
            let capacity = free.bytes.saturating_add(ledger.touched).saturating_sub(MARGIN);
            let left = capacity.saturating_sub(ledger.reserved);
            if with_page_tables(bytes) <= left {
                ledger.reserved += bytes;
                return Ok(Reservation { budget: Arc::clone(self), bytes, touched: 0, returning: false });
            }
            if ledger.returning == 0 {
                let (asked_mib, free_mib) = (bytes / MIB, left / MIB);
                return Err(MemoryError::Exhausted { asked_mib, free_mib, bound: free.bound });
            }
            ledger = self.given_back.wait(ledger).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A share of nothing, to begin with.
    pub(super) fn nothing(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), bytes: 0, touched: 0, returning: false }
    }

    /// The ledger. Each change to it is one step, so that a panic elsewhere leaves nothing half done.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `bytes` and the page tables for them: 8 bytes for each page of 4 KiB.
fn with_page_tables(bytes: u64) -> u64 {
    bytes + bytes / 512
}

/// A share of the budget; dropped, it goes back.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: Arc<Budget>,
    bytes: u64,
    touched: u64,
    returning: bool,
}

impl Reservation {
    /// Says that `bytes` more have been written to, and so are missing from what the system says to be free.
    pub(super) fn touched(&mut self, bytes: u64) {
        self.budget.ledger().touched += bytes;
        self.touched += bytes;
    }

    /// The share of `bytes` of it, taken out. Of what was written to, as much goes with it as it can hold.
    pub(super) fn split(&mut self, bytes: u64) -> Self {
        let bytes = bytes.min(self.bytes);
        let touched = self.touched.min(bytes);
        self.bytes -= bytes;
        self.touched -= touched;
        Self { budget: Arc::clone(&self.budget), bytes, touched, returning: false }
    }

    /// Takes another share in. Neither is being given back.
    pub(super) fn absorb(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
        self.touched += std::mem::take(&mut other.touched);
    }

    /// Says that the mapping is about to go, so that others wait for it instead of failing. Once is enough.
    pub(super) fn start_return(&mut self) {
        if self.returning {
            return;
        }
        let mut ledger = self.budget.ledger();
        ledger.touched -= self.touched;
        ledger.returning += self.bytes;
        self.touched = 0;
        self.returning = true;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.start_return();
        let mut ledger = self.budget.ledger();
        ledger.reserved -= self.bytes;
        ledger.returning -= self.bytes;
        drop(ledger);
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        thread,
    };

    use super::*;
    use crate::memory::room::{Bound, Free};

    /// A system with so many bytes free, which the test moves.
    #[derive(Debug, Clone)]
    struct Fixed(Arc<AtomicU64>);

    impl Fixed {
        fn new(free: u64) -> Self {
            Self(Arc::new(AtomicU64::new(free)))
        }
    }

    impl Room for Fixed {
        fn free(&self) -> Free {
            Free { bytes: self.0.load(Ordering::SeqCst), bound: Bound::Host }
        }
    }

    fn budget(room: &Fixed) -> Arc<Budget> {
        Arc::new(Budget::new(Box::new(room.clone())))
    }

    #[test]
    fn a_reservation_must_leave_the_margin_and_the_page_tables_free() {
        let budget = budget(&Fixed::new(516 * MIB));
        assert!(matches!(
            budget.reserve(512 * MIB),
            Err(MemoryError::Exhausted { asked_mib: 512, free_mib: 512, bound: Bound::Host })
        ));
        assert!(budget.reserve(511 * MIB).is_ok());
    }

    #[test]
    fn less_than_the_margin_is_no_room_at_all() {
        assert!(matches!(
            budget(&Fixed::new(MIB)).reserve(MIB),
            Err(MemoryError::Exhausted { asked_mib: 1, free_mib: 0, .. })
        ));
    }

    #[test]
    fn what_is_reserved_counts_until_it_is_dropped() {
        let budget = budget(&Fixed::new(100 * MIB));
        let first = budget.reserve(60 * MIB).unwrap();
        assert!(budget.reserve(60 * MIB).is_err());
        drop(first);
        assert!(budget.reserve(60 * MIB).is_ok());
    }

    #[test]
    fn touched_memory_is_not_counted_twice() {
        let room = Fixed::new(100 * MIB);
        let budget = budget(&room);
        let mut first = budget.reserve(60 * MIB).unwrap();
        first.touched(60 * MIB);
        room.0.store(40 * MIB, Ordering::SeqCst);
        let second = budget.reserve(30 * MIB).unwrap();
        assert!(budget.reserve(10 * MIB).is_err());
        drop(second);
        drop(first);
        // The system says 40 MiB still, and nothing is reserved.
        assert!(budget.reserve(35 * MIB).is_ok());
        assert!(budget.reserve(41 * MIB).is_err());
    }

    #[test]
    fn a_reservation_waits_for_memory_that_is_being_given_back() {
        let budget = budget(&Fixed::new(100 * MIB));
        let mut first = budget.reserve(60 * MIB).unwrap();
        first.start_return();
        thread::scope(|scope| {
            let second = scope.spawn(|| budget.reserve(60 * MIB));
            drop(first);
            assert!(second.join().unwrap().is_ok());
        });
    }

    #[test]
    fn shares_can_be_parted_and_joined_and_the_ledger_stays_right() {
        let budget = budget(&Fixed::new(100 * MIB));
        let mut all = budget.reserve(60 * MIB).unwrap();
        all.touched(60 * MIB);
        let part = all.split(20 * MIB);
        let told = |ledger: MutexGuard<'_, Ledger>| (ledger.reserved / MIB, ledger.touched / MIB);
        assert_eq!(told(budget.ledger()), (60, 60));
        drop(part);
        assert_eq!(told(budget.ledger()), (40, 40));
        all.absorb(budget.reserve(10 * MIB).unwrap());
        assert_eq!(told(budget.ledger()), (50, 40));
        drop(all);
        assert_eq!(told(budget.ledger()), (0, 0));
    }

    #[test]
    fn reservations_at_once_never_exceed_the_room_together() {
        const THREADS: u64 = 16;
        let budget = budget(&Fixed::new(100 * MIB + MARGIN));
        let reservations: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| budget.reserve(10 * MIB))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        // Nine and not ten: the tenth would leave nothing for page tables.
        assert_eq!(reservations.iter().filter(|reservation| reservation.is_ok()).count(), 9);
        drop(reservations);
        let ledger = budget.ledger();
        assert_eq!((ledger.reserved, ledger.touched, ledger.returning), (0, 0, 0));
    }
}
