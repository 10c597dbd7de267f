//! The four modes. Messages are taken apart in full, so that a new field breaks the build here.

use std::{path::PathBuf, time::Duration};

use loader_proto::v1::{self, run_spec, trace_mode};
use loader_trace::{Clamp, Format};

use super::{
    BurstSpec, ColdShare, ColdStartSpec, Granularity, Mode, Ramp, RpsSpec, Size, TraceSource, TraceSpec, Warmup,
    check::{Check, LONGEST, time},
    invocations,
};

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// Shortest slot.
const SHORTEST_SLOT: Duration = Duration::from_millis(1);

/// Longest run time: in microseconds it fits into 32 bits.
const LONGEST_RUNTIME: Duration = Duration::from_hours(1);

/// Most memory of an invocation, in MiB: 1 TiB.
const MOST_MEMORY_MIB: u32 = 1 << 20;

/// Most slots of a plan. Each has a line in the plan's outline, which is held in memory.
const MOST_SLOTS: u32 = 1 << 20;

/// Most functions of a plan.
const MOST_FUNCTIONS: u32 = 100_000;

/// Most invocations of a burst.
const BIGGEST_BURST: u32 = 10_000_000;

/// Reads the mode.
pub(super) fn mode(check: &mut Check, mode: Option<&run_spec::Mode>) -> Option<Mode> {
    match mode {
        Some(run_spec::Mode::Trace(message)) => trace(check, message).map(Mode::Trace),
        Some(run_spec::Mode::Rps(message)) => rps(check, message).map(Mode::Rps),
        Some(run_spec::Mode::Burst(message)) => burst(check, message).map(Mode::Burst),
        Some(run_spec::Mode::Coldstart(message)) => coldstart(check, message).map(Mode::ColdStart),
        None => {
            check.fault("mode", "is missing; give exactly one of trace, rps, burst and coldstart");
            None
        }
    }
}

fn trace(check: &mut Check, message: &v1::TraceMode) -> Option<TraceSpec> {
    let v1::TraceMode {
        format,
        duration,
        granularity,
        skip_incomplete,
        min_runtime,
        max_runtime,
        min_memory_mib,
        max_memory_mib,
        day,
        warmup: warmup_message,
        source: source_message,
    } = message;
    let source = source(check, source_message.as_ref());
    let format = trace_format(check, format);
    let granularity = if granularity.is_empty() { Granularity::Minute.as_str() } else { granularity };
    let granularity = check.named("trace.granularity", granularity, &Granularity::ALL, Granularity::as_str);
    let units = units(check, duration.as_ref(), granularity);
    let Clamp { min, max } = Clamp::RUNTIME;
    let runtimes = Duration::ZERO..=LONGEST_RUNTIME;
    let min_runtime = check.duration("trace.minRuntime", min_runtime.as_ref(), min, runtimes.clone());
    let max_runtime = check.duration("trace.maxRuntime", max_runtime.as_ref(), max, runtimes);
    let Clamp { min, max } = Clamp::MEMORY_MIB;
    let min_memory = check.count("trace.minMemoryMib", *min_memory_mib, min, 1..=MOST_MEMORY_MIB);
    let max_memory = check.count("trace.maxMemoryMib", *max_memory_mib, max, 1..=MOST_MEMORY_MIB);
    if let (Some(min), Some(max)) = (min_runtime, max_runtime)
        && min > max
    {
        check
            .fault("trace.minRuntime", format!("is {}; must be at most maxRuntime, which is {}", time(min), time(max)));
    }
    if let (Some(min), Some(max)) = (min_memory, max_memory)
        && min > max
    {
        check.fault("trace.minMemoryMib", format!("is {min}; must be at most maxMemoryMib, which is {max}"));
    }
    let warmup = warmup_message.as_ref().map(|message| warmup(check, message));
    let warmup = match warmup {
        None => Some(None),
        Some(read) => read.map(Some),
    };
    if let (Some(Some(warmup)), Some(Some(units)), Some(granularity)) = (warmup, units, granularity) {
        let duration = Duration::from_secs(granularity.as_secs()) * u32::try_from(units).unwrap_or(u32::MAX);
        if warmup.longest() >= duration {
            let (longest, duration) = (time(warmup.longest()), time(duration));
            let rule =
                format!("hold and settle take {longest}; something must be left of duration, which is {duration}");
            check.fault("trace.warmup", rule);
        }
    }
    Some(TraceSpec {
        source: source?,
        format: format?,
        day: *day,
        units: units?,
        granularity: granularity?,
        skip_incomplete: *skip_incomplete,
        runtime: Clamp { min: min_runtime?, max: max_runtime? },
        memory_mib: Clamp { min: min_memory?, max: max_memory? },
        warmup: warmup?,
    })
}

