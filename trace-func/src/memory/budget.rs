//! The budget from which invocations reserve memory before they touch it.
//!
//! What the system reports as free excludes what the process has touched, but not what is reserved and still to be
//! touched. So a new reservation fits when
//!
//! ```text
//! reserved + asked ≤ free + touched
//! ```
//!
//! All of it is read and written under one lock, and in an order by which a race makes the free memory look smaller,
//! never larger: `touched` grows after the writes and shrinks before the unmapping, `reserved` shrinks after it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{error::MemoryError, limits::Limits, mapping::MIB};

/// Bytes that an invocation must leave free: for page tables, thread stacks, and pages that the kernel charges in batches.
const MARGIN: u64 = 4 * MIB;

/// The budget that the invocations of a process share.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Box<dyn Limits>,
    accounts: Mutex<Accounting>,
    freed: Condvar,
}

/// Bytes of all reservations together.
#[derive(Debug, Default)]
struct Accounting {
    reserved: u64,
    touched: u64,
    /// Part of `reserved` that is being unmapped.
    returning: u64,
}

impl Budget {
    pub(super) fn new(limits: Box<dyn Limits>) -> Self {
        Self { limits, accounts: Mutex::default(), freed: Condvar::new() }
    }

    /// Reserves `bytes`. Where they do not fit, waits for memory that is just being freed.
    pub(super) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reservation, MemoryError> {
        let mut accounts = self.accounts();
        loop {
            let free = self.limits.free();
            let capacity = free.bytes.saturating_add(accounts.touched).saturating_sub(MARGIN);
            let left = capacity.saturating_sub(accounts.reserved);
            if with_page_tables(bytes) <= left {
                accounts.reserved += bytes;
                return Ok(Reservation { budget: Arc::clone(self), bytes, touched: 0, returning: false });
            }
            if accounts.returning == 0 {
                let (asked_mib, free_mib) = (bytes / MIB, left / MIB);
                return Err(MemoryError::Exhausted { asked_mib, free_mib, bound: free.bound });
            }
            accounts = self.freed.wait(accounts).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A reservation of no bytes.
    pub(super) fn nothing(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), bytes: 0, touched: 0, returning: false }
    }

    /// Locks the accounts. Each change is one step, so that a panic elsewhere leaves nothing half done.
    fn accounts(&self) -> MutexGuard<'_, Accounting> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `bytes` and the page tables for them: 8 bytes for each page of 4 KiB.
fn with_page_tables(bytes: u64) -> u64 {
    bytes + bytes / 512
}

/// A share of the budget, which is returned when dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: Arc<Budget>,
    bytes: u64,
    touched: u64,
    returning: bool,
}

impl Reservation {
    /// Accounts for `bytes` more that have been written to, and so are missing from what the system reports as free.
    pub(super) fn touched(&mut self, bytes: u64) {
        self.budget.accounts().touched += bytes;
        self.touched += bytes;
    }

    /// Splits off a reservation of `bytes`, with as much of what was written to as fits.
    pub(super) fn split(&mut self, bytes: u64) -> Self {
        let bytes = bytes.min(self.bytes);
        let touched = self.touched.min(bytes);
        self.bytes -= bytes;
        self.touched -= touched;
        Self { budget: Arc::clone(&self.budget), bytes, touched, returning: false }
    }

    /// Adds another reservation to this one. Neither is being returned.
    pub(super) fn absorb(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
        self.touched += std::mem::take(&mut other.touched);
    }

    /// Announces that the memory is about to be unmapped, so that others wait for it instead of failing. Idempotent.
    pub(super) fn start_return(&mut self) {
        if self.returning {
            return;
        }
        let mut accounts = self.budget.accounts();
        accounts.touched -= self.touched;
        accounts.returning += self.bytes;
        self.touched = 0;
        self.returning = true;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.start_return();
        let mut accounts = self.budget.accounts();
        accounts.reserved -= self.bytes;
        accounts.returning -= self.bytes;
        drop(accounts);
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        thread,
    };

    use super::*;
    use crate::memory::limits::{Bound, Free};

    /// A system with that many bytes free, which the test changes.
    #[derive(Debug, Clone)]
    struct Fixed(Arc<AtomicU64>);

    impl Fixed {
        fn new(free: u64) -> Self {
            Self(Arc::new(AtomicU64::new(free)))
        }
    }

    impl Limits for Fixed {
        fn free(&self) -> Free {
            Free { bytes: self.0.load(Ordering::SeqCst), bound: Bound::Host }
        }
    }

    fn budget(limits: &Fixed) -> Arc<Budget> {
        Arc::new(Budget::new(Box::new(limits.clone())))
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
    fn less_than_the_margin_counts_as_no_free_memory() {
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
        let limits = Fixed::new(100 * MIB);
        let budget = budget(&limits);
        let mut first = budget.reserve(60 * MIB).unwrap();
        first.touched(60 * MIB);
        limits.0.store(40 * MIB, Ordering::SeqCst);
        let second = budget.reserve(30 * MIB).unwrap();
        assert!(budget.reserve(10 * MIB).is_err());
        drop(second);
        drop(first);
        // The system still reports 40 MiB, and nothing is reserved.
        assert!(budget.reserve(35 * MIB).is_ok());
        assert!(budget.reserve(41 * MIB).is_err());
    }

    #[test]
    fn a_reservation_waits_for_memory_that_is_being_freed() {
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
    fn reservations_are_split_and_joined_and_the_accounts_stay_right() {
        let budget = budget(&Fixed::new(100 * MIB));
        let mut all = budget.reserve(60 * MIB).unwrap();
        all.touched(60 * MIB);
        let part = all.split(20 * MIB);
        let totals = |accounts: MutexGuard<'_, Accounting>| (accounts.reserved / MIB, accounts.touched / MIB);
        assert_eq!(totals(budget.accounts()), (60, 60));
        drop(part);
        assert_eq!(totals(budget.accounts()), (40, 40));
        all.absorb(budget.reserve(10 * MIB).unwrap());
        assert_eq!(totals(budget.accounts()), (50, 40));
        drop(all);
        assert_eq!(totals(budget.accounts()), (0, 0));
    }

    #[test]
    fn concurrent_reservations_never_exceed_the_free_memory() {
        const THREADS: u64 = 16;
        let budget = budget(&Fixed::new(100 * MIB + MARGIN));
        let reservations: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| budget.reserve(10 * MIB))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        // Nine and not ten: the tenth would leave nothing for page tables.
        assert_eq!(reservations.iter().filter(|reservation| reservation.is_ok()).count(), 9);
        drop(reservations);
        let accounts = budget.accounts();
        assert_eq!((accounts.reserved, accounts.touched, accounts.returning), (0, 0, 0));
    }
}
