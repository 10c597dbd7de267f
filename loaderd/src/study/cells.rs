//! The cells of a study: the combinations of its axes' values.

use std::collections::BTreeMap;

use loader_proto::{
    json::{self, FieldPath},
    v1,
};

use super::{Axis, Combine, MOST_RUNS};
use crate::{spec::Check, units};

/// A combination of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Of each axis, in their order: the number of the value, from 0.
    pub values: Vec<u32>,
}

impl Cell {
    /// What the cell is called, such as `scaling.stableWindow=30s, seed=7`.
    pub fn label(&self, axes: &[Axis]) -> String {
        let fields = self.labels(axes).map(|(axis, value)| format!("{axis}={value}"));
        fields.collect::<Vec<_>>().join(", ")
    }

    /// What the cell's axes are called, each with what its value is called.
    pub fn labels<'a>(&'a self, axes: &'a [Axis]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let values = axes.iter().zip(&self.values);
        values.filter_map(|(axis, &value)| Some((axis.label.as_str(), axis.labels.get(value as usize)?.as_str())))
    }

    /// The cell's fields, each with its value.
    pub fn fields<'a>(&'a self, axes: &'a [Axis]) -> impl Iterator<Item = (&'a FieldPath, &'a str)> {
        let values = axes.iter().zip(&self.values);
        values.filter_map(|(axis, &value)| Some((&axis.field, axis.values.get(value as usize)?.as_str())))
    }
}

/// The cells of a study with `repeats` runs of each, without the excluded ones.
pub(super) fn combine(
    check: &mut Check,
    axes: &[Axis],
    how: Combine,
    exclude: &[v1::Exclusion],
    repeats: u32,
) -> Option<Vec<Cell>> {
    let cells = match how {
        Combine::Grid => grid(check, axes, repeats)?,
        Combine::Zip => zip(check, axes, repeats)?,
    };
    let excluded: Vec<_> = exclude.iter().enumerate().map(|(index, it)| exclusion(check, index, it, axes)).collect();
    let excluded = excluded.into_iter().collect::<Option<Vec<_>>>()?;
    let is_kept = |cell: &Cell| !excluded.iter().any(|it| it.iter().all(|&(axis, value)| cell.values[axis] == value));
    let kept: Vec<_> = cells.into_iter().filter(is_kept).collect();
    if kept.is_empty() {
        check.fault("exclude", "leaves no cell");
        return None;
    }
    Some(kept)
}

fn grid(check: &mut Check, axes: &[Axis], repeats: u32) -> Option<Vec<Cell>> {
    let count = axes.iter().fold(1_u64, |count, axis| count.saturating_mul(axis.values.len() as u64));
    is_bounded(check, count, repeats).then(|| {
        let mut cells = vec![Cell { values: Vec::new() }];
        for axis in axes {
            let with = |cell: &Cell, value| Cell { values: cell.values.iter().copied().chain([value]).collect() };
            let values = units::to_u32(axis.values.len());
            cells = cells.iter().flat_map(|cell| (0..values).map(move |value| with(cell, value))).collect();
        }
        cells
    })
}

fn zip(check: &mut Check, axes: &[Axis], repeats: u32) -> Option<Vec<Cell>> {
    let lengths: Vec<_> = axes.iter().map(|axis| axis.values.len()).collect();
    if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
        let lengths: Vec<_> = axes.iter().map(|axis| format!("{} has {}", axis.field, axis.values.len())).collect();
        check.fault("combine", format!("is zip, so all axes must have as many values: {}", lengths.join(", ")));
        return None;
    }
    let count = units::to_u32(lengths.first().copied().unwrap_or(1));
    is_bounded(check, count.into(), repeats)
        .then(|| (0..count).map(|value| Cell { values: vec![value; axes.len()] }).collect())
}

/// Whether there are no more runs than a study may have, before any cell is left out.
fn is_bounded(check: &mut Check, cells: u64, repeats: u32) -> bool {
    let runs = cells.saturating_mul(repeats.into());
    if runs > MOST_RUNS {
        check.fault(
            "vary",
            format!("asks for {runs} runs ({cells} cells, {repeats} of each); must be at most {MOST_RUNS}"),
        );
    }
    runs <= MOST_RUNS
}

/// The axes of an excluded cell, each with the number of its value.
fn exclusion(check: &mut Check, index: usize, message: &v1::Exclusion, axes: &[Axis]) -> Option<Vec<(usize, u32)>> {
    let v1::Exclusion { cell } = message;
    if cell.is_empty() {
        check.fault(format!("exclude[{index}]"), "is empty; must name at least one axis with a value");
        return None;
    }
    positions(check, &format!("exclude[{index}]"), cell, axes)
}

/// The axes that a part of a study names, by their fields or labels, each with the number of its value.
pub(super) fn positions(
    check: &mut Check,
    part: &str,
    named: &BTreeMap<String, String>,
    axes: &[Axis],
) -> Option<Vec<(usize, u32)>> {
    let values: Vec<_> = named.iter().map(|(field, value)| position(check, part, (field, value), axes)).collect();
    values.into_iter().collect()
}

fn position(check: &mut Check, part: &str, (field, value): (&str, &str), axes: &[Axis]) -> Option<(usize, u32)> {
    let place = format!("{part}.{field}");
    let path = json::field::<v1::RunSpec>(field).ok();
    let of_field = path.and_then(|path| axes.iter().position(|axis| axis.field == path));
    let Some(number) = of_field.or_else(|| axes.iter().position(|axis| axis.label == field)) else {
        let known: Vec<_> = axes.iter().map(|axis| axis.label.as_str()).collect();
        check.fault(place, format!("does not vary; what varies is {}", known.join(", ")));
        return None;
    };
    let Axis { values, labels, .. } = &axes[number];
    let position = |known: &[String]| known.iter().position(|other| other == value);
    let found = position(values).or_else(|| position(labels));
    if found.is_none() {
        check.fault(place, format!("is {value}; the axis has {}", labels.join(", ")));
    }
    found.map(|value| (number, units::to_u32(value)))
}
