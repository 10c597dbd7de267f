//! Slots: the stretches that a plan is made of, and what becomes of them.

use std::time::Duration;

use super::{Invocation, Offset, Phase};

/// A stretch of a plan: a minute of a trace, a step of a rate, …
pub struct Slot {
    /// Number of the slot, from 0.
    pub index: u32,
    /// What its rows count for.
    pub phase: Phase,
    /// When it begins, from the start of the load.
    pub start: Offset,
    /// How long it lasts. The next slot begins where it ends.
    pub duration: Duration,
    /// The rate that it stands for, in invocations per second.
    pub rate: f64,
    /// How many invocations `invocations` will give.
    pub planned: u64,
    /// How many of these count in the slot's statistics (all that are not [`super::Mark::StepWarmup`]).
    pub measured: u64,
    /// The invocations in order of their due time, each due inside the slot.
    pub invocations: Box<dyn Iterator<Item = Invocation> + Send>,
}

/// The head of a slot: all but its invocations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotHead {
    /// Number of the slot.
    pub index: u32,
    /// What its rows count for.
    pub phase: Phase,
    /// When it begins.
    pub start: Offset,
    /// How long it lasts.
    pub duration: Duration,
    /// The rate that it stands for, in invocations per second.
    pub rate: f64,
    /// Its invocations.
    pub planned: u64,
    /// Those of them that count in its statistics.
    pub measured: u64,
}

impl SlotHead {
    /// When the slot ends.
    pub fn end(&self) -> Offset {
        self.start.plus(self.duration)
    }
}

/// What happened while a slot was under way; what plans decide by. [`super::Mark::StepWarmup`] rows are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotOutcome {
    /// The slot.
    pub slot: u32,
    /// Invocations, of this slot or an earlier one, that ended while it was under way, in whatever way.
    pub returned: u64,
    /// Of those, the ones that failed.
    pub failed: u64,
    /// Invocations of this slot that should have found a cold function, where none was cold.
    pub shortfall: u64,
}
