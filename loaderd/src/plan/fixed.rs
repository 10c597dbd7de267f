//! Sizes, functions and outlines of the plans whose invocations all ask for the same.

use std::time::Duration;

use super::{FunctionOutline, PlannedFunction, SlotOutline};

/// What each invocation asks for, in the modes where all ask for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Run time; at most an hour.
    pub(super) runtime: Duration,
    /// Memory, in MiB.
    pub(super) memory_mib: u32,
}

/// Invocations of a slot at a constant rate: the nearest whole number to `rate` (per second) × `duration`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
pub(super) fn invocations(rate: f64, duration: Duration) -> u32 {
    (rate * duration.as_secs_f64()).round() as u32
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
