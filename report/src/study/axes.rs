//! The effect of each axis, over all values of the other axes.

use super::{figures, input::Study};
use crate::{
    indicator::Indicator,
    statistics::{Interval, mean_ratio},
};

/// How often values are drawn for an interval.
const DRAWS: usize = 2000;

/// What a value of an axis does to a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisEffect {
    /// The number of the axis.
    pub axis: usize,
    /// The value of the axis.
    pub value: String,
    /// The value that it is compared with: that of the baseline, or the first.
    pub reference: String,
    /// The figure.
    pub indicator: &'static Indicator,
    /// How many pairs of cells differ in this axis alone.
    pub pairs: usize,
    /// The geometric mean over these pairs of the ratio of their medians.
    pub ratio: f64,
    /// Its 95 % interval, by the bootstrap within cells; absent where a cell has fewer than 5 samples.
    pub interval: Option<Interval>,
}

/// The effects, figure by figure and axis by axis. Axes of which no two cells differ in them alone have none.
pub(super) fn effects(study: &Study) -> Vec<AxisEffect> {
    let mut effects = Vec::new();
    for (indicator, _) in figures::compared(study) {
        let values: Vec<Vec<f64>> = (0..study.cells.len()).map(|cell| study.values(cell, &indicator.name)).collect();
        for axis in 0..study.axes.len() {
            let Some(reference) = reference(study, axis) else { continue };
            let others = distinct(study, axis).into_iter().filter(|value| **value != *reference);
            effects.extend(others.filter_map(|value| effect(study, axis, reference, value, indicator, &values)));
        }
    }
    effects
}

/// The value of an axis that its others are compared with.
fn reference(study: &Study, axis: usize) -> Option<&String> {
    let given = study.axes.get(axis).and_then(|field| study.baseline.get(field));
    given.or(study.cells.first().and_then(|cell| cell.get(axis)))
}

/// The values of an axis, each once, in the order of the cells.
pub(crate) fn distinct(study: &Study, axis: usize) -> Vec<&String> {
    let mut values: Vec<&String> = Vec::new();
    let all = study.cells.iter().filter_map(|cell| cell.get(axis));
    all.for_each(|value| {
        if !values.contains(&value) {
            values.push(value);
        }
    });
    values
}

fn effect(
    study: &Study,
    axis: usize,
    reference: &str,
    value: &str,
    indicator: &'static Indicator,
    values: &[Vec<f64>],
) -> Option<AxisEffect> {
    let with = |cell: &[String], value: &str| {
        let mut cell = cell.to_vec();
        cell[axis] = value.to_owned();
        study.cells.iter().position(|other| *other == cell)
    };
    let cells = study.cells.iter().enumerate().filter(|(_, cell)| cell.get(axis).is_some_and(|own| own == value));
    let pairs = cells.filter_map(|(number, cell)| Some((with(cell, reference)?, number)));
    let pairs: Vec<(&[f64], &[f64])> = pairs
        .map(|(x, y)| (values[x].as_slice(), values[y].as_slice()))
        .filter(|(x, y)| x.len() > 1 && y.len() > 1)
        .collect();
    let (ratio, interval) = mean_ratio(&pairs, DRAWS)?;
    Some(AxisEffect {
        axis,
        value: value.to_owned(),
        reference: reference.to_owned(),
        indicator,
        pairs: pairs.len(),
        ratio,
        interval,
    })
}
