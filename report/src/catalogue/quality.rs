//! How true the figures are.

use super::{
    entry::Entry,
    over_time::saturation_lag,
    parts::{cdf, counted, each, log_micros, micros, percent, share},
};
use crate::{
    aggregate::Distribution,
    figure::{Facts, Figure, Layer, Mark, Quantity},
    run::Run,
};

/// Several distributions of each run as CDFs.
fn draw(entry: &Entry, runs: &[Run], label: &str, of: fn(&Run) -> Vec<(&'static str, &Distribution)>) -> Figure {
    let mut figure = Figure::new(entry.name, entry.about, log_micros(label), share("share"));
    for one in each(runs, runs.first().map_or(1, |run| of(run).len())) {
        for (number, (name, values)) in
            of(one.run).into_iter().enumerate().filter(|(_, (_, values))| values.count() > 0)
        {
            figure.layers.push(Layer::Step(one.curve(name, number, cdf(values, 1.0))));
        }
    }
    figure
}

pub(super) fn lags(entry: &Entry, runs: &[Run]) -> Figure {
    fn of(run: &Run) -> Vec<(&'static str, &Distribution)> {
        let rows = &run.rows;
        vec![("dispatch lag", &rows.dispatch_lag), ("own lag", &rows.own_lag), ("receive lag", &rows.receive_lag)]
    }
    let mut figure = draw(entry, runs, "lag", of);
    let limit = runs.iter().map(saturation_lag).fold(f64::INFINITY, f64::min);
    figure.marks.push(Mark { at: limit, label: format!("limit {}", Quantity::Micros.text(limit)) });
    let own = runs.iter().map(|run| {
        let of = |share: f64| micros(run.rows.own_lag.percentile(share).map(|us| us as f64));
        format!("median {}, p99 {}", of(0.5), of(0.99))
    });
    figure.finding = format!("The loader's own lag: {}.", own.collect::<Vec<_>>().join("; "));
    let all: Vec<_> = runs.iter().map(|run| &run.rows.dispatch_lag).collect();
    figure.facts = Facts::new(counted(&all, "invocations"), "sent, of the measured phase without step_warmup", "CDF");
    figure
}

pub(super) fn gaps(entry: &Entry, runs: &[Run]) -> Figure {
    let label = "difference of the achieved and the planned time between two invocations";
    let mut figure = draw(entry, runs, label, |run| vec![("", &run.rows.gaps)]);
    let off = |run: &Run| run.summary()?.arrivals.as_ref()?.gaps.as_ref()?.off_ratio.map(percent);
    let off: Vec<_> = runs.iter().filter_map(off).collect();
    let off = if off.is_empty() {
        String::new()
    } else {
        format!(" {} of them are off by more than 10 % or 1 ms.", off.join(", "))
    };
    let differences = runs.iter().map(|run| {
        let of = |share: f64| micros(run.rows.gaps.percentile(share).map(|us| us as f64));
        format!("median {}, p99 {}", of(0.5), of(0.99))
    });
    figure.finding = format!("By how much they differ: {}.{off}", differences.collect::<Vec<_>>().join("; "));
    let all: Vec<_> = runs.iter().map(|run| &run.rows.gaps).collect();
    let late: u64 = runs.iter().map(|run| run.rows.gaps_left_out).sum();
    let late =
        if late > 0 { format!("; {late} that ended long after their neighbours are left out") } else { String::new() };
    let filter = format!("sent, of the measured phase, but for a burst and its victim{late}");
    figure.facts = Facts::new(counted(&all, "gaps"), filter, "CDF of the absolute difference");
    figure
}

pub(super) fn runtimes(entry: &Entry, runs: &[Run]) -> Figure {
    fn of(run: &Run) -> Vec<(&'static str, &Distribution)> {
        vec![("requested", &run.rows.requested_runtime), ("measured", &run.rows.actual_runtime)]
    }
    let mut figure = draw(entry, runs, "run time", of);
    let medians = |run: &Run| {
        let median = |values: &Distribution| micros(values.percentile(0.5).map(|us| us as f64));
        format!(
            "median {} requested, {} measured",
            median(&run.rows.requested_runtime),
            median(&run.rows.actual_runtime)
        )
    };
    figure.finding = runs.iter().map(medians).collect::<Vec<_>>().join("; ");
    let all: Vec<_> = runs.iter().map(|run| &run.rows.actual_runtime).collect();
    figure.facts = Facts::new(
        counted(&all, "invocations"),
        "succeeded, whose function reports its run time, of the measured phase",
        "CDF",
    );
    figure
}
