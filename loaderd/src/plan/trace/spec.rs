//! The spec of mode trace, and its check.

use std::{path::PathBuf, sync::Arc, time::Duration};

use loader_proto::v1::{self, trace_mode};
use loader_trace::{Clamp, Format, Trace};

use super::bounds;
use crate::{
    plan::{
        TraceSource, Warmup,
        checks::{MOST_FUNCTIONS, whole},
    },
    spec::{Check, LONGEST, Violation, time},
    units,
};

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// Longest hold: Knative delays scaling down by as much, which then holds no longer.
const LONGEST_HOLD: Duration = Duration::from_mins(15);

/// Most units of a trace. Each has a line in the plan's outline, which is held in memory; and of a trace of exact times
/// a single wrong one can make very many.
const MOST_UNITS: usize = 1 << 20;

/// Replays per-function invocation counts of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) struct TraceSpec {
    /// The trace to replay.
    pub(super) source: TraceSource,
    /// Its format; `None`: detected from its files.
    pub(super) format: Option<Format>,
    /// Which day, when it has several.
    pub(super) day: Option<u32>,
    /// Which sample, when it has several.
    pub(super) size: Option<u32>,
    /// Where in the trace the replay begins.
    pub(super) start: Duration,
    /// How much is replayed; `None`: all.
    pub(super) duration: Option<Duration>,
    /// What one column of the trace lasts; `None`: as its format has it.
    pub(super) granularity: Option<Granularity>,
    /// Whether functions without durations or memory are left out instead of refused.
    pub(super) skip_incomplete: bool,
    /// Whether values that could be repaired refuse the trace.
    pub(super) strict: bool,
    /// Run time of functions without durations.
    pub(super) default_runtime: Option<Duration>,
    /// Memory of functions without any, in MiB.
    pub(super) default_memory_mib: Option<u32>,
    /// What drawn run times are held to.
    pub(super) runtime: Clamp<Duration>,
    /// What drawn memory is held to, in MiB.
    pub(super) memory_mib: Clamp<u32>,
    /// What of it comes before the measured part.
    pub(super) warmup: Option<Warmup>,
}

impl TraceSpec {
    /// How many units of a trace are replayed, which begins where the replay does.
    pub(super) fn units(&self, trace: &Trace) -> usize {
        let wanted = self.duration.and_then(|duration| whole(duration, trace.unit));
        wanted.and_then(|units| usize::try_from(units).ok()).map_or(trace.units, |units| units.min(trace.units))
    }
}

/// What one column of a trace lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Granularity {
    Minute,
    Second,
}

impl Granularity {
    pub(super) const ALL: [Self; 2] = [Self::Minute, Self::Second];

    /// As in a spec.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }

    /// How long it is, in seconds.
    pub(super) const fn as_secs(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::Second => 1,
        }
    }
}

/// The trace, if it is not empty and as long as the spec requires.
pub(super) fn fitting(mode: &TraceSpec, trace: Option<Arc<Trace>>) -> Result<Arc<Trace>, Vec<Violation>> {
    let refuse = |field: &str, description: String| vec![Violation::new(field, description)];
    let Some(trace) = trace else { return Err(refuse("trace", "was not read".to_owned())) };
    let (functions, most) = (trace.functions.len(), MOST_FUNCTIONS as usize);
    if functions > most {
        return Err(refuse(
            "trace",
            format!("has {functions} functions; at most {most} can be replayed: take a sample"),
        ));
    }
    if trace.units > MOST_UNITS {
        let (has, unit) = (trace.units, time(trace.unit));
        let rule = format!("lasts {has} units of {unit}; at most {MOST_UNITS} can be replayed, see trace.duration");
        return Err(refuse("trace", rule));
    }
    let length = trace.unit.saturating_mul(units::to_u32(mode.units(&trace)));
    if mode.warmup.is_some_and(|warmup| warmup.longest() >= length) {
        let rule = format!("hold and settle take all of the trace's {}", time(length));
        return Err(refuse("trace.warmup", rule));
    }
    if trace.invocations() == 0 {
        return Err(refuse("trace", "has no invocation in the units that are replayed".to_owned()));
    }
    Ok(trace)
}

/// Reads the mode's message, taken apart in full, so that a new field breaks the build here.
pub(in crate::plan) fn check(check: &mut Check, message: &v1::TraceMode) -> Option<TraceSpec> {
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
        start,
        size,
        strict,
        default_runtime,
        default_memory_mib,
    } = message;
    let source = source(check, source_message.as_ref());
    let format = trace_format(check, format);
    let granularity = self::granularity(check, granularity);
    let duration = length(check, "trace.duration", duration.as_ref(), SECOND, granularity);
    let start = length(check, "trace.start", start.as_ref(), Duration::ZERO, None);
    let default_runtime = bounds::default_runtime(check, default_runtime.as_ref());
    let default_memory_mib = bounds::default_memory(check, *default_memory_mib);
    let runtime = bounds::runtime(check, min_runtime.as_ref(), max_runtime.as_ref());
    let memory_mib = bounds::memory(check, *min_memory_mib, *max_memory_mib);
    let warmup = warmup_message.as_ref().map(|message| warmup(check, message));
    let warmup = match warmup {
        None => Some(None),
        Some(read) => read.map(Some),
    };
    if let (Some(Some(warmup)), Some(Some(duration))) = (warmup, duration)
        && warmup.longest() >= duration
    {
        let (longest, duration) = (time(warmup.longest()), time(duration));
        let rule = format!("hold and settle take {longest}; must be less than duration, which is {duration}");
        check.fault("trace.warmup", rule);
    }
    Some(TraceSpec {
        source: source?,
        format: format?,
        day: *day,
        size: *size,
        start: start?.unwrap_or_default(),
        duration: duration?,
        granularity: granularity?,
        skip_incomplete: *skip_incomplete,
        strict: *strict,
        default_runtime: default_runtime?,
        default_memory_mib: default_memory_mib?,
        runtime: runtime?,
        memory_mib: memory_mib?,
        warmup: warmup?,
    })
}

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

/// What a column lasts; inside, nothing when the format says.
fn granularity(check: &mut Check, name: &str) -> Option<Option<Granularity>> {
    if name.is_empty() {
        return Some(None);
    }
    check.named("trace.granularity", name, &Granularity::ALL, Granularity::as_str).map(Some)
}

/// A part of the trace, of at least `least`; inside, nothing when it is not given. With a granularity it must be a whole number
/// of units; without, the trace's reader knows what a unit is.
fn length(
    check: &mut Check,
    field: &str,
    given: Option<&prost_types::Duration>,
    least: Duration,
    granularity: Option<Option<Granularity>>,
) -> Option<Option<Duration>> {
    let Some(given) = given else { return Some(None) };
    let length = check.duration(field, Some(given), MINUTE, least..=LONGEST)?;
    let unit = granularity.flatten().map(|granularity| Duration::from_secs(granularity.as_secs()));
    match unit {
        Some(unit) if whole(length, unit).is_none() => {
            check.fault(field, format!("is {}; must be a whole multiple of a unit, {}", time(length), time(unit)));
            None
        }
        _ => Some(Some(length)),
    }
}
