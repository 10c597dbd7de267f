//! Variance between cells and within, and what more cells would bring.

use crate::{
    figure::{Axis, Curve, Facts, Figure, Layer, Quantity, Scale},
    page::{
        table::{Cell, Table},
        units,
    },
    study::{Results, Spread},
};

/// Fewest cells of which a course is drawn.
const FEWEST: usize = 5;

/// A standard deviation: a share of the value, or in the unit of the figure.
fn deviation(spread: &Spread, variance: f64) -> String {
    let deviation = variance.sqrt();
    if spread.is_relative { units::percent(deviation) } else { spread.indicator.quantity().text(deviation) }
}

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
        let half = it.half_width(it.cells).map(|half| deviation(it, half * half)).unwrap_or_default();
        vec![
            Cell::name(&it.indicator.name),
            Cell::count(it.cells as u64),
            Cell::word(&deviation(it, it.between)),
            Cell::word(&deviation(it, it.within)),
            Cell::word(&half),
        ]
    });
    table.rows = rows.collect();
    table
}

/// How the interval of the mean narrows with the number of cells.
pub(super) fn course(results: &Results) -> Option<Figure> {
    let shown: Vec<&Spread> = results.spreads.iter().filter(|it| it.is_relative && it.cells >= FEWEST).collect();
    let most = shown.iter().map(|it| it.cells).max()?;
    let x = Axis::new("number of cells", Quantity::Number, Scale::Log).of_whole();
    let y = Axis::new("half the interval, of the mean", Quantity::Share, Scale::Linear);
    let mut figure = Figure::new("spread-course", "How certain the mean of so many cells is", x, y);
    for (look, spread) in shown.into_iter().enumerate() {
        let points = (2..=most).map(|cells| (cells as f64, spread.half_width(cells)));
        figure.layers.push(Layer::Line(Curve::new(&spread.indicator.name, look, points)));
    }
    figure.finding =
        "Half the 95 % interval of the geometric mean, as the variances between and within cells let one expect."
            .to_owned();
    figure.facts = Facts::new(format!("from {most} cells"), "", "Student's t over cells");
    (!figure.is_empty()).then_some(figure)
}
