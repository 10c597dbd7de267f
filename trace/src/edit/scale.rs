//! The load of a trace at another rate, over another time.
//!
//! Ways to another length are those of FaaSRail, where they have these names.

use std::time::Duration;

use rand::RngExt;
use rand_distr::{Binomial, Distribution};

use super::EditError;
use crate::counts::Counts;
use crate::events::{Event, Events};
use crate::load::Load;
use crate::random::{Purpose, StreamKey, StreamRng};
use crate::trace::{Trace, TraceFunction};

/// How a trace is brought to a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As long as it is.
    Whole,
    /// Consecutive units are added up: the whole trace in less time.
    Thumbnails,
    /// The units from one on.
    Range {
        /// Where they begin, in the trace.
        from: Duration,
    },
    /// A constant rate, each invocation that of a function by its share: no shape over time at all.
    Smirnov,
}

/// Another load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// How the length is changed.
    pub way: Way,
    /// The new length; none: that of the trace.
    pub duration: Option<Duration>,
    /// Invocations a second in the unit with most; none: as they come.
    pub peak_rate: Option<f64>,
    /// Everything random comes from it.
    pub seed: u64,
}

/// A trace with another load, and what that means.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled {
    /// The trace.
    pub trace: Trace,
    /// What is as in the original.
    pub keeps: Vec<&'static str>,
    /// What is not.
    pub breaks: Vec<&'static str>,
    /// Functions that are invoked no more, and were left out.
    pub lost: usize,
    /// With which probability each invocation was kept.
    pub kept: f64,
}

/// `trace` with another load.
///
/// The rate is lowered by thinning: each invocation is kept with the same probability, independently. Nothing is ever added.
///
/// # Errors
/// When the length or the rate can't be had.
pub fn scale(trace: &Trace, scaling: &Scaling) -> Result<Scaled, EditError> {
    if let Some(rate) = scaling.peak_rate.filter(|rate| !(rate.is_finite() && *rate > 0.0)) {
        return Err(EditError::Rate(rate));
    }
    let units = match scaling.duration {
        Some(duration) => whole(duration, trace.unit).filter(|units| *units > 0),
        None => Some(trace.units),
    };
    let asked = scaling.duration.unwrap_or_default();
    let units = units.ok_or(EditError::Length { asked, unit: trace.unit })?;
    let shaped = match scaling.way {
        Way::Whole | Way::Range { .. } => range(trace, scaling, units)?,
        Way::Thumbnails => thumbnails(trace, units)?,
        Way::Smirnov => return smirnov(trace, scaling, units),
    };
    let most = peak(&shaped);
    let kept = scaling.peak_rate.map_or(1.0, |asked| asked / most);
    if let Some(asked) = scaling.peak_rate.filter(|_| kept > 1.0 + 1e-9) {
        return Err(EditError::TooMuch { asked, most });
    }
    let before = shaped.functions.len();
    let thinned = if kept < 1.0 { thinned(shaped, kept, scaling.seed) } else { shaped };
    let trace = alive(thinned);
    if trace.functions.is_empty() {
        let least = 1.0 / trace.unit.as_secs_f64();
        return Err(EditError::TooLittle { asked: scaling.peak_rate.unwrap_or_default(), least });
    }
    let (keeps, breaks) = consequences(scaling.way, kept < 1.0);
    Ok(Scaled { lost: before - trace.functions.len(), trace, keeps, breaks, kept: kept.min(1.0) })
}

