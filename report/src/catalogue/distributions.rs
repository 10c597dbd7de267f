//! Distributions of the measured phase: of all invocations, and of warm and cold ones.

use super::{
    entry::Entry,
    parts::{ccdf, cdf, counted, each, log_micros, micros, percentiles, share},
};
use crate::{
    aggregate::{ByTemperature, Distribution, SLOWDOWN_SCALE},
    figure::{Axis, Curve, Facts, Figure, Layer, Quantity, Scale},
    run::Run,
};

/// What they are of.
const FILTER: &str = "succeeded, of the measured phase without step_warmup";

/// The points of a curve.
type Places = Vec<(f64, Option<f64>)>;

/// Which figure, and how it is shown.
struct Of {
    x: Axis,
    y: Axis,
    scale: f64,
    values: fn(&Run) -> &ByTemperature,
    curve: fn(&Distribution, f64) -> Places,
    kind: &'static str,
}

fn draw(entry: &Entry, runs: &[Run], of: Of) -> Figure {
    let mut figure = Figure::new(entry.name, entry.about, of.x, of.y);
    let mut all = Vec::new();
    for one in each(runs, if runs.len() == 1 { 3 } else { 1 }) {
        let ByTemperature { all: every, warm, cold } = (of.values)(one.run);
        all.push(every);
        let parts =
            if runs.len() == 1 { vec![("all", every), ("warm", warm), ("cold", cold)] } else { vec![("", every)] };
        for (number, (name, values)) in parts.into_iter().enumerate().filter(|(_, (_, values))| values.count() > 0) {
            // Where nothing was cold, all and warm are one curve.
            if name == "warm" && values.count() == every.count() {
                continue;
            }
            let curve: Curve = one.curve(name, number, (of.curve)(values, of.scale));
            figure.layers.push(if (of.kind).is_empty() { Layer::Line(curve) } else { Layer::Step(curve) });
        }
    }
    figure.finding = finding(&all, of.scale);
    let parts = match runs {
        [run] => format!(" ({} warm, {} cold)", (of.values)(run).warm.count(), (of.values)(run).cold.count()),
        _ => String::new(),
    };
    figure.facts = Facts::new(counted(&all, &format!("invocations{parts}")), FILTER, of.kind);
    figure
}

fn finding(all: &[&Distribution], scale: f64) -> String {
    let text = |value: Option<u64>| match value {
        Some(value) if scale > 1.0 => Quantity::Number.text(value as f64 / scale),
        value => micros(value.map(|us| us as f64)),
    };
    let of_one = |it: &Distribution| {
        let tail = it.percentile(0.99).map_or(String::new(), |p99| format!(", p99 {}", text(Some(p99))));
        format!("median {}{tail}", text(it.percentile(0.5)))
    };
    let each: Vec<_> = all.iter().map(|it| of_one(it)).collect();
    let text = each.join("; ");
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn slowdown_axis() -> Axis {
    Axis::new("slowdown", Quantity::Number, Scale::Log)
}

fn tail() -> Axis {
    Axis::new("share that is greater", Quantity::Share, Scale::Log).ranging(None, Some(1.0))
}

pub(super) fn response_cdf(entry: &Entry, runs: &[Run]) -> Figure {
    let (x, y) = (log_micros("response time"), share("share of invocations"));
    draw(entry, runs, Of { x, y, scale: 1.0, values: |run| &run.rows.response, curve: cdf, kind: "CDF" })
}

pub(super) fn response_ccdf(entry: &Entry, runs: &[Run]) -> Figure {
    let x = log_micros("response time");
    draw(entry, runs, Of { x, y: tail(), scale: 1.0, values: |run| &run.rows.response, curve: ccdf, kind: "1 − CDF" })
}

pub(super) fn response_percentiles(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("percentile", Quantity::Percentile, Scale::Log).ranging(Some(1.0), None);
    let curve = |values: &Distribution, _| percentiles(values);
    let y = log_micros("response time");
    draw(entry, runs, Of { x, y, scale: 1.0, values: |run| &run.rows.response, curve, kind: "" })
}

pub(super) fn scheduling_cdf(entry: &Entry, runs: &[Run]) -> Figure {
    let (x, y) = (log_micros("scheduling latency"), share("share of invocations"));
    draw(entry, runs, Of { x, y, scale: 1.0, values: |run| &run.rows.scheduling, curve: cdf, kind: "CDF" })
}

pub(super) fn scheduling_ccdf(entry: &Entry, runs: &[Run]) -> Figure {
    let x = log_micros("scheduling latency");
    draw(entry, runs, Of { x, y: tail(), scale: 1.0, values: |run| &run.rows.scheduling, curve: ccdf, kind: "1 − CDF" })
}

pub(super) fn slowdown_cdf(entry: &Entry, runs: &[Run]) -> Figure {
    let (x, y, scale) = (slowdown_axis(), share("share of invocations"), SLOWDOWN_SCALE);
    below_one(draw(entry, runs, Of { x, y, scale, values: |run| &run.rows.slowdown, curve: cdf, kind: "CDF" }), runs)
}

pub(super) fn slowdown_ccdf(entry: &Entry, runs: &[Run]) -> Figure {
    let (x, scale) = (slowdown_axis(), SLOWDOWN_SCALE);
    below_one(
        draw(entry, runs, Of { x, y: tail(), scale, values: |run| &run.rows.slowdown, curve: ccdf, kind: "1 − CDF" }),
        runs,
    )
}

/// Says how many functions ran shorter than asked: they are in the figure.
fn below_one(mut figure: Figure, runs: &[Run]) -> Figure {
    let below: u64 = runs.iter().map(|run| run.rows.below_one).sum();
    figure.facts.filter = format!("{FILTER}; {below} values below 1 are among them");
    figure
}
