//! Which real function stands for which function of a trace.

use super::profile::{PERCENTILES, Proxies, Proxy};
use crate::load::Load;
use crate::trace::{Trace, TraceFunction};

/// How a real function is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// By the whole distributions: least mean distance of the logarithms of run times, over the percentiles, where memory
    /// counts a quarter as much.
    #[default]
    Distribution,
    /// As InVitro's mapper: least distance of the logarithms of the medians of run time and memory, and none where the medians
    /// of run time differ by more than 40 % of the trace's.
    Medians,
}

/// What a logarithm of memory counts, relative to one of run time.
const MEMORY_WEIGHT: f64 = 0.25;
/// What 0 is taken for in a logarithm.
const LEAST: f64 = 0.01;
/// Most that medians of run time may differ, of the trace's.
const MOST_ERROR: f64 = 0.4;

/// The real function of a trace's function.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The place of the function in the trace.
    pub function: usize,
    /// The place of the real one among the proxies; none where none is near enough.
    pub proxy: Option<usize>,
    /// Median run time of the trace's function in milliseconds; none where it has none.
    pub runtime_ms: Option<f64>,
    /// Median memory of the trace's function in MiB.
    pub memory_mib: Option<f64>,
}

/// How the errors of medians are distributed: absolute differences over the trace's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// Over functions: mean, median, 95th percentile.
    pub by_function: [f64; 3],
    /// Over invocations.
    pub by_invocation: [f64; 3],
}

/// The real function of each function of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// In the order of the trace.
    pub choices: Vec<Choice>,
    /// Functions without a proxy.
    pub unmapped: usize,
    /// Relative errors of run times, of those that have a proxy; none of none.
    pub runtime: Option<Errors>,
    /// The same of memory.
    pub memory: Option<Errors>,
    /// Mean absolute error of the medians of run time over functions, in milliseconds.
    pub runtime_error_ms: Option<f64>,
    /// The same of memory, in MiB.
    pub memory_error_mib: Option<f64>,
}

/// A function's values at [`PERCENTILES`].
struct Shape {
    runtime_ms: [f64; 9],
    memory_mib: Option<[f64; 9]>,
}

/// Chooses a real function for each function of `trace`.
pub fn map(trace: &Trace, proxies: &Proxies, rule: Rule) -> Mapping {
    let proxies = &proxies.0;
    let shapes: Vec<Option<Shape>> = trace.functions.iter().map(shape).collect();
    let choose = |(function, shape): (usize, &Option<Shape>)| Choice {
        function,
        proxy: shape.as_ref().and_then(|shape| nearest(shape, proxies, rule)),
        runtime_ms: shape.as_ref().map(|shape| shape.runtime_ms[4]),
        memory_mib: shape.as_ref().and_then(|shape| Some(shape.memory_mib?[4])),
    };
    let choices: Vec<Choice> = shapes.iter().enumerate().map(choose).collect();
    let invocations = |choice: &Choice| trace.functions[choice.function].load.total() as f64;
    type Pair = fn(&Choice, &Proxy) -> Option<(f64, f64)>;
    let pairs = |pair: Pair| -> Vec<(f64, f64, f64)> {
        let of = |choice: &Choice| {
            let (wanted, found) = pair(choice, &proxies[choice.proxy?])?;
            Some((wanted, found, invocations(choice)))
        };
        choices.iter().filter_map(of).collect()
    };
    let runtimes = pairs(|choice, proxy| Some((choice.runtime_ms?, proxy.runtime_ms[4])));
    let memory = pairs(|choice, proxy| Some((choice.memory_mib?, proxy.memory_mib[4])));
    let absolute = |pairs: &[(f64, f64, f64)]| {
        let sum: f64 = pairs.iter().map(|(wanted, found, _)| (wanted - found).abs()).sum();
        (!pairs.is_empty()).then(|| sum / pairs.len() as f64)
    };
    Mapping {
        unmapped: choices.iter().filter(|choice| choice.proxy.is_none()).count(),
        runtime_error_ms: absolute(&runtimes),
        memory_error_mib: absolute(&memory),
        runtime: errors(&runtimes),
        memory: errors(&memory),
        choices,
    }
}

