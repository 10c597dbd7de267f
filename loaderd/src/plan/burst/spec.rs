//! What mode burst is asked for, and the check of it.

use std::time::Duration;

use loader_proto::v1;

use crate::{
    plan::{
        checks::{MOST_SLOTS, SHORTEST_SLOT, rate_fits, size},
        fixed::Size,
    },
    spec::{Check, LONGEST, time},
};

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// Most invocations of a burst.
const BIGGEST_BURST: u32 = 10_000_000;

/// Three functions: a climbing rate, a hold, and in its middle a burst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) struct BurstSpec {
    /// The rate climbs 1, 2, … to this, invocations per second.
    pub(super) target_rps: u32,
    /// Extra invocations within one second.
    pub(super) burst: u32,
    /// How long the rate holds at `target_rps`, at least 2 s.
    pub(super) hold: Duration,
    /// How long each rate of the climb lasts.
    pub(super) step_duration: Duration,
    /// What each invocation asks for.
    pub(super) size: Size,
}

impl BurstSpec {
    /// How long the burst lasts.
    pub(super) const BURST: Duration = Duration::from_secs(1);

    /// When the hold begins, and when the burst in its middle begins and ends, from the start of the load.
    pub(super) fn burst_window(&self) -> (Duration, Duration, Duration) {
        let hold = self.step_duration.saturating_mul(self.target_rps);
        let begin = hold + (self.hold.saturating_sub(Self::BURST)) / 2;
        (hold, begin, begin + Self::BURST)
    }
}

/// Reads the mode's message, taken apart in full, so that a new field breaks the build here.
pub(in crate::plan) fn check(check: &mut Check, message: &v1::BurstMode) -> Option<BurstSpec> {
    let v1::BurstMode { target_rps, burst, hold, step_duration, runtime, memory_mib } = message;
    // One slot is the hold.
    let target_rps = check.count("burst.targetRps", *target_rps, 8, 1..=MOST_SLOTS - 1);
    let burst = check.count("burst.burst", *burst, 10, 1..=BIGGEST_BURST);
    let hold = check.duration("burst.hold", hold.as_ref(), 4 * MINUTE, 2 * SECOND..=LONGEST);
    let step_duration = check.duration("burst.stepDuration", step_duration.as_ref(), MINUTE, SHORTEST_SLOT..=LONGEST);
    let size = size(check, "burst", runtime.as_ref(), *memory_mib);
    if let (Some(target), Some(hold), Some(step)) = (target_rps, hold, step_duration) {
        let rate = f64::from(target);
        rate_fits(check, "burst.targetRps", rate, hold.max(step));
        if rate * step.as_secs_f64() + hold.as_secs_f64() > LONGEST.as_secs_f64() {
            let sum = "targetRps times stepDuration and hold together";
            check.fault("burst.stepDuration", format!("is {}; {sum} must be at most {}", time(step), time(LONGEST)));
        }
    }
    Some(BurstSpec { target_rps: target_rps?, burst: burst?, hold: hold?, step_duration: step_duration?, size: size? })
}