/// What a way and thinning keep and break.
fn consequences(way: Way, is_thinned: bool) -> (Vec<&'static str>, Vec<&'static str>) {
    let (mut keeps, mut breaks) = (vec!["run times and memory", "shares of the functions, on average"], Vec::new());
    match way {
        Way::Whole => keeps.extend(["time of day", "shape over time"]),
        Way::Thumbnails => {
            keeps.push("shape over time, in less time");
            breaks.push("idle times and bursts: shorter by the same factor as the time");
        }
        Way::Range { .. } => {
            keeps.push("idle times within the range");
            breaks.push("shape over the day: only that of the range; functions invoked outside it are lost");
        }
        Way::Smirnov => breaks.push("shape over time and idle times: the rate is constant"),
    }
    if is_thinned {
        breaks.push("idle times: longer, so that cold starts are more frequent");
        breaks.push("rare functions: some lose all invocations");
    } else if matches!(way, Way::Whole) {
        keeps.push("idle times");
    }
    (keeps, breaks)
}

/// How many units a time is; none where it is no whole number.
fn whole(time: Duration, unit: Duration) -> Option<usize> {
    let (time, unit) = (time.as_nanos(), unit.as_nanos().max(1));
    time.is_multiple_of(unit).then(|| usize::try_from(time / unit).ok()).flatten()
}

/// Invocations a second in the unit with most.
fn peak(trace: &Trace) -> f64 {
    let mut sums = vec![0_u64; trace.units];
    for function in &trace.functions {
        function.load.each_active(|unit, count| {
            if let Some(sum) = sums.get_mut(unit) {
                *sum += u64::from(count);
            }
        });
    }
    sums.into_iter().max().unwrap_or_default() as f64 / trace.unit.as_secs_f64()
}

/// Of each function what `change` makes of its load.
fn each(trace: &Trace, units: usize, mut change: impl FnMut(&TraceFunction) -> Load) -> Trace {
    let changed = trace.functions.iter().map(|function| TraceFunction { load: change(function), ..function.clone() });
    Trace { functions: changed.collect(), units, unit: trace.unit }
}

fn alive(mut trace: Trace) -> Trace {
    trace.functions.retain(|function| function.load.total() > 0);
    trace
}

fn range(trace: &Trace, scaling: &Scaling, units: usize) -> Result<Trace, EditError> {
    let from = match scaling.way {
        Way::Range { from } => from,
        Way::Whole | Way::Thumbnails | Way::Smirnov => Duration::ZERO,
    };
    let first = whole(from, trace.unit).ok_or(EditError::Length { asked: from, unit: trace.unit })?;
    let left = trace.units.saturating_sub(first);
    let units = if scaling.duration.is_none() { left } else { units };
    if units == 0 || units > left {
        return Err(EditError::TooLong { asked: units, left });
    }
    let unit_ns = nanos(trace.unit);
    let (begin_ns, end_ns) = (unit_ns * first as u64, unit_ns * (first + units) as u64);
    Ok(each(trace, units, |function| match &function.load {
        Load::Counts(counts) => Load::Counts(Counts::new(&counts.iter().skip(first).take(units).collect::<Vec<_>>())),
        Load::Events(events) => {
            let inside = events.all().iter().filter(|event| (begin_ns..end_ns).contains(&event.start_ns));
            let moved = inside.map(|event| Event { start_ns: event.start_ns - begin_ns, ..*event });
            Load::Events(Events::new(moved.collect(), trace.unit))
        }
    }))
}

fn thumbnails(trace: &Trace, units: usize) -> Result<Trace, EditError> {
    if !trace.units.is_multiple_of(units) {
        return Err(EditError::Uneven { units: trace.units, asked: units });
    }
    let factor = trace.units / units;
    Ok(each(trace, units, |function| match &function.load {
        Load::Counts(counts) => {
            let all: Vec<u32> = counts.iter().collect();
            let sums =
                all.chunks(factor).map(|chunk| chunk.iter().fold(0_u32, |sum, &count| sum.saturating_add(count)));
            Load::Counts(Counts::new(&sums.collect::<Vec<_>>()))
        }
        Load::Events(events) => {
            let nearer = |event: &Event| Event { start_ns: event.start_ns / factor as u64, ..*event };
            Load::Events(Events::new(events.all().iter().map(nearer).collect(), trace.unit))
        }
    }))
}

