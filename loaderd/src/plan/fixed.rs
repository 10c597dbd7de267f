//! Sizes, functions and outlines of the plans whose invocations all request the same.

use std::time::Duration;

use super::{FunctionOutline, PlannedFunction, SlotOutline};
use crate::units::{rounded, to_u32};

/// What each invocation requests, in the modes where all request the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Run time; at most an hour.
    pub(super) runtime: Duration,
    pub(super) memory_mib: u32,
}

/// Invocations of a slot at a constant rate: the nearest whole number to `rate` (per second) × `duration`.
pub(super) fn invocations(rate: f64, duration: Duration) -> u32 {
    to_u32(rounded(rate * duration.as_secs_f64()))
}

/// A function that no trace knows, with a number of invocations that only the run will show.
pub(super) fn function(name: String, initial_scale: u32, size: Size) -> PlannedFunction {
    PlannedFunction {
        name,
        source_id: String::new(),
        trigger: String::new(),
        initial_scale,
        invocations: None,
        peak_memory_mib: size.memory_mib,
    }
}

/// What a slot of `invocations` will do.
pub(super) fn slot(invocations: u64, duration: Duration, rate: f64, size: Size) -> SlotOutline {
    let concurrency = invocations as f64 / duration.as_secs_f64() * size.runtime.as_secs_f64();
    SlotOutline { invocations, duration, rate, concurrency, memory_mib: concurrency * f64::from(size.memory_mib) }
}

/// What a function with `invocations` will get.
pub(super) fn share(invocations: u64, size: Size) -> FunctionOutline {
    FunctionOutline { invocations, mean_runtime: size.runtime, mean_memory_mib: size.memory_mib.into() }
}
