//! Figures of traces: what happens when, and how functions differ.

use loader_report::figure::{Axis, Bars, Curve, Facts, Figure, Layer, Quantity, Scale, Segment};
use loader_trace::Trace;
use loader_trace::azure2019;
use loader_trace::describe::{FunctionFigures, OverTime, Overview};

use super::units::percent;

/// Steps of a published distribution.
const STEPS: u32 = 200;

/// A trace with what its figures are made of.
pub(crate) struct Described {
    /// What it is called.
    pub(crate) name: String,
    /// Its statistics.
    pub(crate) overview: Overview,
    functions: Vec<FunctionFigures>,
    over_time: OverTime,
    unit_s: f64,
}

impl Described {
    /// That of a trace.
    pub(crate) fn of(name: String, trace: &Trace) -> Self {
        let functions: Vec<FunctionFigures> = trace.functions.iter().map(FunctionFigures::of).collect();
        let over_time = OverTime::of(trace, &functions);
        let overview = Overview::with(trace, &functions, &over_time);
        Self { name, overview, functions, over_time, unit_s: trace.unit.as_secs_f64() }
    }
}

/// What is shown over time: the load, and what it takes.
pub(super) fn over_time(traces: &[Described]) -> Vec<Figure> {
    let figure = |name: &str, title: &str, y: Axis, of: &dyn Fn(&Described) -> Option<Vec<f64>>| {
        let x = Axis::new("time since the trace's beginning", Quantity::Seconds, Scale::Linear);
        let mut figure = Figure::new(name, title, x, y);
        let mut findings = Vec::new();
        for (look, trace) in traces.iter().enumerate() {
            let Some(values) = of(trace) else { continue };
            let (most, mean) = (greatest(&values), values.iter().sum::<f64>() / values.len().max(1) as f64);
            let text = |value| figure.y.quantity.text(value);
            findings.push(named(traces, trace, &format!("mean {}, at most {}", text(mean), text(most))));
            let points = (0_u32..).zip(values).map(|(unit, value)| (f64::from(unit) * trace.unit_s, Some(value)));
            figure.layers.push(Layer::Step(Curve::new(&trace.name, look, points)));
        }
        figure.finding = sentence(&findings);
        let units: Vec<String> = traces.iter().map(|trace| trace.over_time.invocations.len().to_string()).collect();
        figure.facts = Facts::new(format!("n = {} units", units.join(" + ")), "of all functions", "mean of each unit");
        figure
    };
    let number = |label: &str| Axis::new(label, Quantity::Number, Scale::Linear).ranging(Some(0.0), None);
    let rate = Axis::new("invocations per second", Quantity::PerSecond, Scale::Linear).ranging(Some(0.0), None);
    let memory = Axis::new("memory", Quantity::Mib, Scale::Linear).ranging(Some(0.0), None);
    vec![
        figure("rate", "Invocations over time", rate, &|trace| {
            Some(trace.over_time.invocations.iter().map(|count| count / trace.unit_s).collect())
        }),
        figure("concurrency", "Invocations under way, which are busy cores", number("under way"), &|trace| {
            trace.over_time.concurrency.clone()
        }),
        figure("memory", "Memory of the invocations under way", memory, &|trace| trace.over_time.memory_mib.clone()),
    ]
}

/// Value and weight of a function; none where it is not known.
type Of<'a> = &'a dyn Fn(&FunctionFigures, f64) -> Option<(f64, f64)>;

