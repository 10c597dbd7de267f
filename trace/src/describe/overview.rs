//! What a trace is: how much, when, by whom, how big.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::figures::quietest_hour;
use super::function::FunctionFigures;
use super::published::Unit;
use crate::trace::Trace;

/// Most intervals that a trace's time is cut into.
const INTERVALS: usize = 24;
/// Shares of functions whose share of invocations is told, the most invoked ones first.
const SKEW: [f64; 4] = [0.01, 0.1, 0.186, 0.5];

/// A trace in numbers. None: the trace has no data for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// How many functions.
    pub functions: usize,
    /// How many different apps.
    pub apps: Option<usize>,
    /// How many different owners.
    pub owners: Option<usize>,
    /// How long it lasts.
    pub length: Duration,
    /// What a column lasts, or what exact times are counted by.
    pub unit: Duration,
    /// All invocations.
    pub invocations: u64,
    /// Shares by trigger, from 0 to 1; empty where functions have none.
    pub triggers: Vec<TriggerShare>,
    /// Invocations a second.
    pub mean_rate: f64,
    /// Invocations a second in the unit with most.
    pub peak_rate: f64,
    /// Invocations in the quietest hour of the day over those of the mean hour; of whole days of minutes.
    pub quietest_hour: Option<f64>,
    /// Which share of the functions, the most invoked ones, has which share of the invocations.
    pub skew: Vec<(f64, f64)>,
    /// Invocations under way at once: those of each unit times their mean run times over the unit. So many cores are busy
    /// where each keeps one busy.
    pub concurrency: Option<Level>,
    /// Memory of the invocations under way at once, in MiB.
    pub memory_mib: Option<Level>,
    /// Quantities of functions.
    pub distributions: Vec<Distribution>,
    /// The same over time, in at most 24 intervals of whole units.
    pub over_time: Vec<Interval>,
}

/// The shares of a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerShare {
    /// Its name.
    pub name: String,
    /// Of the functions.
    pub functions: f64,
    /// Of the invocations.
    pub invocations: f64,
}

/// A quantity over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Its mean.
    pub mean: f64,
    /// Its greatest mean in a unit.
    pub peak: f64,
}

/// How a quantity is distributed.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Which quantity.
    pub name: &'static str,
    /// In which unit.
    pub unit: Unit,
    /// How many functions have it.
    pub functions: usize,
    /// The mean.
    pub mean: f64,
    /// The values at [`Distribution::PERCENTILES`].
    pub values: [f64; 7],
}

impl Distribution {
    /// The percentiles that are told.
    pub const PERCENTILES: [u8; 7] = [5, 25, 50, 75, 95, 99, 100];
}

/// A part of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Where it begins, in the trace.
    pub from: Duration,
    /// Invocations a second.
    pub rate: f64,
    /// Mean of invocations under way.
    pub concurrency: Option<f64>,
    /// Mean of their memory in MiB.
    pub memory_mib: Option<f64>,
}

impl Overview {
    /// That of `trace`.
    pub fn of(trace: &Trace) -> Self {
        let figures: Vec<FunctionFigures> = trace.functions.iter().map(FunctionFigures::of).collect();
        let distinct = |names: HashSet<&str>| (!names.contains("")).then_some(names.len());
        let seconds = trace.unit.as_secs_f64() * trace.units as f64;
        let invocations: u64 = figures.iter().map(|figures| figures.invocations).sum();
        let sums = Sums::of(trace, &figures);
        let level = |values: &Option<Vec<f64>>| {
            values.as_ref().map(|values| Level { mean: mean(values), peak: values.iter().copied().fold(0.0, f64::max) })
        };
        Self {
            functions: figures.len(),
            apps: distinct(trace.functions.iter().map(|function| function.app.as_str()).collect()),
            owners: distinct(trace.functions.iter().map(|function| function.owner.as_str()).collect()),
            length: trace.unit.saturating_mul(u32::try_from(trace.units).unwrap_or(u32::MAX)),
            unit: trace.unit,
            invocations,
            triggers: triggers(trace, &figures, invocations),
            mean_rate: invocations as f64 / seconds,
            peak_rate: sums.invocations.iter().copied().fold(0.0, f64::max) / trace.unit.as_secs_f64(),
            quietest_hour: quietest_hour(trace).filter(|_| trace.unit == Duration::from_mins(1)),
            skew: skew(&figures, invocations),
            concurrency: level(&sums.concurrency),
            memory_mib: level(&sums.memory_mib),
            distributions: distributions(&figures, trace.unit),
            over_time: over_time(trace, &sums),
        }
    }
}

