//! The spec of mode coldstart, and its check.

use std::time::Duration;

use loader_proto::v1;

use crate::{
    plan::{
        checks::{
            HIGHEST_RATE, MOST_FUNCTIONS, SHORTEST_SLOT, has_invocations, length_fits, list_fits, rate_fits, size,
            whole,
        },
        fixed::{Size, invocations},
    },
    spec::{Check, LONGEST, time},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Holds a rate while a given number of cold starts happens in each slot.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) struct ColdStartSpec {
    /// Rate of the first slot, invocations per second.
    pub(super) start: f64,
    /// By how much the rate rises from slot to slot.
    pub(super) step: f64,
    /// Cold starts for each slot; starts over when there are more slots. Not empty.
    pub(super) cold_starts: Vec<u32>,
    /// Functions: one hot, the others cold; at least 2.
    pub(super) functions: u32,
    /// Length of a slot.
    pub(super) slot: Duration,
    /// How many slots, at least 1.
    pub(super) slots: u32,
    /// What each invocation requests.
    pub(super) size: Size,
}

impl ColdStartSpec {
    /// The rate of a slot, in invocations per second.
    pub(super) fn rate(&self, slot: u32) -> f64 {
        self.start + f64::from(slot) * self.step
    }

    /// The cold starts of a slot.
    pub(super) fn cold_starts(&self, slot: u32) -> u32 {
        // The remainder is in bounds because validation refuses an empty list; for none the answer is 0.
        let index = (slot as usize).checked_rem(self.cold_starts.len());
        index.map_or(0, |index| self.cold_starts[index])
    }
}

/// Reads the mode's message, taken apart in full, so that a new field breaks the build here.
pub(in crate::plan) fn check(check: &mut Check, message: &v1::ColdStartMode) -> Option<ColdStartSpec> {
    let v1::ColdStartMode { start, step, cold_starts, functions, slot, duration, runtime, memory_mib } = message;
    if !list_fits(check, "coldstart.coldStarts", cold_starts) {
        return None;
    }
    let start = check.positive("coldstart.start", *start, 1.0, HIGHEST_RATE);
    let step = check.not_negative("coldstart.step", *step, 0.0, HIGHEST_RATE);
    if cold_starts.is_empty() {
        check
            .fault("coldstart.coldStarts", "is empty; give the number of cold starts for each slot, such as [5, 1, 2]");
    }
    let functions = check.count("coldstart.functions", *functions, 200, 2..=MOST_FUNCTIONS);
    let slot = check.duration("coldstart.slot", slot.as_ref(), MINUTE, SHORTEST_SLOT..=LONGEST);
    let slots = match duration {
        None => u32::try_from(cold_starts.len()).ok(),
        Some(duration) => self::slots(check, duration, slot),
    };
    let size = size(check, "coldstart", runtime.as_ref(), *memory_mib);
    let spec = ColdStartSpec {
        start: start?,
        step: step?,
        cold_starts: cold_starts.clone(),
        functions: functions?,
        slot: slot?,
        slots: slots?,
        size: size?,
    };
    if spec.slots > 0 {
        has_invocations(check, "coldstart.slot", spec.rate(spec.slots - 1), spec.slot);
    }
    if spec.slots > 0 && length_fits(check, "coldstart.duration", f64::from(spec.slots), spec.slot) {
        rate_fits(check, "coldstart.step", spec.rate(spec.slots - 1), spec.slot);
        cold_starts_fit(check, &spec);
    }
    Some(spec)
}

fn slots(check: &mut Check, duration: &prost_types::Duration, slot: Option<Duration>) -> Option<u32> {
    let duration = check.duration("coldstart.duration", Some(duration), MINUTE, SHORTEST_SLOT..=LONGEST)?;
    let slots = whole(duration, slot?).and_then(|slots| u32::try_from(slots).ok());
    if slots.is_none() {
        let found = time(duration);
        check.fault("coldstart.duration", format!("is {found}; must be a whole number of slots of {}", time(slot?)));
    }
    slots
}

/// Each slot must have room for its cold starts. An entry that is used more than once is named once, for the first slot
/// that is too small.
fn cold_starts_fit(check: &mut Check, spec: &ColdStartSpec) {
    // The rate never falls: the first slot of an entry is its smallest.
    for (slot, cold_starts) in (0..spec.slots).zip(&spec.cold_starts) {
        let room = invocations(spec.rate(slot), spec.slot);
        if *cold_starts > room {
            let rule = format!("must be at most {room}, the invocations of slot {slot}");
            check.fault(format!("coldstart.coldStarts[{slot}]"), format!("is {cold_starts}; {rule}"));
        }
    }
}
