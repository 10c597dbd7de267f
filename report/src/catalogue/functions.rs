//! By function.

use super::{
    entry::Entry,
    parts::{cdf, each, load_end, log_micros, micros, share},
};
use crate::{
    aggregate::{Distribution, FunctionFigures, SLOWDOWN_SCALE},
    figure::{Axis, Facts, Figure, Layer, Points, Quantity, Scale},
    number::whole,
    run::Run,
};

pub(super) fn slowdown_by_rate(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("rate of the function", Quantity::PerSecond, Scale::Log);
    let y = Axis::new("slowdown, geometric mean", Quantity::Number, Scale::Log);
    let mut figure = Figure::new(entry.name, entry.about, x, y);
    let mut count = 0;
    for one in each(runs, 1) {
        let Some(seconds) = load_end(one.run).filter(|seconds| *seconds > 0.0) else { continue };
        let point = |it: &FunctionFigures| Some((it.requested as f64 / seconds, it.slowdown()?, it.name.clone()));
        let points: Vec<_> = one.run.rows.functions.iter().filter_map(point).collect();
        count += points.len();
        let curve = one.curve("function", 0, []);
        figure.layers.push(Layer::Scatter(Points { name: curve.name, look: curve.look, points }));
    }
    figure.finding =
        "Each point is a function: how often it is invoked, and how much longer its responses take than its run time."
            .to_owned();
    figure.facts = Facts::new(
        format!("n = {count} functions"),
        "succeeded, of the measured phase; rate over the whole load",
        "geometric mean",
    );
    figure
}

/// A figure of each function as a CDF.
fn of_means(
    entry: &Entry,
    runs: &[Run],
    x: Axis,
    scale: f64,
    kind: &str,
    of: fn(&FunctionFigures) -> Option<f64>,
) -> Figure {
    let mut figure = Figure::new(entry.name, entry.about, x, share("share of functions"));
    let (mut counts, mut medians) = (Vec::new(), Vec::new());
    for one in each(runs, 1) {
        let values = one.run.rows.functions.iter().filter_map(of).map(|value| whole(value * scale));
        let values: Distribution = values.collect();
        counts.push(values.count().to_string());
        let median = values.percentile(0.5).map(|median| median as f64 / scale);
        medians.push(if scale > 1.0 {
            median.map_or("unknown".to_owned(), |it| Quantity::Number.text(it))
        } else {
            micros(median)
        });
        if values.count() > 0 {
            figure.layers.push(Layer::Step(one.curve("functions", 0, cdf(&values, scale))));
        }
    }
    figure.finding = format!("The median function has {}.", medians.join(", "));
    let filter = "succeeded, of the measured phase without step_warmup";
    figure.facts = Facts::new(format!("n = {} functions", counts.join(" + ")), filter, kind);
    figure
}

pub(super) fn slowdown_cdf(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("slowdown, geometric mean of the function", Quantity::Number, Scale::Log);
    of_means(entry, runs, x, SLOWDOWN_SCALE, "geometric means", FunctionFigures::slowdown)
}

pub(super) fn scheduling_cdf(entry: &Entry, runs: &[Run]) -> Figure {
    let x = log_micros("scheduling latency, mean of the function");
    of_means(entry, runs, x, 1.0, "arithmetic means", FunctionFigures::mean_latency_us)
}

pub(super) fn response_cdf(entry: &Entry, runs: &[Run]) -> Figure {
    let x = log_micros("response time, mean of the function");
    of_means(entry, runs, x, 1.0, "arithmetic means", FunctionFigures::mean_response_us)
}

pub(super) fn slowdown_by_size(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("functions", Quantity::Number, Scale::Log).of_whole();
    let y = Axis::new("slowdown, geometric mean", Quantity::Number, Scale::Log);
    let mut figure = Figure::new(entry.name, entry.about, x, y);
    // Of one run this would be one point.
    if runs.len() > 1 {
        let point = |run: &Run| {
            let slowdown = run.rows.slowdown.all.geometric_mean()?;
            Some((run.rows.functions.len() as f64, slowdown, run.label().to_owned()))
        };
        let points = runs.iter().filter_map(point).collect();
        figure.layers.push(Layer::Scatter(Points { name: "run".to_owned(), look: 0, points }));
    }
    figure.finding = "Each point is a run.".to_owned();
    figure.facts = Facts::new(
        format!("n = {} runs", runs.len()),
        "succeeded, of the measured phase",
        "geometric mean over the invocations of a run",
    );
    figure
}