/// Distributions over functions, and of some quantities over invocations. Of the published ones there are curves beside them.
pub(super) fn distributions(traces: &[Described], with_published: bool) -> Vec<Figure> {
    let figure = |name: &str, title: &str, x: Axis, of_what: &str, of: Of<'_>| {
        let y = Axis::new(&format!("share of {of_what}"), Quantity::Share, Scale::Linear).ranging(Some(0.0), Some(1.0));
        let mut figure = Figure::new(name, title, x, y);
        let (mut findings, mut counts) = (Vec::new(), Vec::new());
        for (look, trace) in traces.iter().enumerate() {
            let values = trace.functions.iter().filter_map(|function| of(function, trace.unit_s)).collect();
            let (points, count) = cumulated(values);
            let at = |share: f64| points.iter().find(|(_, upto)| upto.is_some_and(|upto| upto >= share));
            let text = |share| at(share).map(|(value, _)| figure.x.quantity.text(*value));
            if let (Some(median), Some(high)) = (text(0.5), text(0.95)) {
                findings.push(named(traces, trace, &format!("median {median}, 95 % up to {high}")));
            }
            counts.push(count.to_string());
            figure.layers.push(Layer::Step(Curve::new(&trace.name, look, points)));
        }
        figure.finding = sentence(&findings);
        let known = if of_what == "functions" { "" } else { "each function by its invocations" };
        figure.facts = Facts::new(format!("n = {} functions", counts.join(" + ")), known, "CDF");
        figure
    };
    let log = |label: &str, quantity| Axis::new(label, quantity, Scale::Log);
    let runtime = |function: &FunctionFigures| function.runtime_ms.map(|ms| ms * 1000.0);
    let weight = |function: &FunctionFigures| function.invocations as f64;
    let invocations = log("invocations in the trace", Quantity::Number);
    let mut figures = vec![
        figure("invocations-cdf", "Invocations of functions", invocations, "functions", &|function, _| {
            Some((weight(function), 1.0))
        }),
        figure("runtime-cdf", "Mean run times", log("mean run time", Quantity::Micros), "functions", &|function, _| {
            Some((runtime(function)?, 1.0))
        }),
        figure(
            "runtime-by-invocations-cdf",
            "Mean run times, by invocations",
            log("mean run time", Quantity::Micros),
            "invocations",
            &|function, _| Some((runtime(function)?, weight(function))),
        ),
        figure("memory-cdf", "Mean memory", log("mean memory", Quantity::Mib), "functions", &|function, _| {
            Some((function.memory_mib?, 1.0))
        }),
        figure(
            "variation-cdf",
            "Variation of inter-arrival times",
            Axis::new("coefficient of variation", Quantity::Number, Scale::Linear).ranging(Some(0.0), None),
            "functions",
            &|function, _| Some((function.variation?, 1.0)),
        ),
        figure("idle-cdf", "Idle times", log("mean idle time", Quantity::Seconds), "functions", &|function, unit_s| {
            Some((function.idle_units? * unit_s, 1.0))
        }),
        popularity(traces),
    ];
    if with_published {
        for (name, curve) in [("runtime-cdf", published_runtime()), ("memory-cdf", published_memory())] {
            let of_name = figures.iter_mut().find(|figure| figure.name == name && !figure.is_empty());
            of_name.into_iter().for_each(|figure| figure.layers.push(Layer::Line(curve.clone())));
        }
    }
    figures
}

/// Which share of the functions, the most invoked ones, has which share of the invocations.
fn popularity(traces: &[Described]) -> Figure {
    let x = Axis::new("share of functions, the most invoked first", Quantity::Share, Scale::Linear);
    let y = Axis::new("share of invocations", Quantity::Share, Scale::Linear);
    let [x, y] = [x, y].map(|axis| axis.ranging(Some(0.0), Some(1.0)));
    let mut figure = Figure::new("popularity", "How invocations are shared", x, y);
    let (mut findings, mut counts) = (Vec::new(), Vec::new());
    for (look, trace) in traces.iter().enumerate() {
        let mut invocations: Vec<u64> = trace.functions.iter().map(|function| function.invocations).collect();
        invocations.sort_unstable_by(|one, other| other.cmp(one));
        let (all, functions) = (trace.overview.invocations.max(1) as f64, invocations.len().max(1) as f64);
        let mut upto = 0;
        let points = (1_u32..).zip(invocations).map(|(number, count)| {
            upto += count;
            (f64::from(number) / functions, Some(upto as f64 / all))
        });
        figure.layers.push(Layer::Line(Curve::new(&trace.name, look, std::iter::once((0.0, Some(0.0))).chain(points))));
        if let Some((share, made)) = trace.overview.skew.get(1) {
            let text = format!("{} of the functions make {} of the invocations", percent(*share), percent(*made));
            findings.push(named(traces, trace, &text));
        }
        counts.push(trace.functions.len().to_string());
    }
    figure.finding = sentence(&findings);
    figure.facts = Facts::new(format!("n = {} functions", counts.join(" + ")), "", "");
    figure
}

