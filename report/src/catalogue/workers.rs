//! The workers of a run.

use loader_proto::v1::{Distribution, WorkerSummary};

use super::{
    entry::Entry,
    parts::{each, micros},
};
use crate::{
    figure::{Axis, Bars, Facts, Figure, Layer, Quantity, Scale, Segment},
    run::Run,
};

/// Workers that have a bar.
const WORKERS: usize = 20;

type Lag = fn(&WorkerSummary) -> Option<&Distribution>;

const LAGS: [(&str, Lag); 2] = [
    ("own lag p99", |worker| worker.own_lag_us.as_ref()),
    ("receive lag p99", |worker| worker.receive_lag_us.as_ref()),
];

/// The lags of each worker; of many, of those whose own lag is greatest.
pub(super) fn lags(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("lag p99", Quantity::Micros, Scale::Linear);
    let mut figure = Figure::new(entry.name, entry.about, x, Axis::new("", Quantity::Number, Scale::Linear));
    let p99 = |worker: &WorkerSummary, lag: Lag| lag(worker).and_then(|lag| lag.p99);
    let of_run = |run: &Run, number: u32| {
        let summary = run.summary()?;
        summary.workers.iter().find(|worker| worker.worker == number).cloned()
    };
    let mut worst: Vec<(Option<u64>, u32)> = Vec::new();
    for worker in runs.iter().filter_map(Run::summary).flat_map(|summary| &summary.workers) {
        let lag = p99(worker, LAGS[0].1);
        match worst.iter_mut().find(|(_, number)| *number == worker.worker) {
            Some((greatest, _)) => *greatest = lag.max(*greatest),
            None => worst.push((lag, worker.worker)),
        }
    }
    if worst.is_empty() {
        return figure;
    }
    worst.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    let all = worst.len();
    if let Some((lag, number)) = worst.first() {
        figure.finding = format!("Worker {number} had the greatest own lag, p99 {}.", micros(lag.map(|us| us as f64)));
    }
    worst.truncate(WORKERS);
    worst.sort_by_key(|(_, number)| *number);
    let segments = each(runs, LAGS.len()).into_iter().flat_map(|one| {
        let worst = &worst;
        LAGS.map(|(name, lag)| Segment {
            name: one.name(name),
            values: worst
                .iter()
                .map(|(_, number)| of_run(one.run, *number).and_then(|worker| p99(&worker, lag)).map(|us| us as f64))
                .collect(),
        })
    });
    let segments = segments.collect();
    let categories = worst.iter().map(|(_, number)| format!("worker {number}")).collect();
    figure.facts = Facts::new(
        format!("{} of {all} workers, those with the greatest own lag", worst.len()),
        "of the measured phase without step_warmup",
        "",
    );
    figure.layers.push(Layer::Bars(Bars { categories, segments, is_stacked: false }));
    figure
}
