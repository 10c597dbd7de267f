//! The sizes that a spec gives: what drawn ones are held to, and what stands in where the trace has none.

use std::time::Duration;

use loader_trace::Clamp;

use super::sizes::DEFAULT_MEMORY_MIB;
use crate::{
    plan::checks::{LONGEST_RUNTIME, MOST_MEMORY_MIB},
    spec::{Check, time},
};

/// Lengths of time as messages have them.
type Wire<'a> = Option<&'a prost_types::Duration>;

/// What drawn run times are held to.
pub(super) fn runtime(check: &mut Check, min: Wire<'_>, max: Wire<'_>) -> Option<Clamp<Duration>> {
    let Clamp { min: least, max: most } = Clamp::RUNTIME;
    let runtimes = Duration::ZERO..=LONGEST_RUNTIME;
    let min = check.duration("trace.minRuntime", min, least, runtimes.clone());
    let max = check.duration("trace.maxRuntime", max, most, runtimes);
    let (min, max) = min.zip(max)?;
    if min > max {
        let rule = format!("is {}; must be at most maxRuntime, which is {}", time(min), time(max));
        check.fault("trace.minRuntime", rule);
    }
    Some(Clamp { min, max })
}

/// What drawn memory is held to, in MiB.
pub(super) fn memory(check: &mut Check, min: Option<u32>, max: Option<u32>) -> Option<Clamp<u32>> {
    let Clamp { min: least, max: most } = Clamp::MEMORY_MIB;
    let min = check.count("trace.minMemoryMib", min, least, 1..=MOST_MEMORY_MIB);
    let max = check.count("trace.maxMemoryMib", max, most, 1..=MOST_MEMORY_MIB);
    let (min, max) = min.zip(max)?;
    if min > max {
        check.fault("trace.minMemoryMib", format!("is {min}; must be at most maxMemoryMib, which is {max}"));
    }
    Some(Clamp { min, max })
}

/// The run time of functions without durations; inside, nothing when it is not given.
pub(super) fn default_runtime(check: &mut Check, given: Wire<'_>) -> Option<Option<Duration>> {
    let Some(given) = given else { return Some(None) };
    check.duration("trace.defaultRuntime", Some(given), Duration::ZERO, Duration::ZERO..=LONGEST_RUNTIME).map(Some)
}

/// The memory of functions without any, in MiB; inside, nothing when it is not given.
pub(super) fn default_memory(check: &mut Check, given: Option<u32>) -> Option<Option<u32>> {
    let Some(given) = given else { return Some(None) };
    check.count("trace.defaultMemoryMib", Some(given), DEFAULT_MEMORY_MIB, 1..=MOST_MEMORY_MIB).map(Some)
}
