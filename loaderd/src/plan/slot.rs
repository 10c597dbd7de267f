//! Slots: the stretches that a plan is made of, and what becomes of them.

use std::time::Duration;

use super::{
    evidence::SlotEvidence,
    invocation::{Invocation, Offset, Phase},
};

/// A stretch of a plan: a minute of a trace, a step of a rate, …
pub struct Slot {
    /// Number of the slot, from 0.
    pub index: u32,
    /// What its rows count for.
    pub phase: Phase,
    /// When it begins, from the start of the load.
    pub start: Offset,
    /// How long it lasts. The next slot begins where it ends, or later where the load waits between slots.
    pub duration: Duration,
    /// Its target rate, in invocations per second.
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
    /// When it begins, from the start of the load.
    pub start: Offset,
    /// How long it lasts.
    pub duration: Duration,
    /// Its target rate, in invocations per second.
    pub rate: f64,
    /// Number of its invocations.
    pub planned: u64,
    /// Number of those that count in its statistics.
    pub measured: u64,
}

impl SlotHead {
    /// When the slot ends.
    pub fn end(&self) -> Offset {
        self.start.plus(self.duration)
    }
}

/// What became of a slot; the input of plans that decide by outcomes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SlotOutcome {
    /// Number of the slot, from 0.
    pub slot: u32,
    /// Invocations of this slot that should have found a cold function, where none was cold.
    pub shortfall: u64,
    /// The earliest instant at which the next slot may begin.
    pub next_start: Offset,
    /// What the platform made of a slot: of this one where the load waits for it ([`super::Judging::drain`]), otherwise of the
    /// one before. Absent for a plan that judges no slots, and where the run ended before it was known.
    pub evidence: Option<Box<SlotEvidence>>,
}