/// Shares of triggers, of functions and of invocations; beside published ones where these are wanted.
pub(super) fn triggers(traces: &[Described], with_published: bool) -> Vec<Figure> {
    let mut names: Vec<String> = Vec::new();
    for share in traces.iter().flat_map(|trace| &trace.overview.triggers) {
        if !names.contains(&share.name) {
            names.push(share.name.clone());
        }
    }
    let published: Vec<&azure2019::Trigger> = azure2019::TRIGGERS.iter().filter(|_| with_published).collect();
    if !names.is_empty() {
        let unseen = published.iter().map(|it| it.name.to_owned()).filter(|name| !names.contains(name));
        names.extend(unseen.collect::<Vec<_>>());
    }
    let figure = |which: &str,
                  found: &dyn Fn(&loader_trace::describe::TriggerShare) -> f64,
                  target: &dyn Fn(&azure2019::Trigger) -> f64| {
        let x = Axis::new(&format!("share of {which}"), Quantity::Share, Scale::Linear).ranging(Some(0.0), None);
        let y = Axis::new("trigger", Quantity::Number, Scale::Linear);
        let mut figure = Figure::new(&format!("triggers-{which}"), &format!("Triggers, by {which}"), x, y);
        let of = |trace: &Described| {
            let shares = &trace.overview.triggers;
            let value = |name: &String| shares.iter().find(|share| share.name == *name).map(found);
            // A trace that tells triggers has none of those that it does not name.
            names.iter().map(|name| value(name).or((!shares.is_empty()).then_some(0.0))).collect()
        };
        let mut segments: Vec<Segment> =
            traces.iter().map(|trace| Segment { name: trace.name.clone(), values: of(trace) }).collect();
        if with_published {
            let value = |name: &String| published.iter().find(|it| it.name == name).map(|it| target(it) / 100.0);
            segments.push(Segment { name: "azure2019".to_owned(), values: names.iter().map(value).collect() });
        }
        figure.layers.push(Layer::Bars(Bars { categories: names.clone(), segments, is_stacked: false }));
        let known = traces.iter().filter_map(|trace| {
            let most = trace.overview.triggers.iter().max_by(|one, other| found(one).total_cmp(&found(other)))?;
            Some(named(traces, trace, &format!("most by {}, {}", most.name, percent(found(most)))))
        });
        figure.finding = sentence(&known.collect::<Vec<_>>());
        figure.facts = Facts::new(format!("n = {} triggers", names.len()), "", "");
        figure
    };
    if names.is_empty() {
        return Vec::new();
    }
    vec![
        figure("functions", &|share| share.functions, &|published| published.functions),
        figure("invocations", &|share| share.invocations, &|published| published.invocations),
    ]
}

/// The published distribution of mean run times: log-normal.
fn published_runtime() -> Curve {
    Curve::new("azure2019", PUBLISHED, steps().map(|share| (azure2019::runtime_quantile(share) * 1e6, Some(share))))
}

/// The published distribution of memory, which is that of apps.
fn published_memory() -> Curve {
    Curve::new("azure2019, of apps", PUBLISHED, steps().map(|share| (azure2019::memory_quantile(share), Some(share))))
}

/// The look of what is published: no trace's.
const PUBLISHED: usize = 2;

fn steps() -> impl Iterator<Item = f64> {
    (1..STEPS).map(|step| f64::from(step) / f64::from(STEPS))
}

/// The points of the cumulative distribution of weighted values, and how many values there are.
fn cumulated(mut values: Vec<(f64, f64)>) -> (Vec<(f64, Option<f64>)>, usize) {
    values.retain(|(value, weight)| value.is_finite() && *weight > 0.0);
    values.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let all: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mut points: Vec<(f64, Option<f64>)> =
        values.first().map(|(value, _)| (*value, Some(0.0))).into_iter().collect();
    let mut upto = 0.0;
    for (place, (value, weight)) in values.iter().enumerate() {
        upto += weight;
        if values.get(place + 1).is_none_or(|(next, _)| next > value) {
            points.push((*value, Some((upto / all).min(1.0))));
        }
    }
    (points, values.len())
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// What is said of a trace, with its name where there are several; else it begins a sentence.
fn named(traces: &[Described], trace: &Described, text: &str) -> String {
    if traces.len() > 1 {
        return format!("{}: {text}", trace.name);
    }
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

fn sentence(parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { format!("{}.", parts.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cumulated_shares_are_by_weight() {
        let (points, count) = cumulated(vec![(3.0, 1.0), (1.0, 2.0), (3.0, 1.0), (9.0, 0.0), (f64::NAN, 1.0)]);
        assert_eq!((points, count), (vec![(1.0, Some(0.0)), (1.0, Some(0.5)), (3.0, Some(1.0))], 3));
        assert_eq!(cumulated(Vec::new()), (Vec::new(), 0));
    }
}
