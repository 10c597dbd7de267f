//! The spec of mode rps, and its check.

use std::time::Duration;

use loader_proto::v1;

use super::ramp::Ramp;
use crate::{
    plan::{
        checks::{HIGHEST_RATE, MOST_FUNCTIONS, SHORTEST_SLOT, has_invocations, length_fits, rate_fits, size},
        fixed::Size,
    },
    spec::{Check, LONGEST},
    units::{rounded, to_u32},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Raises the rate step by step until the platform can no longer sustain it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) struct RpsSpec {
    /// The rates of its slots.
    pub(super) ramp: Ramp,
    /// Length of a slot.
    pub(super) slot: Duration,
    /// Functions that are called in turn, at least 1.
    pub(super) functions: u32,
    /// What each invocation requests.
    pub(super) size: Size,
    /// The share of cold functions; absent: none.
    pub(super) cold: Option<ColdShare>,
}

/// The share of a rate that goes to functions that are cold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ColdShare {
    /// Above 0, up to 1.
    pub(super) ratio: f64,
    /// The time that a function needs to scale to zero.
    pub(super) cooldown: Duration,
}

impl ColdShare {
    /// How many functions must take turns at a total rate of `rate` invocations per second, so that each is called at
    /// most once in its cooldown.
    pub(super) fn functions(&self, rate: f64) -> u32 {
        to_u32(rounded((rate * self.ratio * self.cooldown.as_secs_f64()).ceil().max(1.0)))
    }
}

/// Reads the mode's message, taken apart in full, so that a new field breaks the build here.
pub(in crate::plan) fn check(check: &mut Check, message: &v1::RpsMode) -> Option<RpsSpec> {
    let v1::RpsMode { start, end, step, slot, functions, runtime, memory_mib, cold_start_ratio, cooldown } = message;
    let start = check.positive("rps.start", *start, 1.0, HIGHEST_RATE);
    let end = match *end {
        None => Some(None),
        given => check.positive("rps.end", given, 0.0, HIGHEST_RATE).map(Some),
    };
    let step = check.not_negative("rps.step", *step, 1.0, HIGHEST_RATE);
    let slot = check.duration("rps.slot", slot.as_ref(), MINUTE, SHORTEST_SLOT..=LONGEST);
    let functions = check.count("rps.functions", *functions, 1, 1..=MOST_FUNCTIONS);
    let size = size(check, "rps", runtime.as_ref(), *memory_mib);
    let cold = cold_share(check, *cold_start_ratio, cooldown.as_ref());
    let ramp = match (start, end, step) {
        (Some(start), Some(end), Some(step)) => rising(check, Ramp { start, end, step }),
        _ => None,
    };
    if let (Some(ramp), Some(slot)) = (ramp, slot) {
        let field = if ramp.end.is_some() { "rps.end" } else { "rps.start" };
        rate_fits(check, field, ramp.end.unwrap_or(ramp.start), slot);
        if ramp.end.is_some() {
            has_invocations(check, "rps.slot", ramp.end.unwrap_or(ramp.start), slot);
            length_fits(check, "rps.slot", ramp.levels(), slot);
        }
    }
    if let (Some(ramp), Some(Some(cold))) = (ramp, cold) {
        let rate = ramp.end.unwrap_or(ramp.start);
        if cold.functions(rate) > MOST_FUNCTIONS {
            let needed = cold.functions(rate);
            check.fault(
                "rps.cooldown",
                format!("needs {needed} cold functions at {rate} per second; must need at most {MOST_FUNCTIONS}"),
            );
        }
    }
    Some(RpsSpec { ramp: ramp?, slot: slot?, functions: functions?, size: size?, cold: cold? })
}

/// A ramp that rises, or stays.
fn rising(check: &mut Check, ramp: Ramp) -> Option<Ramp> {
    let Ramp { start, end, step } = ramp;
    if let Some(end) = end.filter(|&end| end < start) {
        check.fault("rps.end", format!("is {end}; must be at least rps.start, which is {start}"));
        return None;
    }
    if step <= 0.0 && end != Some(start) {
        check.fault(
            "rps.step",
            "is 0, so that the rate never rises and the run never ends; must be above 0, or rps.end be rps.start",
        );
        return None;
    }
    Some(ramp)
}

/// The share of cold functions; the inner value is absent when the spec has none.
fn cold_share(
    check: &mut Check,
    ratio: Option<f64>,
    cooldown: Option<&prost_types::Duration>,
) -> Option<Option<ColdShare>> {
    let ratio = check.not_negative("rps.coldStartRatio", ratio, 0.0, 1.0);
    let given = cooldown.is_some();
    let cooldown = check.duration("rps.cooldown", cooldown, Duration::ZERO, SHORTEST_SLOT..=LONGEST);
    let (ratio, cooldown) = (ratio?, cooldown?);
    match (ratio > 0.0, given) {
        (true, true) => Some(Some(ColdShare { ratio, cooldown })),
        (true, false) => {
            check.fault(
                "rps.cooldown",
                "is missing; rps.coldStartRatio needs the time that a function takes to scale to zero",
            );
            None
        }
        (false, true) => {
            check.fault(
                "rps.cooldown",
                "has no effect without rps.coldStartRatio; leave it out or give a ratio above 0",
            );
            None
        }
        (false, false) => Some(None),
    }
}
