//! The spec of mode rps, and its check.

use std::time::Duration;

use loader_proto::v1;

use super::ramp::Ramp;
use crate::{
    plan::{
        LONGEST_VERDICT,
        checks::{HIGHEST_RATE, MOST_FUNCTIONS, SHORTEST_SLOT, has_invocations, length_fits, rate_fits, size},
        fixed::Size,
    },
    spec::{Check, LONGEST},
    units::{rounded, to_u32},
};

const MINUTE: Duration = Duration::from_mins(1);

/// How the rates of slots are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SearchKind {
    /// They rise by a step.
    Linear,
    /// They double, then the interval is halved until it is narrower than `precision`, a share of its upper edge.
    Bisect {
        /// Above 0, up to 1.
        precision: f64,
    },
}

/// The waits for a slot's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// Maximum wait between slots for what is in flight.
    pub(super) drain: Duration,
    /// How long an invocation is given for its answer.
    pub(super) verdict: Duration,
}

/// Looks for the greatest rate that the platform sustains.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) struct RpsSpec {
    /// How the rates of its slots are chosen.
    pub(super) search: SearchKind,
    /// First and last rate, and the step of the linear search.
    pub(super) ramp: Ramp,
    /// Length of a slot.
    pub(super) slot: Duration,
    /// Functions that are called in turn, at least 1.
    pub(super) functions: u32,
    /// How long it waits for a slot's answers.
    pub(super) patience: Patience,
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
    let v1::RpsMode {
        start,
        end,
        step,
        slot,
        functions,
        runtime,
        memory_mib,
        cold_start_ratio,
        cooldown,
        search,
        precision,
        slot_drain,
        verdict_timeout,
    } = message;
    let search = self::search(check, search, *step, *precision);
    let start = check.positive("rps.start", *start, 1.0, HIGHEST_RATE);
    let end = match *end {
        None => Some(None),
        given => check.positive("rps.end", given, 0.0, HIGHEST_RATE).map(Some),
    };
    let step = check.not_negative("rps.step", *step, 1.0, HIGHEST_RATE);
    let slot = check.duration("rps.slot", slot.as_ref(), MINUTE, SHORTEST_SLOT..=LONGEST);
    let functions = check.count("rps.functions", *functions, 1, 1..=MOST_FUNCTIONS);
    let patience = slot.and_then(|slot| patience(check, slot, slot_drain.as_ref(), verdict_timeout.as_ref()));
    let size = size(check, "rps", runtime.as_ref(), *memory_mib);
    let cold = cold_share(check, *cold_start_ratio, cooldown.as_ref());
    let ramp = match (start, end, step, search) {
        (Some(start), Some(end), Some(step), Some(search)) => rising(check, Ramp { start, end, step }, search),
        _ => None,
    };
    if let (Some(ramp), Some(slot)) = (ramp, slot) {
        let field = if ramp.end.is_some() { "rps.end" } else { "rps.start" };
        rate_fits(check, field, ramp.end.unwrap_or(ramp.start), slot);
        if ramp.end.is_some() {
            has_invocations(check, "rps.slot", ramp.end.unwrap_or(ramp.start), slot);
            length_fits(check, "rps.slot", levels(search, &ramp), slot);
        }
    }
    if let (Some(Ramp { end: None, .. }), Some(Some(_)), Some(SearchKind::Bisect { .. })) = (ramp, cold, search) {
        check.fault(
            "rps.end",
            "is missing; with rps.coldStartRatio, bisect needs the greatest rate to deploy cold functions for",
        );
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
    let (search, ramp, slot) = (search?, ramp?, slot?);
    Some(RpsSpec { search, ramp, slot, functions: functions?, patience: patience?, size: size?, cold: cold? })
}

/// How rates are chosen. What the other search needs has no effect, and is refused.
fn search(check: &mut Check, name: &str, step: Option<f64>, precision: Option<f64>) -> Option<SearchKind> {
    let given = precision.is_some();
    let precision = check.positive("rps.precision", precision, 0.05, 1.0);
    let name = if name.is_empty() { "linear" } else { name };
    match check.named("rps.search", name, &["linear", "bisect"], |name| name)? {
        "bisect" if step.is_some() => {
            check.fault("rps.step", "has no effect with rps.search bisect; leave it out");
            None
        }
        "bisect" => Some(SearchKind::Bisect { precision: precision? }),
        _ if given => {
            check.fault("rps.precision", "has no effect without rps.search bisect; leave it out");
            None
        }
        _ => Some(SearchKind::Linear),
    }
}

/// How long it waits for the answers of slots of length `slot`.
fn patience(
    check: &mut Check,
    slot: Duration,
    drain: Option<&prost_types::Duration>,
    verdict: Option<&prost_types::Duration>,
) -> Option<Patience> {
    let drain = check.duration("rps.slotDrain", drain, slot, Duration::ZERO..=LONGEST);
    let verdict = check.duration("rps.verdictTimeout", verdict, slot.min(LONGEST_VERDICT), SHORTEST_SLOT..=LONGEST);
    Some(Patience { drain: drain?, verdict: verdict? })
}

/// How many slots a search to a given end has at most, where none is repeated.
fn levels(search: Option<SearchKind>, ramp: &Ramp) -> f64 {
    match search {
        None | Some(SearchKind::Linear) => ramp.levels(),
        Some(SearchKind::Bisect { precision }) => {
            let doublings = ramp.end.map_or(0.0, |end| (end / ramp.start).log2().ceil());
            // The edges are tried twice more.
            1.0 + doublings + (1.0 / precision).log2().ceil() + 4.0
        }
    }
}

/// A ramp that rises, or stays.
fn rising(check: &mut Check, ramp: Ramp, search: SearchKind) -> Option<Ramp> {
    let Ramp { start, end, step } = ramp;
    if let Some(end) = end.filter(|&end| end < start) {
        check.fault("rps.end", format!("is {end}; must be at least rps.start, which is {start}"));
        return None;
    }
    if search == SearchKind::Linear && step <= 0.0 && end != Some(start) {
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