/// What all functions make together in each unit.
struct Sums {
    invocations: Vec<f64>,
    concurrency: Option<Vec<f64>>,
    memory_mib: Option<Vec<f64>>,
}

impl Sums {
    fn of(trace: &Trace, figures: &[FunctionFigures]) -> Self {
        let unit_ms = trace.unit.as_secs_f64() * 1000.0;
        let [mut invocations, mut busy, mut memory] = [(); 3].map(|()| vec![0.0; trace.units]);
        for (function, figures) in trace.functions.iter().zip(figures) {
            let busy_each = figures.runtime_ms.unwrap_or_default() / unit_ms;
            let memory_each = busy_each * figures.memory_mib.unwrap_or_default();
            function.load.each_active(|unit, count| {
                if unit < trace.units {
                    invocations[unit] += f64::from(count);
                    busy[unit] += f64::from(count) * busy_each;
                    memory[unit] += f64::from(count) * memory_each;
                }
            });
        }
        let all_have = |of: &dyn Fn(&FunctionFigures) -> bool| figures.iter().all(of);
        let has_runtime = all_have(&|figures| figures.runtime_ms.is_some());
        let has_memory = has_runtime && all_have(&|figures| figures.memory_mib.is_some());
        Self { invocations, concurrency: has_runtime.then_some(busy), memory_mib: has_memory.then_some(memory) }
    }
}

fn triggers(trace: &Trace, figures: &[FunctionFigures], invocations: u64) -> Vec<TriggerShare> {
    let mut triggers: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (function, figures) in trace.functions.iter().zip(figures) {
        let Some(trigger) = function.trigger.as_deref() else { continue };
        let of = triggers.entry(trigger).or_default();
        *of = (of.0 + 1, of.1 + figures.invocations);
    }
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let named = triggers.into_iter().map(|(name, (functions, made))| TriggerShare {
        name: name.to_owned(),
        functions: share(functions, figures.len() as u64),
        invocations: share(made, invocations),
    });
    let mut named: Vec<TriggerShare> = named.collect();
    named.sort_by(|a, b| b.functions.total_cmp(&a.functions));
    named
}

fn skew(figures: &[FunctionFigures], invocations: u64) -> Vec<(f64, f64)> {
    let mut sorted: Vec<u64> = figures.iter().map(|figures| figures.invocations).collect();
    sorted.sort_unstable_by_key(|&invocations| std::cmp::Reverse(invocations));
    let of = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the functions")]
        let number = (share * sorted.len() as f64).round().max(1.0) as usize;
        (share, sorted.iter().take(number).sum::<u64>() as f64 / invocations as f64)
    };
    if invocations == 0 { Vec::new() } else { SKEW.into_iter().map(of).collect() }
}

