//! Permits for requests that hold a thread or memory for as long as their client likes. Runs need these, too, so that the number
//! of such requests is bounded: of all callers together, and of each caller, so that none keeps the others out.

use tonic::Status;

use crate::access::{Most, Seat, Seats, Taken};

/// The permits. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Permits {
    /// What the permits are for, in the plural.
    uses: &'static str,
    seats: Seats,
}

/// A permit, until it is dropped.
pub(super) type Permit = Seat;

impl Permits {
    pub(super) fn new(uses: &'static str, most: Most) -> Self {
        Self { uses, seats: Seats::new(most) }
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
        self.seats.take(caller).map_err(|taken| {
            let held = match taken {
                Taken::ByCaller(own) => format!("{own} {} of {caller}", self.uses),
                Taken::ByAll(all) => format!("{all} {}", self.uses),
            };
            Status::resource_exhausted(format!("{held} are in progress: try again when one has ended"))
        })
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
        assert!(!permits.seats.any());
    }
}