fn thinned(trace: Trace, probability: f64, seed: u64) -> Trace {
    each(&trace, trace.units, |function| {
        let key = StreamKey::new(seed, &function.id, Purpose::Scaling);
        match &function.load {
            Load::Counts(counts) => {
                let kept =
                    counts.iter().zip(0_u32..).map(|(count, unit)| some(count, probability, &mut key.unit(unit)));
                Load::Counts(Counts::new(&kept.collect::<Vec<_>>()))
            }
            Load::Events(events) => {
                let mut rng = key.unit(0);
                let kept = events.all().iter().filter(|_| rng.random_range(0.0..1.0) < probability);
                Load::Events(Events::new(kept.copied().collect(), trace.unit))
            }
        }
    })
}

/// How many of `count` are kept.
fn some(count: u32, probability: f64, rng: &mut StreamRng) -> u32 {
    if count == 0 {
        return 0;
    }
    // A probability that is none keeps all; there is none such here.
    let kept = Binomial::new(count.into(), probability).map_or(u64::from(count), |binomial| binomial.sample(rng));
    u32::try_from(kept).unwrap_or(u32::MAX)
}

/// Each unit has the same number of invocations, each of a function that is drawn by its share.
fn smirnov(trace: &Trace, scaling: &Scaling, units: usize) -> Result<Scaled, EditError> {
    let seconds = trace.unit.as_secs_f64();
    let all = trace.invocations() as f64 / trace.units.max(1) as f64;
    let each_unit = scaling.peak_rate.map_or(all, |rate| rate * seconds).round();
    if each_unit < 1.0 {
        return Err(EditError::TooLittle { asked: scaling.peak_rate.unwrap_or_default(), least: 1.0 / seconds });
    }
    let totals: Vec<f64> = trace.functions.iter().map(|function| function.load.total() as f64).collect();
    let sum: f64 = totals.iter().sum();
    let mut counts = vec![vec![0_u32; units]; trace.functions.len()];
    for (unit, number) in (0..units).zip(0_u32..) {
        let mut rng = StreamKey::new(scaling.seed, "smirnov", Purpose::Scaling).unit(number);
        // Share by share of what is left: together a draw from the multinomial distribution.
        let (mut left, mut share_left) = (count(each_unit), sum);
        for (function, total) in totals.iter().enumerate() {
            if left == 0 {
                break;
            }
            let drawn = some(left, (total / share_left).clamp(0.0, 1.0), &mut rng);
            counts[function][unit] = drawn;
            left -= drawn;
            share_left -= total;
        }
    }
    let mut counts = counts.into_iter();
    let changed = each(trace, units, |function| {
        let counts = counts.next().unwrap_or_default();
        match &function.load {
            Load::Counts(_) => Load::Counts(Counts::new(&counts)),
            Load::Events(events) => Load::Events(drawn(events, &counts, trace.unit, scaling.seed, &function.id)),
        }
    });
    let before = changed.functions.len();
    let trace = alive(changed);
    let (keeps, breaks) = consequences(Way::Smirnov, false);
    Ok(Scaled { lost: before - trace.functions.len(), trace, keeps, breaks, kept: 1.0 })
}

/// As many of a function's invocations in each unit, any of them, at any time in it.
fn drawn(events: &Events, counts: &[u32], unit: Duration, seed: u64, id: &str) -> Events {
    let key = StreamKey::new(seed, id, Purpose::Scaling);
    let (all, unit_ns) = (events.all(), nanos(unit));
    let mut chosen = Vec::new();
    for (&count, number) in counts.iter().zip(0_u32..) {
        let mut rng = key.unit(number);
        for _ in 0..count {
            let start_ns = unit_ns * u64::from(number) + rng.random_range(0..unit_ns.max(1));
            chosen.push(Event { start_ns, ..all[rng.random_range(0..all.len())] });
        }
    }
    Events::new(chosen, unit)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn count(number: f64) -> u32 {
    number as u32
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
