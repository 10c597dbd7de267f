//! What happened when: rates, responses, failures, lag.

use std::collections::BTreeMap;

use super::{
    entry::Entry,
    parts::{by_second, each, log_micros, micros, over_time, percent, rates},
};
use crate::{
    aggregate::{Bin, Sketch},
    figure::{Axis, Facts, Figure, Heat, Layer, Mark, Quantity, Scale},
    run::Run,
};

/// Columns and rows of a heat map.
const COLUMNS: usize = 120;
const ROWS: usize = 36;

/// Kinds of failures that have a curve of their own.
const KINDS: usize = 5;

pub(super) fn rate(entry: &Entry, runs: &[Run]) -> Figure {
    let y = Axis::new("invocations", Quantity::PerSecond, Scale::Linear);
    let mut figure = over_time(entry.name, entry.about, runs, y);
    for one in each(runs, 2) {
        let series = &one.run.rows.series;
        let asked = rates(series, |bin| bin.due as f64);
        let sent = rates(series, |bin| bin.sent as f64);
        figure.layers.push(Layer::Line(one.curve("requested", 0, asked)));
        figure.layers.push(Layer::Line(one.curve("achieved", 1, sent)));
    }
    let achieved = runs.iter().filter_map(|run| run.summary()?.achieved_ratio);
    let lowest = achieved.min_by(f64::total_cmp);
    let lowest = lowest.map_or_else(String::new, |it| format!(", {} of it inside their slots", percent(it)));
    let (due, sent) = sums(runs);
    figure.finding = format!("{due} invocations were requested and {sent} sent{lowest}.");
    figure.facts = by_second(runs, "all phases; requested by due time, achieved by time of the send", "");
    figure
}

fn sums(runs: &[Run]) -> (u64, u64) {
    let bins = || runs.iter().flat_map(|run| run.rows.series.bins().map(|(_, bin)| bin));
    (bins().map(|bin| bin.due).sum(), bins().map(|bin| bin.sent).sum())
}

pub(super) fn response(entry: &Entry, runs: &[Run]) -> Figure {
    let mut figure = over_time(entry.name, entry.about, runs, log_micros("response time"));
    for one in each(runs, 2) {
        for (number, (name, share)) in [("p50", 0.5), ("p99", 0.99)].into_iter().enumerate() {
            figure.layers.push(Layer::Line(one.curve(name, number, percentiles(one.run, share, |bin| &bin.response))));
        }
    }
    let all: Vec<_> = runs.iter().map(|run| run.rows.response.all.percentile(0.5).map(|us| us as f64)).collect();
    let worst = worst(&figure);
    figure.finding = match all.as_slice() {
        [median] => format!(
            "The median response of the whole run took {}; the worst second's percentile {worst}.",
            micros(*median)
        ),
        _ => format!("The worst second's percentile was {worst}."),
    };
    let kind = "p50 of at least 2, p99 of at least 100 invocations in a step";
    figure.facts = by_second(runs, "succeeded, all phases, by due time", kind);
    figure
}

fn worst(figure: &Figure) -> String {
    let curves =
        figure.layers.iter().filter_map(|layer| if let Layer::Line(curve) = layer { Some(curve) } else { None });
    micros(curves.flat_map(|curve| &curve.points).filter_map(|(_, y)| *y).max_by(f64::total_cmp))
}

/// A percentile of each bin.
fn percentiles<'r>(
    run: &'r Run,
    share: f64,
    of: impl Fn(&Bin) -> &Sketch + 'r,
) -> impl Iterator<Item = (f64, Option<f64>)> + 'r {
    run.rows.series.bins().map(move |(at, bin)| (at, of(bin).percentile(share)))
}

pub(super) fn failures(entry: &Entry, runs: &[Run]) -> Figure {
    let y = Axis::new("failures", Quantity::PerSecond, Scale::Linear);
    let mut figure = over_time(entry.name, entry.about, runs, y);
    let mut total = 0;
    for one in each(runs, if runs.len() == 1 { KINDS + 1 } else { 1 }) {
        let kinds = kinds(one.run);
        total += kinds.iter().map(|(_, count, _)| *count).sum::<u64>();
        let series = &one.run.rows.series;
        let count = |bin: &Bin, kinds: &[usize]| {
            kinds.iter().map(|kind| bin.failed.get(*kind).copied().unwrap_or_default()).sum::<u64>() as f64
        };
        if kinds.is_empty() {
            continue;
        }
        if runs.len() > 1 {
            let all: Vec<_> = kinds.iter().map(|(_, _, kind)| *kind).collect();
            figure.layers.push(Layer::Line(one.curve("", 0, rates(series, |bin| count(bin, &all)))));
            continue;
        }
        let (own, rest) = kinds.split_at(kinds.len().min(KINDS));
        for (number, (name, _, kind)) in own.iter().enumerate() {
            figure.layers.push(Layer::Line(one.curve(name, number, rates(series, |bin| count(bin, &[*kind])))));
        }
        let rest: Vec<_> = rest.iter().map(|(_, _, kind)| *kind).collect();
        if !rest.is_empty() {
            figure.layers.push(Layer::Line(one.curve("others", KINDS, rates(series, |bin| count(bin, &rest)))));
        }
    }
    figure.finding = format!("{total} invocations failed, of all phases.");
    figure.facts = by_second(runs, "all phases, by due time", "");
    figure
}

