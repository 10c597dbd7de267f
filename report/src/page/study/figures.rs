//! Small multiples of the cells, and the runs in their order.

use std::collections::BTreeMap;

use super::axes::Places;
use crate::{
    figure::{Axis, Curve, Facts, Figure, Layer, Mark, Points, Quantity, Scale, Shade, Whiskers},
    indicator::Indicator,
    statistics::median,
    study::{Results, Study},
};

/// Most curves of a figure: each can be told from the others.
const CURVES: usize = 4;

/// Most figures of one axis and figure of the summary.
const MULTIPLES: usize = 6;

/// Most rounds that are shaded.
const ROUNDS: u32 = 60;

/// Each figure that is compared over each of these axes: a curve for each combination of the other axes, a few of them in each figure. Of
/// axes that only vary together the first one stands for all.
pub(super) fn by_axis(study: &Study, results: &Results, axes: &[usize]) -> Vec<Figure> {
    let mut drawn = Vec::new();
    for indicator in study.compared_figures() {
        let is_first = |axis: &usize| !axes.iter().any(|other| other < axis && is_same(study, *other, *axis));
        for axis in axes.iter().copied().filter(is_first) {
            let others = others(study, axis);
            let multiples = others.chunks(CURVES).take(MULTIPLES).enumerate();
            let left = others.len().saturating_sub(CURVES * MULTIPLES);
            drawn.extend(
                multiples.filter_map(|(number, some)| multiple(study, results, (indicator, axis), number, some, left)),
            );
        }
    }
    drawn
}

/// Whether two axes only vary together: each value of one goes with one value of the other.
fn is_same(study: &Study, one: usize, other: usize) -> bool {
    let (mut ahead, mut back) = (BTreeMap::new(), BTreeMap::new());
    study.cells.iter().all(|cell| {
        let (Some(a), Some(b)) = (cell.get(one), cell.get(other)) else { return false };
        *ahead.entry(a).or_insert(b) == b && *back.entry(b).or_insert(a) == a
    })
}

/// The values of all axes but one, and those that only vary with it, each combination once, with the cells that have it.
fn others(study: &Study, axis: usize) -> Vec<(String, Vec<usize>)> {
    let mut found: Vec<(String, Vec<usize>)> = Vec::new();
    let is_other: Vec<bool> = (0..study.axes.len()).map(|other| !is_same(study, axis, other)).collect();
    for (cell, values) in study.cells.iter().enumerate() {
        let rest = study.axes.iter().zip(values).enumerate();
        let rest = rest.filter(|(number, _)| is_other.get(*number).copied().unwrap_or_default());
        let label = rest.map(|(_, (field, value))| format!("{field}={value}")).collect::<Vec<_>>().join(", ");
        match found.iter_mut().find(|(known, _)| *known == label) {
            Some((_, cells)) => cells.push(cell),
            None => found.push((label, vec![cell])),
        }
    }
    found
}

