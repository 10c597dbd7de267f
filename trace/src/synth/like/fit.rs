//! From a trace to its model.

use std::collections::HashMap;

use super::model::{Model, ModelError, QUANTITIES, TriggerModel};
use crate::describe::{FunctionFigures, Overview};
use crate::synth::draws;
use crate::trace::Trace;

/// Steps of a distribution.
const STEPS: usize = 200;
/// Parts of a day whose load is told.
const PARTS: usize = 96;
const DAY_MINUTES: f64 = 1440.0;
/// Quartiles of a normal distribution lie so many deviations apart.
const QUARTILES: f64 = 1.348_979_5;

/// Fits a model to `trace`.
///
/// # Errors
/// When the trace has no run times.
pub fn fit(trace: &Trace) -> Result<Model, ModelError> {
    let figures: Vec<FunctionFigures> = trace.functions.iter().map(FunctionFigures::of).collect();
    let overview = Overview::of(trace);
    let hours = overview.length.as_secs_f64() / 3600.0;
    let columns: [Vec<Option<f64>>; QUANTITIES] = [
        figures.iter().map(|figures| Some(figures.invocations as f64 / hours)).collect(),
        figures.iter().map(|figures| figures.runtime_ms).collect(),
        figures.iter().map(|figures| figures.memory_mib).collect(),
        figures.iter().map(|figures| figures.variation).collect(),
    ];
    let [rates, runtimes, memory, variations] = columns.each_ref().map(|column| steps(column));
    let (shape, shape_minutes) = shape(trace);
    let minutes = (overview.length.as_secs_f64() / 60.0).ceil();
    let [rates, runtimes, memory, variations] = [rates, runtimes, memory, variations].map(rounded);
    let shape = rounded(shape);
    let has_memory = figures.iter().all(|figures| figures.memory_mib.is_some());
    Ok(Model {
        version: 1,
        functions: u32::try_from(figures.len()).unwrap_or(u32::MAX),
        minutes: whole(minutes),
        mean_rate: nine_digits(overview.mean_rate),
        hourly_rates: rates,
        runtimes_ms: Some(runtimes).filter(|runtimes| !runtimes.is_empty()).ok_or(ModelError::NoData("run times"))?,
        memory_mib: Some(memory).filter(|memory| has_memory && !memory.is_empty()),
        // Too few invocations of all to tell: as by chance.
        variations: if variations.is_empty() { vec![1.0] } else { variations },
        correlations: correlations(&columns).map(|row| row.map(nine_digits)),
        runtime_spread: spread(trace.functions.iter().filter_map(|function| {
            let runtime = function.runtime.as_ref()?.millis();
            Some((runtime[2], runtime[4]))
        })),
        memory_spread: spread(trace.functions.iter().filter_map(|function| {
            let memory = function.memory.as_ref()?.mib();
            Some((memory[2], memory[4]))
        })),
        triggers: overview
            .triggers
            .iter()
            .map(|share| TriggerModel {
                name: share.name.clone(),
                functions: nine_digits(share.functions),
                invocations: nine_digits(share.invocations),
            })
            .collect(),
        app_sizes: app_sizes(trace),
        shape,
        shape_minutes,
    })
}

/// Values at the middles of equal steps of the distribution; of few values each.
fn steps(column: &[Option<f64>]) -> Vec<f64> {
    let mut values: Vec<f64> = column.iter().copied().flatten().collect();
    values.sort_by(f64::total_cmp);
    if values.len() <= STEPS {
        return values;
    }
    // The ends are kept: a few heavy functions make most of a load.
    let at = |step: usize| {
        let place = step * (values.len() - 1) / (STEPS - 1);
        values[place]
    };
    let mut steps: Vec<f64> = (0..STEPS).map(at).collect();
    // So is the mean, by the values of the uppermost steps.
    let tail = STEPS / 10;
    let begin = (STEPS - tail) * (values.len() - 1) / (STEPS - 1);
    steps.truncate(STEPS - tail);
    steps.extend(values[begin..].chunks((values.len() - begin).div_ceil(tail).max(1)).map(mean));
    steps
}