/// Kinds of failures, with how many there are and their number; the most frequent first.
fn kinds(run: &Run) -> Vec<(&str, u64, usize)> {
    let mut counts = BTreeMap::<usize, u64>::new();
    for (_, bin) in run.rows.series.bins() {
        bin.failed.iter().enumerate().for_each(|(kind, count)| *counts.entry(kind).or_default() += count);
    }
    let names = run.rows.statuses.names();
    let named = counts.into_iter().filter(|(_, count)| *count > 0);
    let mut kinds: Vec<_> = named.filter_map(|(kind, count)| Some((names.get(kind)?.as_str(), count, kind))).collect();
    kinds.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    kinds
}

pub(super) fn in_flight(entry: &Entry, runs: &[Run]) -> Figure {
    let y = Axis::new("in flight", Quantity::Number, Scale::Linear);
    let mut figure = over_time(entry.name, entry.about, runs, y);
    let mut most = 0.0_f64;
    for one in each(runs, 1) {
        let host = &one.run.samples.host;
        most = most.max(host.max(2).unwrap_or_default());
        let points = host.of(2).map(|(at, value)| (one.run.since_start(at), value));
        figure.layers.push(Layer::Line(one.curve("in flight", 0, points)));
    }
    figure.finding =
        format!("At most {} invocations were in flight when samples were taken.", Quantity::Number.text(most));
    figure.facts = Facts::new("a sample each second", "all phases", "");
    figure
}

pub(super) fn lag(entry: &Entry, runs: &[Run]) -> Figure {
    let mut figure = over_time(entry.name, entry.about, runs, log_micros("own lag"));
    let limit = runs.iter().map(saturation_lag).fold(f64::INFINITY, f64::min);
    let mut over = 0;
    for one in each(runs, 2) {
        let p99: Vec<_> = percentiles(one.run, 0.99, |bin| &bin.own_lag).collect();
        over += p99.iter().filter(|(_, lag)| lag.is_some_and(|lag| lag > limit)).count();
        let greatest = one.run.rows.series.bins().map(|(at, bin)| (at, bin.own_lag.max()));
        figure.layers.push(Layer::Line(one.curve("p99", 0, p99)));
        figure.layers.push(Layer::Line(one.curve("greatest", 1, greatest)));
    }
    figure.limits.push(Mark { at: limit, label: format!("limit of the p99: {}", Quantity::Micros.text(limit)) });
    figure.finding = match over {
        0 => "In no step the p99 of the loader's own lag was above its limit.".to_owned(),
        _ => format!("In {over} steps the p99 of the loader's own lag was above its limit."),
    };
    figure.facts = by_second(runs, "sent, all phases, by due time", "p99 of at least 100 invocations in a step");
    figure
}

/// The limit of the loader's own lag, in microseconds.
pub(crate) fn saturation_lag(run: &Run) -> f64 {
    let asked = run.documents.spec.as_ref().and_then(|spec| spec.saturation.as_ref()?.lag);
    asked.map_or(10_000.0, |lag| lag.seconds as f64 * 1e6 + f64::from(lag.nanos) / 1e3)
}

pub(super) fn runtime(entry: &Entry, runs: &[Run]) -> Figure {
    let y = Axis::new("run time", Quantity::Micros, Scale::Linear);
    let mut figure = over_time(entry.name, entry.about, runs, y);
    for one in each(runs, 1) {
        let bins = one.run.rows.series.bins();
        let means = bins.map(|(at, bin)| (at, (bin.runtimes > 0).then(|| bin.runtime_us / bin.runtimes as f64)));
        figure.layers.push(Layer::Line(one.curve("mean", 0, means)));
    }
    figure.finding = format!("The greatest mean was {}.", worst(&figure));
    figure.facts = by_second(runs, "all phases, by due time", "arithmetic mean");
    figure
}

pub(super) fn heat(entry: &Entry, runs: &[Run]) -> Figure {
    let mut figure = over_time(entry.name, entry.about, runs, log_micros("response time"));
    let [run] = runs else { return figure };
    let bins: Vec<_> = run.rows.series.bins().filter(|(_, bin)| bin.response.count() > 0).collect();
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else { return figure };
    let half = run.rows.series.width() / 2.0;
    let (begin, end) = (first.0 - half, last.0 + half);
    let values: Vec<(f64, Vec<(f64, u64)>)> = bins.iter().map(|(at, bin)| (*at, bin.response.steps())).collect();
    let steps = || values.iter().flat_map(|(_, steps)| steps).map(|(value, _)| value.max(1.0));
    let (low, high) = steps().fold((f64::INFINITY, 1.0_f64), |(low, high), it| (low.min(it), high.max(it)));
    let high = (high * 1.001).max(low * 1.1);
    let columns = COLUMNS.min(crate::number::place((end - begin) / run.rows.series.width()).max(1));
    let edge = |place: usize, of: usize| place as f64 / of as f64;
    let mut heat = Heat {
        name: "invocations in a cell, few to many".to_owned(),
        x: (0..=columns).map(|place| begin + (end - begin) * edge(place, columns)).collect(),
        y: (0..=ROWS).map(|place| low * (high / low).powf(edge(place, ROWS))).collect(),
        counts: vec![0; columns * ROWS],
    };
    for (at, steps) in &values {
        let column = crate::number::place(((at - begin) / (end - begin) * columns as f64).floor()).min(columns - 1);
        for (value, count) in steps {
            let row = ((value.max(1.0) / low).ln() / (high / low).ln() * ROWS as f64).floor().max(0.0);
            heat.counts[column * ROWS + crate::number::place(row).min(ROWS - 1)] += count;
        }
    }
    figure.layers.push(Layer::Heat(heat));
    figure.finding = format!("Responses took from {} to {}.", micros(Some(low)), micros(Some(high / 1.001)));
    figure.facts = by_second(runs, "succeeded, all phases, by due time", "colours by the logarithm of the count");
    figure
}