/// Longest hold: Knative delays scaling down by as much, which then holds no longer.
const LONGEST_HOLD: Duration = Duration::from_mins(15);

fn warmup(check: &mut Check, message: &v1::Warmup) -> Option<Warmup> {
    let v1::Warmup { profile, hold, settle } = message;
    let hold = check.duration("trace.warmup.hold", hold.as_ref(), 5 * MINUTE, SECOND..=LONGEST_HOLD);
    let settle = check.duration("trace.warmup.settle", settle.as_ref(), 10 * MINUTE, Duration::ZERO..=LONGEST);
    let as_long = hold.unwrap_or(MINUTE);
    let profile = check.duration("trace.warmup.profile", profile.as_ref(), as_long, SECOND..=LONGEST);
    Some(Warmup { profile: profile?, hold: hold?, settle: settle? })
}

fn source(check: &mut Check, source: Option<&trace_mode::Source>) -> Option<TraceSource> {
    match source {
        Some(trace_mode::Source::Path(path)) if !path.is_empty() => Some(TraceSource::Path(PathBuf::from(path))),
        Some(trace_mode::Source::Upload(id)) if !id.is_empty() => Some(TraceSource::Upload(id.clone())),
        Some(_) | None => {
            check
                .fault("trace", "has no source; give path (a trace directory) or upload (the id of an uploaded trace)");
            None
        }
    }
}

/// The format; inside, nothing when it is to be detected.
fn trace_format(check: &mut Check, name: &str) -> Option<Option<Format>> {
    if name.is_empty() {
        return Some(None);
    }
    check.named("trace.format", name, &Format::ALL, Format::name).map(Some)
}

/// How many units to replay; inside, nothing for all.
fn units(
    check: &mut Check,
    duration: Option<&prost_types::Duration>,
    granularity: Option<Granularity>,
) -> Option<Option<usize>> {
    let Some(duration) = duration else { return Some(None) };
    let duration = check.duration("trace.duration", Some(duration), MINUTE, SECOND..=LONGEST)?;
    let unit = Duration::from_secs(granularity?.as_secs());
    let units = whole(duration, unit).and_then(|units| usize::try_from(units).ok());
    if units.is_none() {
        let found = time(duration);
        check.fault("trace.duration", format!("is {found}; must be a whole multiple of a unit, {}", time(unit)));
    }
    units.map(Some)
}