/// None where the function has no run times.
fn shape(function: &TraceFunction) -> Option<Shape> {
    let at = |quantile: &dyn Fn(f64) -> f64| PERCENTILES.map(|percentile| quantile(f64::from(percentile) / 100.0));
    let runtime_ms = match (&function.runtime, &function.load) {
        (Some(profile), _) => at(&|q| profile.quantile(q).as_secs_f64() * 1000.0),
        (None, Load::Events(events)) => {
            let mut runtimes: Vec<f64> =
                events.all().iter().map(|event| f64::from(event.runtime_us) / 1000.0).collect();
            runtimes.sort_by(f64::total_cmp);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
            let place = |q: f64| (q * runtimes.len().saturating_sub(1) as f64).round() as usize;
            runtimes.first()?;
            at(&|q| runtimes[place(q)])
        }
        (None, Load::Counts(_)) => return None,
    };
    let memory = function.memory.as_ref().map(|profile| at(&|q| f64::from(profile.quantile(q))));
    Some(Shape { runtime_ms, memory_mib: memory })
}

fn log(value: f64) -> f64 {
    if value > 0.0 { value.ln() } else { LEAST.ln() }
}

/// The nearest proxy; of equally near ones the first.
fn nearest(shape: &Shape, proxies: &[Proxy], rule: Rule) -> Option<usize> {
    let distance = |proxy: &Proxy| match rule {
        Rule::Distribution => {
            let runtimes = mean_distance(&shape.runtime_ms, &proxy.runtime_ms);
            let memory = shape.memory_mib.as_ref().map_or(0.0, |memory| mean_distance(memory, &proxy.memory_mib));
            runtimes + MEMORY_WEIGHT * memory
        }
        Rule::Medians => {
            let of_memory = shape.memory_mib.map_or(0.0, |memory| log(memory[4]) - log(proxy.memory_mib[4]));
            (log(shape.runtime_ms[4]) - log(proxy.runtime_ms[4])).hypot(of_memory)
        }
    };
    let (mut best, mut least) = (None, f64::INFINITY);
    for (place, proxy) in proxies.iter().enumerate() {
        let distance = distance(proxy);
        if distance < least {
            (best, least) = (Some(place), distance);
        }
    }
    let wanted = shape.runtime_ms[4];
    let is_near = |place: &usize| (wanted - proxies[*place].runtime_ms[4]).abs() <= MOST_ERROR * wanted;
    best.filter(|place| rule == Rule::Distribution || is_near(place))
}

/// The area between the distributions of logarithms, linear between percentiles.
fn mean_distance(a: &[f64; 9], b: &[f64; 9]) -> f64 {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| (log(*a) - log(*b)).abs()).collect();
    let pieces = differences.windows(2).zip(PERCENTILES.windows(2));
    pieces.map(|(pair, at)| f64::midpoint(pair[0], pair[1]) * f64::from(at[1] - at[0]) / 100.0).sum()
}

fn errors(pairs: &[(f64, f64, f64)]) -> Option<Errors> {
    let relative = pairs.iter().filter(|(wanted, ..)| *wanted > 0.0);
    let mut relative: Vec<(f64, f64)> =
        relative.map(|(wanted, found, invocations)| ((found / wanted - 1.0).abs(), *invocations)).collect();
    relative.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let weighted = |weight: &dyn Fn(f64) -> f64| {
        let all: f64 = relative.iter().map(|(_, invocations)| weight(*invocations)).sum();
        let mean = relative.iter().map(|(error, invocations)| error * weight(*invocations)).sum::<f64>() / all;
        let at = |share: f64| {
            let mut upto = 0.0;
            let reached = relative.iter().find(|(_, invocations)| {
                upto += weight(*invocations);
                upto >= share * all * (1.0 - 1e-12)
            });
            reached.map_or(f64::NAN, |(error, _)| *error)
        };
        [mean, at(0.5), at(0.95)]
    };
    (!relative.is_empty())
        .then(|| Errors { by_function: weighted(&|_| 1.0), by_invocation: weighted(&|invocations| invocations) })
}
