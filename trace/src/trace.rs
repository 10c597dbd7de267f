//! A trace: which functions there are, how often each is invoked in each unit of time, and how big invocations are.

use std::time::Duration;

use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};

/// Functions and their load over a number of units.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The functions, in the order of the file. Ids are unique.
    pub functions: Vec<TraceFunction>,
    /// How many units the trace lasts; every function whose load is counted has as many counts.
    pub units: usize,
    /// What a unit lasts: a column of counts, or what exact times are cut into.
    pub unit: Duration,
}

impl Trace {
    /// The same with only the functions at these places, in their order.
    pub fn with(&self, places: &[usize]) -> Self {
        let functions = places.iter().filter_map(|&place| self.functions.get(place)).cloned().collect();
        Self { functions, units: self.units, unit: self.unit }
    }

    /// Invocations of all functions in all units.
    pub fn invocations(&self) -> u64 {
        self.functions.iter().map(|function| function.load.total()).sum()
    }
}

/// One function of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceFunction {
    /// Unique in the trace; an opaque string, in public traces a hash.
    pub id: String,
    /// Whose function it is; opaque.
    pub owner: String,
    /// The application that it is part of; opaque.
    pub app: String,
    /// What invokes it (`http`, `timer`, …); absent where the format does not have it.
    pub trigger: Option<String>,
    /// When and how often it is invoked.
    pub load: Load,
    /// How long its invocations run; absent where the format does not have it, or its load does.
    pub runtime: Option<RuntimeProfile>,
    /// How much memory its invocations take; absent where the format does not have it.
    pub memory: Option<MemoryProfile>,
}
