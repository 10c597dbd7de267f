//! The memory that invocations in flight ask for, as the pacer sees it: its bound, and the greatest sum of each slot.
//!
//! Only the pacer hands out, so the sum is greatest right after a hand-over, which knows it from the addition that it makes anyway.

use super::counters::Counters;
use crate::{clock::Clock, record::MemoryLevel};

/// The gauge of the memory in flight.
#[derive(Debug)]
pub(super) struct MemoryGauge {
    bound_mib: Option<u64>,
    peak_mib: u64,
    clock: Clock,
}

impl MemoryGauge {
    /// A gauge with this bound, in MiB; absent: none.
    pub(super) fn new(bound_mib: Option<u32>, clock: Clock) -> Self {
        Self { bound_mib: bound_mib.map(u64::from), peak_mib: 0, clock }
    }

    /// A slot begins: what is in flight of earlier ones.
    pub(super) fn open(&mut self, counters: &Counters) -> MemoryLevel {
        let level = MemoryLevel { at: self.clock.now(), mib: counters.memory_in_flight_mib() };
        self.peak_mib = level.mib;
        level
    }

    /// Why an invocation that asks for this much may not be handed out, if it may not.
    pub(super) fn refusal(&self, counters: &Counters, memory_mib: u32) -> Option<String> {
        let bound = self.bound_mib?;
        let held = counters.memory_in_flight_mib();
        let exceeds = held + u64::from(memory_mib) > bound;
        exceeds.then(|| {
            format!("{held} MiB are in flight already, {memory_mib} MiB more exceed {bound} MiB (maxMemoryInFlight)")
        })
    }

    /// An invocation was handed out, and this much is in flight with it.
    pub(super) fn handed_out(&mut self, level_mib: u64) {
        self.peak_mib = self.peak_mib.max(level_mib);
    }

    /// The greatest sum since the slot began, in MiB.
    pub(super) fn peak_mib(&self) -> u64 {
        self.peak_mib
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_reached_exactly_and_never_exceeded() {
        let counters = Counters::default();
        let gauge = MemoryGauge::new(Some(300), Clock);
        counters.handed_out(200);
        assert_eq!(gauge.refusal(&counters, 100), None);
        let why = "200 MiB are in flight already, 101 MiB more exceed 300 MiB (maxMemoryInFlight)";
        assert_eq!(gauge.refusal(&counters, 101).as_deref(), Some(why));
        counters.ended(200);
        assert_eq!(gauge.refusal(&counters, 300), None);
        assert!(gauge.refusal(&counters, 301).is_some(), "alone it is too large as well");
        assert_eq!(MemoryGauge::new(None, Clock).refusal(&counters, u32::MAX), None);
    }

    #[test]
    fn a_peak_is_that_of_its_slot_with_what_was_in_flight_before() {
        let counters = Counters::default();
        let mut gauge = MemoryGauge::new(None, Clock);
        assert_eq!(gauge.open(&counters).mib, 0);
        for mib in [100, 50] {
            gauge.handed_out(counters.handed_out(mib));
        }
        counters.ended(100);
        gauge.handed_out(counters.handed_out(20));
        assert_eq!((gauge.peak_mib(), counters.memory_in_flight_mib()), (150, 70));
        assert_eq!(gauge.open(&counters).mib, 70);
        assert_eq!(gauge.peak_mib(), 70);
    }
}
