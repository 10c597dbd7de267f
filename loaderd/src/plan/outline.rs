//! What a plan will do, without doing it.

use std::{collections::BTreeMap, time::Duration};

/// What a plan will do. Expectations come from the functions' profiles by Little's law: arrival rate × mean run time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outline {
    /// The slots, in order; of a plan without an end, those up to a bound of the plan's choice.
    pub slots: Vec<SlotOutline>,
    /// By function, in the plan's order.
    pub functions: Vec<FunctionOutline>,
    /// Whether the run ends by what it finds, so that `slots` is only its beginning.
    pub open_ended: bool,
    /// Whether the load waits between slots for what is in flight, which the slots' lengths do not have.
    pub waits: bool,
    /// How many invocations a clamp of run time or memory is expected to touch.
    pub clamped: u64,
    /// Functions of the trace that are left out, by reason.
    pub dropped_functions: BTreeMap<String, u64>,
    /// What else is to be known of the trace, a sentence each.
    pub notes: Vec<String>,
}

/// What a slot will do.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotOutline {
    /// Number of invocations in the slot.
    pub invocations: u64,
    /// Length of the slot.
    pub duration: Duration,
    /// Its target rate, in invocations per second.
    pub rate: f64,
    /// Expected concurrency: invocations served at the same time.
    pub concurrency: f64,
    /// Expected memory in use, in MiB.
    pub memory_mib: f64,
}

/// What a function will get.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionOutline {
    /// Invocations; of a plan without an end, of the slots in the outline.
    pub invocations: u64,
    /// Mean run time to ask for.
    pub mean_runtime: Duration,
    /// Mean memory, in MiB.
    pub mean_memory_mib: f64,
}

impl Outline {
    /// Invocations of all slots.
    pub fn invocations(&self) -> u64 {
        self.slots.iter().map(|slot| slot.invocations).sum()
    }

    /// Length of all slots.
    pub fn duration(&self) -> Duration {
        self.slots.iter().map(|slot| slot.duration).sum()
    }
}
