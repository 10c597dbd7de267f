//! An invocation that has come due: its id, its slot and its function are known.

use super::{
    invocation::{Mark, Offset, Phase, Unit},
    rounding::fractional,
    slot::SlotHead,
};
use crate::id::FunctionIndex;

/// Names an invocation: the `number`-th that came due in the `unit`-th unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvocationId {
    /// What is counted: minutes or seconds.
    pub of: Unit,
    /// Which minute or second since the start of the load.
    pub unit: u64,
    /// Which invocation in it.
    pub number: u64,
}

impl InvocationId {
    /// The id of the invocation that is due then, as the `number`-th of its unit of time.
    pub fn due(of: Unit, due: Offset, number: u64) -> Self {
        Self { of, unit: Self::unit_of(of, due), number }
    }

    /// The unit of time in which an instant lies.
    pub(super) fn unit_of(of: Unit, due: Offset) -> u64 {
        due.as_nanos() / of.as_nanos()
    }
}

impl std::fmt::Display for InvocationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}.inv{}", self.of.as_str(), self.unit, self.number)
    }
}

/// What was planned for an invocation that has come due, with its function known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedInvocation {
    /// The invocation's id.
    pub id: InvocationId,
    /// Its number in the whole plan, from 0, in the order of due times; absent where this process sends the whole plan.
    pub ordinal: Option<u64>,
    /// The slot in which it is due.
    pub slot: SlotHead,
    /// What is special about it.
    pub mark: Mark,
    /// The function to invoke.
    pub function: FunctionIndex,
    /// When it was due.
    pub due: Offset,
    /// Run time to ask for, in microseconds.
    pub runtime_us: u32,
    /// The same in milliseconds, rounded by [`super::Rounding`]: all that a function is asked which knows no exact run times.
    pub runtime_ms: u32,
    /// Memory to ask for, in MiB.
    pub memory_mib: u32,
    /// Whether its run time or memory was clamped.
    pub clamped: bool,
}

impl PlannedInvocation {
    /// The run time in microseconds, where it is not one of whole milliseconds.
    pub fn exact_runtime_us(&self) -> Option<u32> {
        fractional(self.runtime_us)
    }

    /// Whether it counts in the statistics of its slot.
    pub fn counts(&self) -> bool {
        self.mark != Mark::StepWarmup
    }

    /// Whether it counts in the distributions of the run.
    pub fn is_measured(&self) -> bool {
        self.counts() && self.slot.phase == Phase::Measure
    }
}
