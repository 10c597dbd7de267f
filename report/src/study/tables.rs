//! The results as CSV.
//!
//! What is not known is empty. Times are microseconds, shares are from 0 to 1: the column `unit` says what the values are.

use csv::Writer;

use super::{cells::CellFigure, compared::Compared, input::Study};
use crate::{figure::Quantity, indicator::Indicator, statistics::size};

pub(super) fn cells(cells: &[CellFigure], study: &Study) -> String {
    let head = ["figure", "unit", "n", "left_out", "median", "lo", "hi", "level", "method", "too_few"];
    let rows = cells.iter().map(|it| {
        let bounds = it.interval.map(|bounds| (number(bounds.low), number(bounds.high)));
        let method = if bounds.is_some() { "order_statistics" } else { "" };
        let (low, high) = bounds.unwrap_or_default();
        let level = if method.is_empty() { String::new() } else { format!("{:.4}", 1.0 - it.alpha) };
        let mut row = of_cell(study, it.cell);
        row.extend(named(it.indicator));
        row.extend([it.n.to_string(), it.left_out.to_string(), known(it.median), low, high, level]);
        row.extend([method.to_owned(), method.is_empty().to_string()]);
        row
    });
    table(study, &["cell"], &head, rows)
}

pub(super) fn compared(compared: &[Compared], study: &Study) -> String {
    let head = [
        "baseline",
        "figure",
        "unit",
        "n",
        "n_baseline",
        "ratio",
        "lo",
        "hi",
        "method",
        "p",
        "p_holm",
        "delta",
        "effect",
        "overlaps",
        "verdict",
    ];
    let rows = compared.iter().map(|it| {
        let (low, high) = it.interval.map(|bounds| (number(bounds.low), number(bounds.high))).unwrap_or_default();
        let method = if it.interval.is_some() { "bootstrap_percentile" } else { "" };
        let mut row = of_cell(study, it.cell);
        row.push(it.baseline.to_string());
        row.extend(named(it.indicator));
        row.extend([it.n.0.to_string(), it.n.1.to_string(), known(it.ratio), low, high, method.to_owned()]);
        row.extend([known(it.p), known(it.p_holm), known(it.delta)]);
        row.push(it.delta.map_or("", |delta| size(delta).word()).to_owned());
        row.extend([
            it.overlaps.map(|overlaps| overlaps.to_string()).unwrap_or_default(),
            it.verdict.name().to_owned(),
        ]);
        row
    });
    table(study, &["cell"], &head, rows)
}

/// The number of a cell, and its values.
fn of_cell(study: &Study, cell: usize) -> Vec<String> {
    let values = study.cells.get(cell).into_iter().flatten().cloned();
    std::iter::once(cell.to_string()).chain(values).collect()
}

fn named(indicator: &Indicator) -> [String; 2] {
    [indicator.name.clone(), unit(indicator.quantity()).to_owned()]
}

/// The unit of values.
fn unit(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Micros => "us",
        Quantity::Share => "share",
        Quantity::PerSecond => "1/s",
        Quantity::Mib => "MiB",
        Quantity::Seconds => "s",
        Quantity::Millicores => "millicores",
        Quantity::Number | Quantity::Percentile => "",
    }
}

fn known(value: Option<f64>) -> String {
    value.map(number).unwrap_or_default()
}

/// A number in the least digits that read as the same one.
fn number(value: f64) -> String {
    value.to_string()
}

/// A table with the fields of the axes between the first columns and the rest.
fn table(study: &Study, first: &[&str], rest: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    let axes = study.axes.iter().map(String::as_str);
    // A vector takes whatever is written to it, and each row has as many cells as the head.
    drop(writer.write_record(first.iter().copied().chain(axes).chain(rest.iter().copied())));
    rows.for_each(|row| drop(writer.write_record(row)));
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}
