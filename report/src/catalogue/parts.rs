//! What the figures of runs have in common.

use crate::{
    aggregate::{Distribution, Series},
    figure::{Axis, Curve, Facts, Figure, Mark, Quantity, Scale, Shade},
    run::Run,
};

/// Points of the curve of a distribution, at most.
const STEPS: usize = 1000;

/// Marks on a figure over time, at most.
const MARKS: usize = 40;

/// What is drawn of one run among several.
pub(super) struct One<'r> {
    pub(super) run: &'r Run,
    name: String,
    /// How many curves it has.
    curves: usize,
    /// The look of the first of them.
    first: usize,
}

impl One<'_> {
    /// The name of a curve in a legend: what it is, and of which run where there are several.
    pub(super) fn name(&self, part: &str) -> String {
        match (self.name.as_str(), part) {
            ("", part) => part.to_owned(),
            (run, "") => run.to_owned(),
            (run, _) if self.curves == 1 => run.to_owned(),
            (run, part) => format!("{run}: {part}"),
        }
    }

    /// A curve of the run.
    pub(super) fn curve(
        &self,
        part: &str,
        number: usize,
        points: impl IntoIterator<Item = (f64, Option<f64>)>,
    ) -> Curve {
        Curve::new(&self.name(part), self.first + number, points)
    }
}

/// The runs with their names, and looks for `curves` of each.
pub(super) fn each(runs: &[Run], curves: usize) -> Vec<One<'_>> {
    let is_alone = runs.len() == 1;
    let label = |run: &Run| {
        let is_shared = runs.iter().filter(|other| other.label() == run.label()).count() > 1;
        let id = run.documents.run.as_ref().map_or("", |file| file.run_id.as_str());
        if is_shared && !id.is_empty() { format!("{} {id}", run.label()) } else { run.label().to_owned() }
    };
    let one = |(number, run)| One {
        run,
        name: if is_alone { String::new() } else { label(run) },
        curves,
        first: number * curves,
    };
    runs.iter().enumerate().map(one).collect()
}

/// The axis of time since the start of the load.
pub(super) fn time() -> Axis {
    Axis::new("time since the start of the load", Quantity::Seconds, Scale::Linear)
}

/// A figure over time: warm-up and drain are shaded, stalls and events marked, where it is of one run.
pub(super) fn over_time(name: &str, title: &str, runs: &[Run], y: Axis) -> Figure {
    let mut figure = Figure::new(name, title, time(), y);
    let [run] = runs else { return figure };
    let end = load_end(run);
    let warm_up =
        run.samples.slots.iter().find(|slot| slot.phase == "measure").map(|slot| run.since_start(slot.start_unix_us));
    if let Some(measured) = warm_up.filter(|measured| *measured > 0.0) {
        figure.shades.push(Shade { from: 0.0, to: measured, label: "warm-up".to_owned() });
    }
    let last = run.samples.host.of(0).map(|(at, _)| run.since_start(at)).last();
    if let (Some(end), Some(last)) = (end, last)
        && last > end
    {
        figure.shades.push(Shade { from: end, to: last, label: "drain".to_owned() });
    }
    figure.marks = marks(run);
    figure
}

/// When the load ended, in seconds since its start.
pub(crate) fn load_end(run: &Run) -> Option<f64> {
    let of_summary = run.summary().map(|summary| summary.load_duration_us as f64 / 1e6);
    let last = run.samples.slots.last();
    of_summary.or_else(|| last.map(|slot| run.since_start(slot.start_unix_us + slot.duration_us)))
}

/// Stalls of the loader, and disturbances.
fn marks(run: &Run) -> Vec<Mark> {
    let stalls = run.summary().and_then(|summary| summary.stalls.as_ref());
    let stalls = stalls.iter().flat_map(|stalls| &stalls.listed).map(|stall| Mark {
        at: run.since_start(stall.start_unix_us),
        label: format!("stall {}", Quantity::Micros.text(stall.duration_us as f64)),
    });
    let events = run.samples.events.iter();
    let events = events.map(|event| Mark { at: run.since_start(event.unix_us), label: event.text.clone() });
    events.chain(stalls).take(MARKS).collect()
}

/// The facts of a figure by the second.
pub(super) fn by_second(runs: &[Run], what: &str, kind: &str) -> Facts {
    let widths: Vec<_> = runs.iter().map(|run| run.rows.series.width()).collect();
    let width = widths.iter().copied().fold(1.0, f64::max);
    let rows: u64 = runs.iter().map(|run| run.found.rows).sum();
    let count = format!("n = {rows} invocations, in steps of {}", Quantity::Seconds.text(width));
    Facts::new(count, what, kind)
}

/// Values by the second, as rates where `per_second`.
pub(super) fn rates<'s>(
    series: &'s Series,
    value: impl Fn(&crate::aggregate::Bin) -> f64 + 's,
) -> impl Iterator<Item = (f64, Option<f64>)> + 's {
    series.bins().map(move |(at, bin)| (at, Some(value(bin) / series.width())))
}

/// The curve of a distribution: value and share of the values up to it. Values are divided by `scale`.
pub(super) fn cdf(values: &Distribution, scale: f64) -> Vec<(f64, Option<f64>)> {
    let count = values.count() as f64;
    let steps = values.steps(STEPS);
    let first = steps.first().map(|(value, _)| (*value as f64 / scale, Some(0.0)));
    first
        .into_iter()
        .chain(steps.iter().map(|(value, rank)| (*value as f64 / scale, Some(*rank as f64 / count))))
        .collect()
}

/// Value and share of the values that are greater.
pub(super) fn ccdf(values: &Distribution, scale: f64) -> Vec<(f64, Option<f64>)> {
    let count = values.count() as f64;
    let steps = values.steps(STEPS);
    let greater = |rank: u64| Some((count - rank as f64) / count).filter(|share| *share > 0.0);
    let first = steps.first().map(|(value, _)| (*value as f64 / scale, Some(1.0)));
    first.into_iter().chain(steps.iter().map(|(value, rank)| (*value as f64 / scale, greater(*rank)))).collect()
}

/// 1/(1 − share) and value, up to the last share that the values say anything of.
pub(super) fn percentiles(values: &Distribution) -> Vec<(f64, Option<f64>)> {
    let count = values.count();
    let steps = values.steps(STEPS).into_iter().filter(|(_, rank)| *rank < count);
    let place = |rank: u64| count as f64 / (count as f64 - rank as f64);
    steps.map(|(value, rank)| (place(rank), Some(value as f64))).collect()
}

/// How many values there are, and whether percentiles are exact.
pub(super) fn counted(values: &[&Distribution], of: &str) -> String {
    let counts: Vec<_> = values.iter().map(|it| it.count().to_string()).collect();
    let rounded = if values.iter().all(|it| it.is_exact()) { "" } else { ", in buckets of 0.1 %" };
    format!("n = {} {of}{rounded}", counts.join(" + "))
}

/// A duration in microseconds, or that it is not known.
pub(super) fn micros(us: Option<f64>) -> String {
    us.map_or_else(|| "unknown".to_owned(), |us| Quantity::Micros.text(us))
}

/// A share in percent, to a tenth.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The axis of shares from 0 to 1.
pub(super) fn share(label: &str) -> Axis {
    Axis::new(label, Quantity::Share, Scale::Linear).ranging(Some(0.0), Some(1.0))
}

/// A logarithmic axis of durations.
pub(super) fn log_micros(label: &str) -> Axis {
    Axis::new(label, Quantity::Micros, Scale::Log)
}