fn distributions(figures: &[FunctionFigures], unit: Duration) -> Vec<Distribution> {
    type Of<'a> = &'a dyn Fn(&FunctionFigures) -> Option<f64>;
    let once = |name, unit, of: Of<'_>| distribution(name, unit, figures.iter().filter_map(|it| Some((of(it)?, 1.0))));
    let weighted = |name, unit, of: Of<'_>| {
        distribution(name, unit, figures.iter().filter_map(|it| Some((of(it)?, it.invocations as f64))))
    };
    let runtime = |figures: &FunctionFigures| figures.runtime_ms.map(|ms| ms / 1000.0);
    let memory = |figures: &FunctionFigures| figures.memory_mib;
    let idle = |figures: &FunctionFigures| figures.idle_units.map(|units| units * unit.as_secs_f64());
    [
        once("invocations", Unit::Plain, &|figures| Some(figures.invocations as f64)),
        once("mean run time", Unit::Seconds, &runtime),
        weighted("mean run time, by invocations", Unit::Seconds, &runtime),
        once("mean memory", Unit::Megabytes, &memory),
        weighted("mean memory, by invocations", Unit::Megabytes, &memory),
        once("inter-arrival CV", Unit::Plain, &|figures| figures.variation),
        once("idle time", Unit::Seconds, &idle),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// None of no values. A percentile is the least value that so much of the weight does not exceed.
fn distribution(name: &'static str, unit: Unit, values: impl Iterator<Item = (f64, f64)>) -> Option<Distribution> {
    let mut values: Vec<(f64, f64)> = values.filter(|(_, weight)| *weight > 0.0).collect();
    values.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (last, _) = *values.last()?;
    let weight: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mean = values.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight;
    let mut told = [last; 7];
    let mut upto = 0.0;
    let mut next = 0;
    for &(value, of) in &values {
        upto += of;
        // A rounding error of many sums must not pass a value by.
        let reached = |percentile: u8| upto >= weight * f64::from(percentile) / 100.0 * (1.0 - 1e-12);
        while next < told.len() && reached(Distribution::PERCENTILES[next]) {
            told[next] = value;
            next += 1;
        }
    }
    Some(Distribution { name, unit, functions: values.len(), mean, values: told })
}

fn over_time(trace: &Trace, sums: &Sums) -> Vec<Interval> {
    let each = trace.units.div_ceil(INTERVALS).max(1);
    let part = |values: &[f64], begin: usize| mean(&values[begin..(begin + each).min(values.len())]);
    let interval = |begin: usize| Interval {
        from: trace.unit.saturating_mul(u32::try_from(begin).unwrap_or(u32::MAX)),
        rate: part(&sums.invocations, begin) / trace.unit.as_secs_f64(),
        concurrency: sums.concurrency.as_ref().map(|values| part(values, begin)),
        memory_mib: sums.memory_mib.as_ref().map(|values| part(values, begin)),
    };
    (0..trace.units).step_by(each).map(interval).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Counts;
    use crate::load::Load;
    use crate::sizes::{MemoryProfile, RuntimeProfile};
    use crate::trace::TraceFunction;

    fn function(id: &str, counts: &[u32], runtime_ms: f64) -> TraceFunction {
        TraceFunction {
            id: id.to_owned(),
            owner: "o".to_owned(),
            app: id.to_owned(),
            trigger: Some(if id == "a" { "timer" } else { "http" }.to_owned()),
            load: Load::Counts(Counts::new(counts)),
            runtime: RuntimeProfile::from_millis([runtime_ms; 7]).ok(),
            memory: MemoryProfile::from_mib([100.0; 8]).ok(),
        }
    }

    fn trace() -> Trace {
        let functions = vec![function("a", &[6, 0], 1000.0), function("b", &[0, 30], 20_000.0)];
        Trace { functions, units: 2, unit: Duration::from_mins(1) }
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} {expected:?}");
    }

    #[test]
    fn of_a_small_trace() {
        let found = Overview::of(&trace());
        assert_eq!((found.functions, found.apps, found.owners, found.invocations), (2, Some(2), Some(1), 36));
        assert_eq!(found.length, Duration::from_mins(2));
        near(&[found.mean_rate, found.peak_rate], &[0.3, 0.5]);
        assert_eq!(
            found.triggers[0],
            TriggerShare { name: "http".to_owned(), functions: 0.5, invocations: 30.0 / 36.0 }
        );
        assert_eq!(found.skew[1], (0.1, 30.0 / 36.0));
        // 6 s and 600 s in 60 s each, with 100 MiB.
        let concurrency = found.concurrency.unwrap();
        assert!((concurrency.mean - 5.05).abs() < 1e-9 && (concurrency.peak - 10.0).abs() < 1e-9);
        assert!((found.memory_mib.unwrap().peak - 1000.0).abs() < 1e-9);
        let of = |name: &str| found.distributions.iter().find(|of| of.name == name).unwrap();
        near(&of("mean run time").values, &[1.0, 1.0, 1.0, 20.0, 20.0, 20.0, 20.0]);
        near(&of("mean run time, by invocations").values, &[1.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0]);
        assert!((of("mean run time, by invocations").mean - 606.0 / 36.0).abs() < 1e-9);
        assert_eq!(found.over_time.len(), 2);
        near(&[found.over_time[0].rate, found.over_time[1].rate], &[0.1, 0.5]);
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let mut bare = trace();
        for function in &mut bare.functions {
            (function.runtime, function.memory, function.trigger) = (None, None, None);
            function.owner.clear();
        }
        let found = Overview::of(&bare);
        assert_eq!((found.owners, found.concurrency, found.memory_mib, found.triggers), (None, None, None, vec![]));
        assert!(found.distributions.iter().all(|of| !of.name.starts_with("mean")));
        assert_eq!(found.over_time[0].concurrency, None);
    }
}
