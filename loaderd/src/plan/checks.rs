//! Checks that several modes make of their specs.

use std::time::Duration;

use super::fixed::{Size, invocations};
use crate::{
    spec::{Check, LONGEST, time},
    units,
};

/// The greatest rate that any plan may have, in invocations per second.
pub(super) const HIGHEST_RATE: f64 = 10_000_000.0;

pub(super) const SHORTEST_SLOT: Duration = Duration::from_millis(1);

/// Longest run time: in microseconds it fits into 32 bits.
pub(super) const LONGEST_RUNTIME: Duration = Duration::from_hours(1);

/// Most memory of an invocation, in MiB: 1 TiB.
pub(super) const MOST_MEMORY_MIB: u32 = 1 << 20;

/// Most slots of a plan. Each has a line in the plan's outline, which is held in memory.
pub(super) const MOST_SLOTS: u32 = 1 << 20;

/// Most entries of a list in a spec, such as one for each slot. It starts over when there are more slots.
pub(super) const MOST_ENTRIES: usize = 1 << 14;

/// Most functions of a plan.
pub(super) const MOST_FUNCTIONS: u32 = 100_000;

/// A list in a spec is short enough to be checked, and to be kept with the spec.
pub(super) fn list_fits<T>(check: &mut Check, field: &str, list: &[T]) -> bool {
    let fits = list.len() <= MOST_ENTRIES;
    if !fits {
        check.fault(field, format!("has {} entries; must have at most {MOST_ENTRIES}", list.len()));
    }
    fits
}

/// What each invocation requests, from the fields `runtime` and `memoryMib` of `mode`.
pub(super) fn size(
    check: &mut Check,
    mode: &str,
    runtime: Option<&prost_types::Duration>,
    memory_mib: Option<u32>,
) -> Option<Size> {
    let runtime =
        check.duration(&format!("{mode}.runtime"), runtime, Duration::from_secs(1), Duration::ZERO..=LONGEST_RUNTIME);
    let memory_mib = check.count(&format!("{mode}.memoryMib"), memory_mib, 170, 1..=MOST_MEMORY_MIB);
    Some(Size { runtime: runtime?, memory_mib: memory_mib? })
}

/// The invocations of one slot are numbered in 32 bits.
pub(super) fn rate_fits(check: &mut Check, field: &str, rate: f64, slot: Duration) {
    let most = f64::from(u32::MAX);
    if rate * slot.as_secs_f64() > most || rate > HIGHEST_RATE {
        let rule = format!("a slot holds at most {most} invocations, and a rate is at most {}", HIGHEST_RATE);
        check.fault(field, format!("leads to {rate} per second for {}; {rule}", time(slot)));
    }
}

/// At least one invocation falls into a slot at the greatest rate of a plan.
pub(super) fn has_invocations(check: &mut Check, field: &str, rate: f64, slot: Duration) {
    if invocations(rate, slot) == 0 {
        let least = Duration::from_millis(units::rounded(1e3 / rate)).min(LONGEST);
        let found = time(slot);
        let rule = format!("must be at least {}", time(least));
        check.fault(field, format!("is {found}, in which no invocation is due at {rate} per second; {rule}"));
    }
}

/// A whole run is bounded in slots and in time.
pub(super) fn length_fits(check: &mut Check, field: &str, slots: f64, slot: Duration) -> bool {
    let fits = slots <= f64::from(MOST_SLOTS) && slots * slot.as_secs_f64() <= LONGEST.as_secs_f64();
    if !fits {
        let rule = format!("a run has at most {MOST_SLOTS} slots and lasts at most {}", time(LONGEST));
        check.fault(field, format!("makes {slots} slots of {}; {rule}", time(slot)));
    }
    fits
}

/// How often `part` goes into `whole`, if without a rest.
pub(super) fn whole(whole: Duration, part: Duration) -> Option<u128> {
    let (whole, part) = (whole.as_nanos(), part.as_nanos());
    whole.is_multiple_of(part).then(|| whole / part)
}
