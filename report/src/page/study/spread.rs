//! Variance between cells and within, and what more cells would bring.

use crate::{
    figure::{Axis, Curve, Facts, Figure, Layer, Quantity, Scale},
    page::table::{Cell, Table},
    study::{Results, Spread},
};

/// Fewest cells of which a course is drawn.
const FEWEST: usize = 5;

/// A row for each figure.
pub(super) fn table(results: &Results) -> Table {
    let head = [
        "figure",
        "cells",
        "standard deviation between cells",
        "between repeats of a cell",
        "half the interval of the mean of all cells",
    ];
    let caption = "Variance between cells and within: where that between is the larger one, more cells make a mean more certain, not more repeats";
    let mut table = Table::new(caption, &head);
    let rows = results.spreads.iter().map(|it| {
        let half = it.half_width(it.cells).map(|half| it.deviation(half * half)).unwrap_or_default();
        vec![
            Cell::name(&it.label()),
            Cell::count(it.cells as u64),
            Cell::word(&it.deviation(it.between)),
            Cell::word(&it.deviation(it.within)),
            Cell::word(&half),
        ]
    });
    table.rows = rows.collect();
    table
}

/// How figures vary by the size of the samples: between samples of one size, and between repeats of one sample.
fn by_size(results: &Results) -> Option<Figure> {
    let x = Axis::new("functions of a sample", Quantity::Number, Scale::Log).of_whole();
    let y = Axis::new("standard deviation", Quantity::Share, Scale::Linear);
    let mut figure = Figure::new("spread-size", "How much results vary, by the size of the samples", x, y);
    let sized: Vec<(&Spread, f64)> =
        results.spreads.iter().filter(|it| it.is_relative).filter_map(|it| Some((it, it.size? as f64))).collect();
    for of_figure in sized.chunk_by(|(one, _), (next, _)| one.indicator == next.indicator) {
        let name = of_figure.first().map(|(it, _)| &it.indicator.name)?;
        let between = of_figure.iter().map(|(it, size)| (*size, Some(it.between.sqrt())));
        let within = of_figure.iter().map(|(it, size)| (*size, Some(it.within.sqrt())));
        let look = figure.layers.len();
        figure.layers.push(Layer::Line(Curve::new(&format!("{name}, between samples"), look, between)));
        figure.layers.push(Layer::Line(Curve::new(&format!("{name}, between repeats"), look + 1, within)));
    }
    figure.finding =
        "Standard deviations as shares of the value: those that samples of one size add, and those of repeats of one."
            .to_owned();
    let (least, most) = (sized.iter().map(|(it, _)| it.cells).min()?, sized.iter().map(|(it, _)| it.cells).max()?);
    let samples = if least == most { format!("{most}") } else { format!("{least} to {most}") };
    figure.facts =
        Facts::new(format!("from {samples} samples of each size"), "", "components of variance, of logarithms");
    (!figure.is_empty()).then_some(figure)
}

/// The figures of a study's spread.
pub(super) fn panels(results: &Results) -> Vec<Figure> {
    by_size(results).into_iter().chain(course(results)).collect()
}

/// How the interval of the mean narrows with the number of cells.
fn course(results: &Results) -> Option<Figure> {
    let shown: Vec<&Spread> = results.spreads.iter().filter(|it| it.is_relative && it.cells >= FEWEST).collect();
    let most = shown.iter().map(|it| it.cells).max()?;
    let x = Axis::new("number of cells", Quantity::Number, Scale::Log).of_whole();
    let y = Axis::new("half the interval", Quantity::Share, Scale::Linear);
    let mut figure = Figure::new("spread-course", "How certain the mean of so many cells is", x, y);
    for (look, spread) in shown.into_iter().enumerate() {
        let points = (2..=most).map(|cells| (cells as f64, spread.half_width(cells)));
        figure.layers.push(Layer::Line(Curve::new(&spread.label(), look, points)));
    }
    figure.finding =
        "Half the 95 % interval of the geometric mean, as the variances between and within cells let one expect."
            .to_owned();
    figure.facts = Facts::new(format!("from {most} cells"), "", "Student's t over cells");
    (!figure.is_empty()).then_some(figure)
}