fn multiple(
    study: &Study,
    results: &Results,
    (indicator, axis): (&'static Indicator, usize),
    number: usize,
    curves: &[(String, Vec<usize>)],
    left: usize,
) -> Option<Figure> {
    let places = Places::of(study, axis);
    let (name, field) = (&indicator.name, study.axes.get(axis)?);
    let y = Axis::new(name, indicator.quantity(), Scale::Linear);
    let id = format!("cells-{}-{axis}-{number}", name.replace('.', "-").to_lowercase());
    let mut figure = places.figure(&id, &format!("{name} by {field}"), y);
    for (look, (label, cells)) in curves.iter().enumerate() {
        let known = results.cells.iter().filter(|it| it.indicator == indicator && cells.contains(&it.cell));
        let mut known: Vec<_> =
            known.filter_map(|it| Some((places.at(study.cells.get(it.cell)?.get(axis)?)?, it))).collect();
        known.sort_by(|one, other| one.0.total_cmp(&other.0));
        let whiskers = known.iter().filter_map(|(at, it)| it.interval.map(|bounds| (*at, bounds.low, bounds.high)));
        let label = if label.is_empty() { "median" } else { label };
        figure.layers.push(Layer::Whiskers(Whiskers {
            name: format!("{label}, interval"),
            look,
            points: whiskers.collect(),
        }));
        figure.layers.push(Layer::Line(Curve::new(label, look, known.iter().map(|(at, it)| (*at, it.median)))));
    }
    figure.layers.retain(|layer| !layer.is_empty());
    let intervals = Places::intervals(&figure.layers);
    figure.finding = format!("Medians of {name} over the runs of each cell{intervals}.");
    let with = (0..study.axes.len()).filter(|other| *other != axis && is_same(study, axis, *other));
    let with: Vec<_> = with.filter_map(|other| study.axes.get(other)).map(String::as_str).collect();
    let with = if with.is_empty() { String::new() } else { format!("{} vary with it", with.join(", ")) };
    let left = if left > 0 { format!("{left} combinations of the other axes are not drawn") } else { String::new() };
    let more = [with, left].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ");
    figure.facts = Facts::new(format!("n = {} runs", study.runs.len()), more, "medians; order statistics");
    (!figure.is_empty()).then_some(figure)
}

/// Each figure that is compared, run by run in the order in which they were made.
pub(super) fn in_order(study: &Study) -> Vec<Figure> {
    let figures = study.compared_figures().into_iter().filter(|indicator| varies(study, indicator));
    figures.filter_map(|indicator| runs(study, indicator)).collect()
}

/// Whether a figure is not the same in all runs of each cell.
fn varies(study: &Study, indicator: &Indicator) -> bool {
    let values = (0..study.cells.len()).map(|cell| study.values(cell, &indicator.name));
    values.into_iter().any(|values| values.windows(2).any(|two| two[0].total_cmp(&two[1]).is_ne()))
}

fn runs(study: &Study, indicator: &'static Indicator) -> Option<Figure> {
    let name = &indicator.name;
    let medians: Vec<Option<f64>> = (0..study.cells.len()).map(|cell| median(&study.values(cell, name))).collect();
    let last = study.runs.len() as f64 + 0.5;
    let x = Axis::new("number of the run", Quantity::Number, Scale::Linear).of_whole().ranging(Some(0.5), Some(last));
    let y = Axis::new("over the median of its cell", Quantity::Number, Scale::Linear).ranging(None, None);
    let mut figure =
        Figure::new(&format!("order-{}", name.replace('.', "-").to_lowercase()), &format!("{name}, run by run"), x, y);
    let has_looks = study.cells.len() <= 8;
    for cell in 0..study.cells.len() {
        let of_cell = study.runs.iter().enumerate().filter(|(_, run)| run.cell == cell);
        let points = of_cell.filter_map(|(number, run)| {
            let middle = medians.get(cell).copied().flatten().filter(|median| *median > 0.0)?;
            let value = run.outcome.figures()?.get(name)? / middle;
            Some((number as f64 + 1.0, value, format!("{} {}", study.label(cell), run.id)))
        });
        let points = points.collect();
        match figure.layers.last_mut() {
            Some(Layer::Scatter(all)) if !has_looks => all.points.extend::<Vec<_>>(points),
            _ => {
                let name = if has_looks { study.label(cell) } else { "runs".to_owned() };
                let look = if has_looks { cell } else { 0 };
                figure.layers.push(Layer::Scatter(Points { name, look, points }));
            }
        }
    }
    figure.layers.retain(|layer| !layer.is_empty());
    figure.shades = shades(study);
    figure.limits.push(Mark { at: 1.0, label: "median of the cell".to_owned() });
    figure.finding = "What lies on a slope has drifted; what lies in steps differs from round to round.".to_owned();
    figure.facts = Facts::new(
        format!("n = {} runs", study.runs.len()),
        "in the order in which they were made; every second round is shaded",
        "",
    );
    (!figure.is_empty()).then_some(figure)
}

/// Every second round.
fn shades(study: &Study) -> Vec<Shade> {
    let last = study.runs.iter().map(|run| run.round).max().unwrap_or_default();
    let rounds = (0..=last).filter(|round| round % 2 == 1 && last <= ROUNDS);
    let shade = |round: u32| {
        let mut runs = study.runs.iter().enumerate().filter(|(_, run)| run.round == round).map(|(number, _)| number);
        let from = runs.next()?;
        let to = runs.next_back().unwrap_or(from);
        Some(Shade { from: from as f64 + 0.5, to: to as f64 + 1.5, label: format!("round {}", round + 1) })
    };
    rounds.filter_map(shade).collect()
}
