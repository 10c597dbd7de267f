//! Cold starts.

use super::{
    entry::Entry,
    parts::{by_second, cdf, counted, each, log_micros, micros, over_time, percent, share as shares},
};
use crate::{
    figure::{Axis, Bars, Facts, Figure, Layer, Quantity, Scale, Segment},
    run::{Run, STAGES},
};

/// Functions that have a bar.
const FUNCTIONS: usize = 15;

pub(super) fn share(entry: &Entry, runs: &[Run]) -> Figure {
    let mut figure = over_time(entry.name, entry.about, runs, shares("share of cold starts"));
    let (mut cold, mut told) = (0, 0);
    for one in each(runs, 1) {
        if one.run.rows.cold == 0 {
            continue;
        }
        cold += one.run.rows.cold;
        told += one.run.rows.told;
        let bins = one.run.rows.series.bins();
        let points = bins.map(|(at, bin)| (at, (bin.told > 0).then(|| bin.cold as f64 / bin.told as f64)));
        figure.layers.push(Layer::Line(one.curve("cold", 0, points)));
    }
    let of_all = if told > 0 { percent(cold as f64 / told as f64) } else { "0 %".to_owned() };
    figure.finding = format!("{cold} of {told} invocations of the measured phase were cold, {of_all}.");
    figure.facts = by_second(runs, "invocations whose function reports it, all phases, by due time", "");
    figure
}

pub(super) fn response(entry: &Entry, runs: &[Run]) -> Figure {
    let mut figure =
        Figure::new(entry.name, entry.about, log_micros("response time"), shares("share of cold invocations"));
    let mut all = Vec::new();
    for one in each(runs, 1) {
        let cold = &one.run.rows.response.cold;
        all.push(cold);
        if cold.count() > 0 {
            figure.layers.push(Layer::Step(one.curve("cold", 0, cdf(cold, 1.0))));
        }
    }
    let medians: Vec<_> = all.iter().map(|it| micros(it.percentile(0.5).map(|us| us as f64))).collect();
    figure.finding = format!("Median {}.", medians.join(", "));
    figure.facts = Facts::new(counted(&all, "cold invocations"), "succeeded, of the measured phase", "CDF");
    figure
}

pub(super) fn breakdown(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("mean time", Quantity::Micros, Scale::Linear);
    let mut figure = Figure::new(entry.name, entry.about, x, Axis::new("", Quantity::Number, Scale::Linear));
    let runs: Vec<_> = each(runs, 1).into_iter().filter(|one| one.run.samples.cold_starts.pods > 0).collect();
    let stage = |place: usize| {
        let values = runs.iter().map(|one| one.run.samples.cold_starts.stages[place].mean());
        Segment { name: STAGES[place].0.to_owned(), values: values.collect() }
    };
    let categories = runs.iter().map(|one| one.name("all pods")).collect();
    let segments: Vec<_> = (0..STAGES.len()).map(stage).collect();
    let of_first = segments.iter().filter_map(|it| Some((&*it.name, it.values.first().copied().flatten()?)));
    if let Some((name, longest)) = of_first.max_by(|one, other| one.1.total_cmp(&other.1)) {
        figure.finding = format!("The longest stage is \"{name}\", {} on average.", micros(Some(longest)));
    }
    let pods: u64 = runs.iter().map(|one| one.run.samples.cold_starts.pods).sum();
    figure.facts =
        Facts::new(format!("n = {pods} pods"), "each stage of the pods that have both its ends", "arithmetic means");
    figure.layers.push(Layer::Bars(Bars { categories, segments, is_stacked: true }));
    figure
}

pub(super) fn functions(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("cold starts", Quantity::Number, Scale::Linear);
    let mut figure = Figure::new(entry.name, entry.about, x, Axis::new("", Quantity::Number, Scale::Linear));
    let mut most: Vec<(&str, u64)> = Vec::new();
    for figures in runs.iter().flat_map(|run| &run.rows.functions).filter(|figures| figures.cold > 0) {
        match most.iter_mut().take(FUNCTIONS * 64).find(|(name, _)| *name == figures.name) {
            Some((_, count)) => *count = figures.cold.max(*count),
            None => most.push((&figures.name, figures.cold)),
        }
    }
    most.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    let with_cold = most.len();
    most.truncate(FUNCTIONS);
    let of_run = |run: &Run, name: &str| run.rows.functions.iter().find(|it| it.name == name).map(|it| it.cold as f64);
    let segments = each(runs, 1).into_iter().map(|one| Segment {
        name: one.name("cold starts"),
        values: most.iter().map(|(name, _)| of_run(one.run, name)).collect(),
    });
    let segments = segments.collect();
    let categories = most.iter().map(|(name, _)| (*name).to_owned()).collect();
    if let Some((name, count)) = most.first() {
        figure.finding = format!("{name} had most, {count}.").replace('\n', " ");
    }
    figure.facts =
        Facts::new(format!("{} of {with_cold} functions that had any", most.len()), "of the measured phase", "");
    figure.layers.push(Layer::Bars(Bars { categories, segments, is_stacked: false }));
    figure
}

pub(super) fn provisioning(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("time since the first pod was created", Quantity::Seconds, Scale::Linear);
    let mut figure = Figure::new(entry.name, entry.about, x, Axis::new("pods ready", Quantity::Number, Scale::Linear));
    let mut finding = Vec::new();
    for one in each(runs, 1) {
        let ready = &one.run.samples.cold_starts.ready;
        let steps = ready.steps(1000);
        if let Some((last, count)) = steps.last() {
            finding.push(format!("{count} pods were ready after {}", micros(Some(*last as f64))));
            let points = steps.iter().map(|(us, count)| (*us as f64 / 1e6, Some(*count as f64)));
            figure.layers.push(Layer::Step(one.curve("ready", 0, std::iter::once((0.0, Some(0.0))).chain(points))));
        }
    }
    figure.finding = format!("{}.", finding.join("; "));
    figure.facts = Facts::new("every pod that got ready", "all phases", "");
    figure
}
