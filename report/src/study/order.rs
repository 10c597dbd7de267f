//! What the order of the runs does to their figures: drift over the study, rounds that differ, places within a round.
//!
//! All of it is of values without the medians of their cells, as logarithms where all are above zero: a tenth more is the same in a fast
//! cell and in a slow one.

use super::{figures, input::Study};
use crate::{
    indicator::Indicator,
    statistics::{Paired, Rounds, Variances, holm, residuals, spearman, variances},
};

/// Why something is not tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untested {
    /// Whatever so few runs find could be chance.
    TooFew,
    /// The figure is the same in all runs of each cell.
    Constant,
    /// In this order of the runs it can't be told from what the cells do, or from what single runs do.
    Inseparable,
}

impl Untested {
    /// As a reader is told.
    pub fn words(self) -> &'static str {
        match self {
            Self::TooFew => "not tested: too few runs",
            Self::Constant => "not tested: it does not vary",
            Self::Inseparable => "not tested: the order of the runs does not tell it apart",
        }
    }
}

/// What the order does to a figure; each p after Holm over all figures and tests.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderEffects {
    /// The figure.
    pub indicator: &'static Indicator,
    /// Spearman's correlation with the place in the order of the runs, and its p: a drift.
    pub drift: Result<(f64, f64), Untested>,
    /// The variance between rounds and within, with its p.
    pub rounds: Result<Variances, Untested>,
    /// Spearman's correlation with the place within the round, and its p.
    pub place: Result<(f64, f64), Untested>,
}

/// A value of a figure, and when it was measured.
struct Sample {
    at: Rounds,
    /// Its place in the order of the runs.
    order: f64,
    /// Its place within its round.
    place: f64,
}

/// The effects of the order on each figure that is compared.
pub(super) fn effects(study: &Study) -> Vec<OrderEffects> {
    let figures = figures::compared(study).into_iter().map(|(indicator, _)| indicator);
    let mut effects: Vec<OrderEffects> = figures.filter_map(|indicator| effect(study, indicator)).collect();
    adjust(&mut effects);
    effects
}

/// Holm over all that is tested.
fn adjust(effects: &mut [OrderEffects]) {
    let found: Vec<f64> = effects.iter_mut().flat_map(OrderEffects::p).map(|p| *p).collect();
    let adjusted = holm(&found);
    effects.iter_mut().flat_map(OrderEffects::p).zip(adjusted).for_each(|(p, adjusted)| *p = adjusted);
}

impl OrderEffects {
    /// The p of each test.
    fn p(&mut self) -> impl Iterator<Item = &mut f64> {
        let Self { indicator: _, drift, rounds, place } = self;
        let correlations = [drift, place].into_iter().flatten().map(|(_, p)| p);
        correlations.chain(rounds.iter_mut().map(|it| &mut it.p))
    }
}

fn effect(study: &Study, indicator: &'static Indicator) -> Option<OrderEffects> {
    let samples = samples(study, indicator);
    if samples.is_empty() {
        return None;
    }
    let at: Vec<Rounds> = samples.iter().map(|it| it.at).collect();
    let left = residuals(&at);
    // What is left of rounding is no order.
    let least = 1e-12 * at.iter().map(|it| it.value.abs()).fold(0.0, f64::max);
    let varies = left.iter().any(|left| left.abs() > least);
    let has_repeats = at.iter().any(|one| at.iter().filter(|other| other.cell == one.cell).count() > 1);
    let untested = if varies || !has_repeats { Untested::TooFew } else { Untested::Constant };
    let correlation = |x: fn(&Sample) -> f64| {
        let of = |(sample, y): (&Sample, &f64)| Paired { cell: sample.at.cell, x: x(sample), y: *y };
        spearman(&samples.iter().zip(&left).map(of).collect::<Vec<_>>()).filter(|_| varies).ok_or(untested)
    };
    let of_place = || correlation(|it| it.place);
    Some(OrderEffects {
        indicator,
        drift: correlation(|it| it.order),
        rounds: if study.cells.len() < 2 { Err(Untested::Inseparable) } else { variances(&at).ok_or(untested) },
        place: if places_are_fixed(study) { Err(Untested::Inseparable) } else { of_place() },
    })
}

fn samples(study: &Study, indicator: &Indicator) -> Vec<Sample> {
    let mut places = std::collections::BTreeMap::new();
    let mut samples = Vec::new();
    for (order, run) in study.runs.iter().enumerate() {
        let place = places.entry(run.round).and_modify(|place| *place += 1.0).or_insert(0.0);
        let Some(value) = run.outcome.figures().and_then(|figures| figures.get(&indicator.name)) else { continue };
        let at = Rounds { cell: run.cell, round: run.round as usize, value };
        samples.push(Sample { at, order: order as f64, place: *place });
    }
    if samples.iter().all(|sample| sample.at.value > 0.0) {
        samples.iter_mut().for_each(|sample| sample.at.value = sample.at.value.ln());
    }
    samples
}

/// Whether every cell has the same place in all rounds, so that a place's effect can't be told from the cell's.
fn places_are_fixed(study: &Study) -> bool {
    let mut of_round = std::collections::BTreeMap::<u32, Vec<usize>>::new();
    study.runs.iter().for_each(|run| of_round.entry(run.round).or_default().push(run.cell));
    let mut rounds = of_round.into_values();
    let first = rounds.next().unwrap_or_default();
    first.len() < 2 || rounds.all(|round| first.starts_with(&round))
}
