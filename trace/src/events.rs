//! When exactly a function was invoked, and how long each invocation ran, kept small.

use std::num::NonZeroU32;
use std::ops::Range;
use std::time::Duration;

/// One invocation of a trace that names each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Start, from the first start of the trace, in nanoseconds.
    pub start_ns: u64,
    /// How long it ran, in microseconds; 0 is legal, and more than an hour and eleven minutes is as much.
    pub runtime_us: u32,
    /// How much memory it took, in MiB; absent where the format has none.
    pub memory_mib: Option<NonZeroU32>,
}

/// The invocations of one function, by start; 16 bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    sorted: Box<[Event]>,
    unit_ns: u64,
    planned: bool,
}

impl Events {
    /// Sorts `events`, those of one start by run time, and cuts them into units of length `unit`; one of 0 s is taken as
    /// one of 1 ns.
    pub fn new(mut events: Vec<Event>, unit: Duration) -> Self {
        events.sort_unstable();
        let unit_ns = u64::try_from(unit.as_nanos()).unwrap_or(u64::MAX).max(1);
        Self { sorted: events.into(), unit_ns, planned: false }
    }

    /// The same, of a plan that was made before: its run times and memory are to be asked for as they are, without bounds.
    pub fn planned(events: Vec<Event>, unit: Duration) -> Self {
        Self { planned: true, ..Self::new(events, unit) }
    }

    /// Whether run times and memory are those of a plan.
    pub fn is_planned(&self) -> bool {
        self.planned
    }

    /// Every event, by start.
    pub fn all(&self) -> &[Event] {
        &self.sorted
    }

    /// Those that start in unit number `unit`, from 0.
    pub fn in_unit(&self, unit: usize) -> &[Event] {
        self.sorted.get(self.positions(unit)).unwrap_or_default()
    }

    /// The positions in [`Events::all`] of those that start in unit number `unit`.
    pub fn positions(&self, unit: usize) -> Range<usize> {
        self.before(unit)..self.before(unit.saturating_add(1))
    }

    /// Hands each unit with invocations to `each`, in order, with their number.
    pub(crate) fn each_active(&self, mut each: impl FnMut(usize, u32)) {
        for group in self.sorted.chunk_by(|a, b| a.start_ns / self.unit_ns == b.start_ns / self.unit_ns) {
            let unit = group.first().map_or(0, |event| event.start_ns / self.unit_ns);
            each(usize::try_from(unit).unwrap_or(usize::MAX), u32::try_from(group.len()).unwrap_or(u32::MAX));
        }
    }

    /// How many start before unit number `unit`.
    pub(crate) fn before(&self, unit: usize) -> usize {
        let border = u64::try_from(unit).unwrap_or(u64::MAX).saturating_mul(self.unit_ns);
        self.sorted.partition_point(|event| event.start_ns < border)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_sixteen_bytes_an_invocation() {
        assert_eq!(size_of::<Event>(), 16);
    }

    #[test]
    fn sorts_and_cuts_into_units() {
        let event = |start_ns, runtime_us| Event { start_ns, runtime_us, memory_mib: None };
        let events = vec![event(20, 1), event(9, 0), event(10, 5), event(10, 3), event(0, 7)];
        let events = Events::new(events, Duration::from_nanos(10));
        assert_eq!(events.all(), [event(0, 7), event(9, 0), event(10, 3), event(10, 5), event(20, 1)]);
        assert_eq!(events.in_unit(0), [event(0, 7), event(9, 0)]);
        assert_eq!(events.in_unit(1), [event(10, 3), event(10, 5)]);
        assert_eq!(events.in_unit(2), [event(20, 1)]);
        assert_eq!((events.in_unit(3), events.in_unit(usize::MAX)), (&[][..], &[][..]));
    }

    #[test]
    fn a_unit_of_no_length_is_no_trouble() {
        let events = Events::new(vec![Event { start_ns: 2, runtime_us: 1, memory_mib: None }], Duration::ZERO);
        assert_eq!((events.in_unit(1).len(), events.in_unit(2).len()), (0, 1));
    }
}