/// To nine digits, so that the text is short and read again as it was.
fn rounded(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(nine_digits).collect()
}

fn nine_digits(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(value)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Of each pair of quantities the correlation of their normal scores, over functions that have both.
fn correlations(columns: &[Vec<Option<f64>>; QUANTITIES]) -> [[f64; QUANTITIES]; QUANTITIES] {
    let mut all = [[0.0; QUANTITIES]; QUANTITIES];
    for first in 0..QUANTITIES {
        all[first][first] = 1.0;
        for second in 0..first {
            let pairs: Vec<(f64, f64)> =
                columns[first].iter().zip(&columns[second]).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
            let a = scores(pairs.iter().map(|(a, _)| *a).collect());
            let b = scores(pairs.iter().map(|(_, b)| *b).collect());
            let found = correlation(&a, &b);
            (all[first][second], all[second][first]) = (found, found);
        }
    }
    all
}

/// The normal deviates of the values' ranks; equal values have the mean of theirs.
fn scores(values: Vec<f64>) -> Vec<f64> {
    let n = values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut scores = vec![0.0; n];
    for equal in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let first = order.partition_point(|&other| values[other].total_cmp(&values[equal[0]]).is_lt());
        let middle = first as f64 + equal.len() as f64 / 2.0;
        let score = draws::normal(middle / n as f64);
        equal.iter().for_each(|&at| scores[at] = score);
    }
    scores
}

/// 0 where one does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        both += (a - mean_a) * (b - mean_b);
        of_a += (a - mean_a).powi(2);
        of_b += (b - mean_b).powi(2);
    }
    if of_a > 0.0 && of_b > 0.0 { (both / (of_a * of_b).sqrt()).clamp(-1.0, 1.0) } else { 0.0 }
}

/// The median of what quartiles tell of the deviation of logarithms.
fn spread(quartiles: impl Iterator<Item = (f64, f64)>) -> f64 {
    let spreads = quartiles.filter(|(low, _)| *low > 0.0).map(|(low, high)| (high / low).ln() / QUARTILES);
    let mut spreads: Vec<f64> = spreads.filter(|spread| spread.is_finite()).collect();
    spreads.sort_by(f64::total_cmp);
    spreads.get(spreads.len() / 2).copied().map(nine_digits).unwrap_or_default()
}

fn app_sizes(trace: &Trace) -> Vec<f64> {
    let mut sizes: HashMap<&str, f64> = HashMap::new();
    for function in trace.functions.iter().filter(|function| !function.app.is_empty()) {
        *sizes.entry(&function.app).or_default() += 1.0;
    }
    steps(&sizes.into_values().map(Some).collect::<Vec<_>>())
}

/// The load over the day, or over what the trace has of one, relative to its mean; and how many minutes that is.
fn shape(trace: &Trace) -> (Vec<f64>, u32) {
    let unit_minutes = trace.unit.as_secs_f64() / 60.0;
    let minutes = (trace.units as f64 * unit_minutes).clamp(1.0, DAY_MINUTES);
    let parts = PARTS.min(trace.units.max(1));
    let (mut sums, mut units) = (vec![0.0; parts], vec![0.0; parts]);
    let part = |unit: usize| {
        let within = unit as f64 * unit_minutes % minutes;
        (whole(within / minutes * parts as f64) as usize).min(parts - 1)
    };
    (0..trace.units).for_each(|unit| units[part(unit)] += 1.0);
    for function in &trace.functions {
        function.load.each_active(|unit, count| sums[part(unit)] += f64::from(count));
    }
    let rates: Vec<f64> = sums.iter().zip(&units).map(|(sum, units): (&f64, &f64)| sum / units.max(1.0)).collect();
    let all = mean(&rates);
    (rates.iter().map(|rate| if all > 0.0 { rate / all } else { 1.0 }).collect(), whole(minutes.ceil()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(value: f64) -> u32 {
    value as u32
}
