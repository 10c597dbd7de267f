//! Slots at a constant rate: when invocations are due, whose turn it is, which of them are special.

use std::time::Duration;

use loader_trace::{ArrivalStream, Arrivals, Purpose, StreamKey, StreamRng};

use super::{Invocation, Mark, Offset, Target, fixed::Size};
use crate::{id::FunctionIndex, spec::RunSpec, units};

/// Draws the due times of slots as wholes, not of single functions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    arrivals: Arrivals,
    key: StreamKey,
    functions: StreamKey,
}

impl Schedule {
    /// The schedule of a run.
    pub(super) fn new(spec: &RunSpec) -> Self {
        // These plans have one stream of arrivals for all functions; it is named after the mode.
        let key = |purpose| StreamKey::new(spec.seed, spec.mode, purpose);
        Self { arrivals: spec.arrivals, key: key(Purpose::Arrivals), functions: key(Purpose::Function) }
    }

    /// Due offsets of `count` invocations from the start of slot `slot`, in nanoseconds.
    pub(super) fn offsets(&self, slot: u32, count: u32, duration: Duration) -> ArrivalStream {
        self.arrivals.stream(count, nanos(duration), self.key.unit(slot))
    }

    /// Whether `functions` functions share a slot's invocations by turns, which keeps evenly spaced ones even for each of
    /// them. Random ones are drawn.
    pub(super) fn takes_turns(&self, functions: u32) -> bool {
        functions == 1 || self.arrivals == Arrivals::Equidistant
    }

    /// Whose invocations those of slot `slot` are, of the functions of `turns`.
    pub(super) fn pick(&self, slot: u32, turns: Turns) -> Pick {
        if self.takes_turns(turns.count) {
            return Pick::Turns(turns);
        }
        Pick::Drawn { first: turns.first, count: turns.count, draws: self.functions.unit(slot) }
    }

    /// Offsets of `count` invocations, evenly spaced, whatever the run's arrivals are.
    pub(super) fn evenly(&self, count: u32, duration: Duration) -> ArrivalStream {
        Arrivals::Equidistant.stream(count, nanos(duration), self.key.unit(0))
    }
}

/// A stream of offsets that begins at an instant: gives due times in nanoseconds since the start of the load.
#[derive(Debug)]
pub(super) struct Since {
    /// When the stream begins.
    pub(super) begin: Offset,
    /// Offsets in nanoseconds since `begin`.
    pub(super) offsets: ArrivalStream,
}

impl Iterator for Since {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.offsets.next().map(|offset| self.begin.as_nanos().saturating_add(offset))
    }
}

/// A length of time in nanoseconds. A spec names none that does not fit.
pub(super) fn nanos(duration: Duration) -> u64 {
    units::nanos(duration)
}

/// A size's run time as an invocation has it, in microseconds.
pub(super) fn micros(runtime: Duration) -> u32 {
    units::to_u32(runtime.as_micros())
}

/// An invocation of a given size, due `due` nanoseconds after the start of the load.
pub(super) fn invocation(due: u64, target: Target, size: Size, mark: Mark) -> Invocation {
    Invocation {
        due: Offset::from_nanos(due),
        target,
        runtime_us: micros(size.runtime),
        memory_mib: size.memory_mib,
        clamped: false,
        mark,
        place: None,
    }
}

/// Whose invocation is next, of functions that share a slot's.
#[derive(Debug, Clone)]
pub(super) enum Pick {
    /// They take turns.
    Turns(Turns),
    /// Each draw is independent, so that every function's arrivals are of the same process as those of all: a Poisson
    /// process that is split at random makes Poisson processes.
    Drawn {
        /// The first of the functions.
        first: u32,
        /// How many there are.
        count: u32,
        /// The draws of the slot.
        draws: StreamRng,
    },
}

impl Pick {
    /// Takes the next one.
    pub(super) fn take(&mut self) -> FunctionIndex {
        match self {
            Self::Turns(turns) => turns.take(),
            Self::Drawn { first, count, draws } => {
                let drawn = units::to_u32(units::rounded((draws.open01() * f64::from(*count)).floor()));
                FunctionIndex(*first + drawn.min(*count - 1))
            }
        }
    }
}

/// Functions that take turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns {
    first: u32,
    count: u32,
    next: u32,
}

impl Turns {
    /// The `count` functions from `first` on; at least one.
    pub(super) fn new(first: u32, count: u32) -> Self {
        Self { first, count: count.max(1), next: 0 }
    }

    /// Whose turn it is; then it is the next one's.
    pub(super) fn take(&mut self) -> FunctionIndex {
        let index = self.first + self.next;
        self.next += 1;
        if self.next == self.count {
            self.next = 0;
        }
        FunctionIndex(index)
    }

    /// As if `turns` turns had been taken.
    pub(super) fn skip(&mut self, turns: u32) {
        let next = (u64::from(self.next) + u64::from(turns)) % u64::from(self.count);
        // A remainder of a 32-bit number.
        self.next = u32::try_from(next).unwrap_or_default();
    }

    /// How many of the first `turns` turns of a plan go to the function at `index` among these.
    pub(super) fn share(&self, index: u32, turns: u64) -> u64 {
        let count = u64::from(self.count);
        turns / count + u64::from(u64::from(index) < turns % count)
    }
}

/// Picks `chosen` of `total`, evenly spread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    chosen: u64,
    total: u64,
    sum: u64,
}

impl Spread {
    /// `chosen` is at most `total`.
    pub(super) fn new(chosen: u32, total: u32) -> Self {
        let total = u64::from(total);
        // Half a stride ahead, so that the chosen ones are in the middle of their strides.
        Self { chosen: chosen.into(), total, sum: total / 2 }
    }

    /// Whether the next one is chosen.
    pub(super) fn take(&mut self) -> bool {
        self.sum += self.chosen;
        let chosen = self.sum >= self.total;
        if chosen {
            self.sum -= self.total;
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn chosen_ones_stand_in_the_middle_of_their_strides() {
        let picks = |chosen, total| {
            let mut spread = Spread::new(chosen, total);
            (0..total).map(|_| if spread.take() { 'x' } else { '.' }).collect::<String>()
        };
        assert_eq!(picks(2, 8), ".x...x..");
        assert_eq!(picks(1, 5), "..x..");
        assert_eq!(picks(3, 3), "xxx");
        assert_eq!(picks(0, 3), "...");
    }

    #[test]
    fn turns_go_round_and_can_be_skipped() {
        let mut turns = Turns::new(5, 3);
        let taken: Vec<_> = (0..4).map(|_| turns.take().0).collect();
        assert_eq!(taken, [5, 6, 7, 5]);
        turns.skip(4);
        assert_eq!(turns.take().0, 7);
        assert_eq!((0..3).map(|index| turns.share(index, 7)).collect::<Vec<_>>(), [3, 2, 2]);
    }

    proptest! {
        #[test]
        fn exactly_as_many_are_chosen_as_were_asked_for(total in 1_u32..2000, share in 0.0..=1.0) {
            let chosen = crate::plan::fixed::invocations(share, Duration::from_secs(total.into()));
            let mut spread = Spread::new(chosen, total);
            prop_assert_eq!((0..total).filter(|_| spread.take()).count(), chosen as usize);
        }
    }
}
