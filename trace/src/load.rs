//! The load of one function: how often it is invoked in each unit, or when exactly.

use crate::counts::Counts;
use crate::events::Events;

/// A function's invocations, as the trace has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Load {
    /// How many there are in each unit; when in it they are due is drawn.
    Counts(Counts),
    /// Each, with its start and run time.
    Events(Events),
}

impl Load {
    /// Invocations in unit number `unit`, from 0; none beyond the end.
    pub fn count(&self, unit: usize) -> u32 {
        match self {
            Self::Counts(counts) => counts.get(unit),
            Self::Events(events) => u32::try_from(events.in_unit(unit).len()).unwrap_or(u32::MAX),
        }
    }

    /// Hands each unit with invocations to `each`, in order, with their number.
    pub fn each_active(&self, each: impl FnMut(usize, u32)) {
        match self {
            Self::Counts(counts) => counts.each_active(each),
            Self::Events(events) => events.each_active(each),
        }
    }

    /// Invocations in the first `units` units.
    pub fn total_in_first(&self, units: usize) -> u64 {
        match self {
            Self::Counts(counts) => counts.iter().take(units).map(u64::from).sum(),
            Self::Events(events) => events.before(units) as u64,
        }
    }

    /// Invocations in all units.
    pub fn total(&self) -> u64 {
        self.total_in_first(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::events::Event;

    #[test]
    fn counts_and_events_say_the_same() {
        let starts = [0, 5, 9, 20, 21, 39];
        let events = starts.map(|start_ns| Event { start_ns, runtime_us: 1, memory_mib: None }).to_vec();
        for load in
            [Load::Counts(Counts::new(&[3, 0, 2, 1])), Load::Events(Events::new(events, Duration::from_nanos(10)))]
        {
            assert_eq!([0, 1, 2, 3, 4].map(|unit| load.count(unit)), [3, 0, 2, 1, 0]);
            assert_eq!([0, 1, 2, 3, 4].map(|units| load.total_in_first(units)), [0, 3, 3, 5, 6]);
            assert_eq!(load.total(), 6);
            let mut active = Vec::new();
            load.each_active(|unit, count| active.push((unit, count)));
            assert_eq!(active, [(0, 3), (2, 2), (3, 1)]);
        }
    }
}