fn rps(check: &mut Check, message: &v1::RpsMode) -> Option<RpsSpec> {
    let v1::RpsMode { start, end, step, slot, functions, runtime, memory_mib, cold_start_ratio, cooldown } = message;
    let start = check.positive("rps.start", *start, 1.0, Ramp::HIGHEST);
    let end = match *end {
        None => Some(None),
        given => check.positive("rps.end", given, 0.0, Ramp::HIGHEST).map(Some),
    };
    let step = check.not_negative("rps.step", *step, 1.0, Ramp::HIGHEST);
    let slot = check.duration("rps.slot", slot.as_ref(), MINUTE, SHORTEST_SLOT..=LONGEST);
    let functions = check.count("rps.functions", *functions, 1, 1..=MOST_FUNCTIONS);
    let size = size(check, "rps", runtime.as_ref(), *memory_mib);
    let cold = cold_share(check, *cold_start_ratio, cooldown.as_ref());
    let ramp = match (start, end, step) {
        (Some(start), Some(end), Some(step)) => ramp(check, Ramp { start, end, step }),
        _ => None,
    };
    if let (Some(ramp), Some(slot)) = (ramp, slot) {
        let field = if ramp.end.is_some() { "rps.end" } else { "rps.start" };
        rate_fits(check, field, ramp.end.unwrap_or(ramp.start), slot);
        if ramp.end.is_some() {
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

fn ramp(check: &mut Check, ramp: Ramp) -> Option<Ramp> {
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

/// The share of cold functions; inside, nothing when there is none.
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

fn burst(check: &mut Check, message: &v1::BurstMode) -> Option<BurstSpec> {
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

fn coldstart(check: &mut Check, message: &v1::ColdStartMode) -> Option<ColdStartSpec> {
    let v1::ColdStartMode { start, step, cold_starts, functions, slot, duration, runtime, memory_mib } = message;
    let start = check.positive("coldstart.start", *start, 1.0, Ramp::HIGHEST);
    let step = check.not_negative("coldstart.step", *step, 0.0, Ramp::HIGHEST);
    if cold_starts.is_empty() {
        check
            .fault("coldstart.coldStarts", "is empty; give the number of cold starts for each slot, such as [5, 1, 2]");
    }
    let functions = check.count("coldstart.functions", *functions, 200, 2..=MOST_FUNCTIONS);
    let slot = check.duration("coldstart.slot", slot.as_ref(), MINUTE, SHORTEST_SLOT..=LONGEST);
    let slots = match duration {
        None => u32::try_from(cold_starts.len()).ok(),
        Some(duration) => coldstart_slots(check, duration, slot),
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
    if spec.slots > 0 && length_fits(check, "coldstart.duration", f64::from(spec.slots), spec.slot) {
        rate_fits(check, "coldstart.step", spec.rate(spec.slots - 1), spec.slot);
        cold_starts_fit(check, &spec);
    }
    Some(spec)
}

fn coldstart_slots(check: &mut Check, duration: &prost_types::Duration, slot: Option<Duration>) -> Option<u32> {
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

fn size(
    check: &mut Check,
    mode: &str,
    runtime: Option<&prost_types::Duration>,
    memory_mib: Option<u32>,
) -> Option<Size> {
    let runtime = check.duration(&format!("{mode}.runtime"), runtime, SECOND, Duration::ZERO..=LONGEST_RUNTIME);
    let memory_mib = check.count(&format!("{mode}.memoryMib"), memory_mib, 170, 1..=MOST_MEMORY_MIB);
    Some(Size { runtime: runtime?, memory_mib: memory_mib? })
}

/// The invocations of one slot are numbered in 32 bits.
fn rate_fits(check: &mut Check, field: &str, rate: f64, slot: Duration) {
    let most = f64::from(u32::MAX);
    if rate * slot.as_secs_f64() > most || rate > Ramp::HIGHEST {
        let rule = format!("a slot holds at most {most} invocations, and a rate is at most {}", Ramp::HIGHEST);
        check.fault(field, format!("leads to {rate} per second for {}; {rule}", time(slot)));
    }
}

/// A whole run is bounded in slots and in time.
fn length_fits(check: &mut Check, field: &str, slots: f64, slot: Duration) -> bool {
    let fits = slots <= f64::from(MOST_SLOTS) && slots * slot.as_secs_f64() <= LONGEST.as_secs_f64();
    if !fits {
        let rule = format!("a run has at most {MOST_SLOTS} slots and lasts at most {}", time(LONGEST));
        check.fault(field, format!("makes {slots} slots of {}; {rule}", time(slot)));
    }
    fits
}

/// How often `part` goes into `whole`, if without a rest.
fn whole(whole: Duration, part: Duration) -> Option<u128> {
    let (whole, part) = (whole.as_nanos(), part.as_nanos());
    whole.is_multiple_of(part).then(|| whole / part)
}
