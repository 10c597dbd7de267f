//! Figures of the runs of a study, by its cells: of each cell the medians of its runs, where these have values at the same places; else all
//! of its runs in one look.
//!
//! ```text
//! run ──draw──▶ figure of it alone ──by cell──▶ medians at each x ──▶ one curve a cell
//!                                                                └──▶ one curve in all, where each cell has its own x: a sweep
//! ```

use std::collections::BTreeSet;

use super::entry::Entry;
use crate::{
    figure::{Bars, Curve, Facts, Figure, Layer, Segment},
    run::Run,
    statistics::median,
};

/// Which cell each run is of, and what cells are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellsOfRuns {
    /// The number of the cell of each run.
    pub cells: Vec<usize>,
    /// The name of each cell.
    pub labels: Vec<String>,
}

/// The layers of one cell that have the same name.
struct Part<'f> {
    cell: usize,
    layers: Vec<&'f Layer>,
}

impl Entry {
    /// The figure of the runs of a study; absent where they have nothing to be seen in it.
    pub fn draw_by_cell(&self, runs: &[Run], of: &CellsOfRuns) -> Option<Figure> {
        let alone = |(run, cell): (&Run, &usize)| Some((*cell, self.draw(std::slice::from_ref(run))?));
        let mut drawn: Vec<(usize, Figure)> = runs.iter().zip(&of.cells).filter_map(alone).collect();
        drawn.sort_by_key(|(cell, _)| *cell);
        let is_counted = |figure: &Figure| figure.layers.iter().any(|layer| matches!(layer, Layer::Heat(_)));
        if runs.len() < 2 || drawn.is_empty() || drawn.iter().any(|(_, figure)| is_counted(figure)) {
            return self.draw(runs);
        }
        Some(together(&drawn, &of.labels))
    }
}

fn together(drawn: &[(usize, Figure)], labels: &[String]) -> Figure {
    let names = names(drawn);
    let cells: BTreeSet<usize> = drawn.iter().map(|(cell, _)| *cell).collect();
    let label = |cell: usize| labels.get(cell).map_or("", String::as_str);
    let mut figure = drawn[0].1.clone();
    figure.layers = Vec::new();
    let mut are_medians = true;
    for (number, name) in names.iter().enumerate() {
        let parts: Vec<Part<'_>> = cells.iter().map(|cell| part(drawn, *cell, name)).collect();
        let merged: Option<Vec<(usize, Curve)>> =
            parts.iter().map(|part| Some((part.cell, medians(&lines(&part.layers)?)?))).collect();
        if let Some(curve) = merged.as_deref().and_then(swept) {
            figure.layers.push(Layer::Line(Curve { name: (*name).to_owned(), look: number, ..curve }));
            continue;
        }
        are_medians &= merged.is_some();
        for (place, part) in parts.iter().enumerate() {
            let called = called(if cells.len() > 1 { label(part.cell) } else { "" }, name, names.len());
            figure.layers.extend(part.drawn(&called, place * names.len() + number));
        }
    }
    figure.layers.extend(bars(drawn, &cells, label));
    let is_everywhere = |mark: &crate::figure::Mark| drawn.iter().all(|(_, other)| other.marks.contains(mark));
    figure.marks.retain(is_everywhere);
    figure.shades.retain(|shade| drawn.iter().all(|(_, other)| other.shades.contains(shade)));
    let what =
        if are_medians { "Medians over the runs of each cell." } else { "Each cell has a look, each run a curve." };
    figure.finding = what.to_owned();
    let Facts { filter, kind, .. } = figure.facts;
    let (runs, cells) = (drawn.len(), cells.len());
    let of_cells = if cells == 1 { String::new() } else { format!(" of {cells} cells") };
    figure.facts = Facts { count: format!("n = {runs} runs{of_cells}"), filter, kind };
    figure.layers.retain(|layer| !layer.is_empty());
    figure
}

/// The names of all layers but bars, each once, in their order.
fn names(drawn: &[(usize, Figure)]) -> Vec<&str> {
    let mut names = Vec::new();
    for layer in drawn.iter().flat_map(|(_, figure)| &figure.layers) {
        if let Some(name) = name(layer)
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// What a layer is called that has one name.
fn name(layer: &Layer) -> Option<&str> {
    match layer {
        Layer::Line(curve) | Layer::Step(curve) => Some(&curve.name),
        Layer::Whiskers(whiskers) => Some(&whiskers.name),
        Layer::Scatter(points) => Some(&points.name),
        Layer::Bars(_) | Layer::Heat(_) => None,
    }
}

/// What a curve is called: its cell, and what it is of it, where there are several.
fn called(cell: &str, part: &str, parts: usize) -> String {
    match (cell, part) {
        ("", part) => part.to_owned(),
        (cell, part) if part.is_empty() || parts == 1 => cell.to_owned(),
        (cell, part) => format!("{cell}: {part}"),
    }
}

fn part<'f>(drawn: &'f [(usize, Figure)], cell: usize, name: &'f str) -> Part<'f> {
    let of_cell = drawn.iter().filter(|(other, _)| *other == cell);
    let layers = of_cell.flat_map(|(_, figure)| &figure.layers).filter(|layer| self::name(layer) == Some(name));
    Part { cell, layers: layers.collect() }
}

impl Part<'_> {
    /// Its layers in one look: medians, or each run's.
    fn drawn(&self, name: &str, look: usize) -> Vec<Layer> {
        if let Some(curve) = lines(&self.layers).and_then(|lines| medians(&lines)) {
            return vec![Layer::Line(Curve { name: name.to_owned(), look, ..curve })];
        }
        self.layers.iter().map(|layer| looking((*layer).clone(), name, look)).collect()
    }
}

fn looking(mut layer: Layer, name: &str, look: usize) -> Layer {
    match &mut layer {
        Layer::Line(curve) | Layer::Step(curve) => (curve.name, curve.look) = (name.to_owned(), look),
        Layer::Whiskers(whiskers) => (whiskers.name, whiskers.look) = (name.to_owned(), look),
        Layer::Scatter(points) => (points.name, points.look) = (name.to_owned(), look),
        Layer::Bars(_) | Layer::Heat(_) => {}
    }
    layer
}

/// The curves of layers that are lines, all of them.
fn lines<'f>(layers: &[&'f Layer]) -> Option<Vec<&'f Curve>> {
    let of = |layer: &&'f Layer| if let Layer::Line(curve) = *layer { Some(curve) } else { None };
    layers.iter().map(of).collect()
}

/// The medians of several curves at each x; absent where they have values at other places.
fn medians(curves: &[&Curve]) -> Option<Curve> {
    let mut all: Vec<(f64, f64)> =
        curves.iter().flat_map(|curve| &curve.points).filter_map(|(x, y)| Some((*x, (*y)?))).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let places: Vec<_> = all.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()).collect();
    let longest = curves.iter().map(|curve| curve.points.len()).max()?;
    let value = |place: &[(f64, f64)]| median(&place.iter().map(|(_, y)| *y).collect::<Vec<_>>());
    let points = places.iter().map(|place| (place[0].0, value(place)));
    (places.len() <= longest).then(|| Curve::new("", 0, points.collect::<Vec<_>>()))
}

/// One curve over all cells, where each of them has places of its own: all beyond those of the cells before it.
fn swept(cells: &[(usize, Curve)]) -> Option<Curve> {
    let mut curves: Vec<&Curve> = cells.iter().map(|(_, curve)| curve).filter(|it| !it.points.is_empty()).collect();
    curves.sort_by(|one, other| one.points[0].0.total_cmp(&other.points[0].0));
    let points: Vec<_> = curves.iter().flat_map(|curve| curve.points.iter().copied()).collect();
    let are_apart = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
    (curves.len() > 1 && are_apart).then(|| Curve::new("", 0, points))
}

/// The bars of all cells: of each the medians over its runs.
fn bars<'l>(drawn: &[(usize, Figure)], cells: &BTreeSet<usize>, label: impl Fn(usize) -> &'l str) -> Option<Layer> {
    let of_figure = |figure: &Figure| {
        figure.layers.iter().find_map(|layer| if let Layer::Bars(bars) = layer { Some(bars.clone()) } else { None })
    };
    let found: Vec<(usize, Bars)> =
        drawn.iter().filter_map(|(cell, figure)| Some((*cell, of_figure(figure)?))).collect();
    let first = &found.first()?.1;
    let empty = |segment: &Segment| Segment { name: segment.name.clone(), values: Vec::new() };
    let mut all =
        Bars { categories: Vec::new(), segments: first.segments.iter().map(empty).collect(), ..first.clone() };
    for cell in cells {
        let of_cell: Vec<&Bars> = found.iter().filter(|(other, _)| other == cell).map(|(_, bars)| bars).collect();
        for category in of_cell.first().map(|bars| bars.categories.clone()).unwrap_or_default() {
            for (number, segment) in all.segments.iter_mut().enumerate() {
                segment.values.push(median(&values(&of_cell, &category, number)));
            }
            all.categories.push(called(if cells.len() > 1 { label(*cell) } else { "" }, &category, 2));
        }
    }
    Some(Layer::Bars(all))
}

/// The values of a category and a segment.
fn values(bars: &[&Bars], category: &str, segment: usize) -> Vec<f64> {
    let of = |bars: &&Bars| {
        let place = bars.categories.iter().position(|other| other == category)?;
        bars.segments.get(segment)?.values.get(place).copied().flatten()
    };
    bars.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Quantity, Scale};

    fn figure(layers: Vec<Layer>) -> Figure {
        let axis = || Axis::new("", Quantity::Number, Scale::Linear);
        Figure { layers, ..Figure::new("f", "", axis(), axis()) }
    }

    fn line(name: &str, points: &[(f64, f64)]) -> Layer {
        Layer::Line(Curve::new(name, 0, points.iter().map(|(x, y)| (*x, Some(*y)))))
    }

    /// A curve by its name, its look and its points.
    type Drawn = (String, usize, Vec<(f64, Option<f64>)>);

    fn curves(figure: &Figure) -> Vec<Drawn> {
        let of = |layer: &Layer| match layer {
            Layer::Line(curve) | Layer::Step(curve) => Some((curve.name.clone(), curve.look, curve.points.clone())),
            Layer::Whiskers(_) | Layer::Scatter(_) | Layer::Bars(_) | Layer::Heat(_) => None,
        };
        figure.layers.iter().filter_map(of).collect()
    }

    fn labels() -> Vec<String> {
        ["a=1", "a=2"].map(str::to_owned).to_vec()
    }

    #[test]
    fn runs_of_a_cell_become_one_curve_of_medians() {
        let run =
            |cell, y: f64| (cell, figure(vec![line("p50", &[(1.0, y), (2.0, 2.0 * y)]), line("p99", &[(1.0, 9.0)])]));
        let all = together(&[run(0, 1.0), run(0, 5.0), run(0, 3.0), run(1, 7.0)], &labels());
        let p50 = |y: f64| vec![(1.0, Some(y)), (2.0, Some(2.0 * y))];
        let p99 = || vec![(1.0, Some(9.0))];
        let named = |name: &str, look, points| (name.to_owned(), look, points);
        let expected = [
            named("a=1: p50", 0, p50(3.0)),
            named("a=2: p50", 2, p50(7.0)),
            named("a=1: p99", 1, p99()),
            named("a=2: p99", 3, p99()),
        ];
        assert_eq!(curves(&all), expected);
        assert_eq!(all.facts.count, "n = 4 runs of 2 cells");
        let one = together(&[run(0, 1.0), run(0, 3.0)], &labels());
        assert_eq!(curves(&one)[0], named("p50", 0, p50(2.0)));
    }

    #[test]
    fn cells_that_have_places_of_their_own_are_a_sweep() {
        let run = |cell, x, y| (cell, figure(vec![line("p50", &[(x, y), (x, y + 2.0), (x + 1.0, y)])]));
        let all = together(&[run(0, 10.0, 5.0), run(0, 10.0, 7.0), run(1, 1.0, 3.0)], &labels());
        let expected = [(1.0, 4.0), (2.0, 3.0), (10.0, 7.0), (11.0, 6.0)].map(|(x, y)| (x, Some(y)));
        assert_eq!(curves(&all), [("p50".to_owned(), 0, expected.to_vec())]);
    }

    #[test]
    fn curves_with_other_places_keep_the_look_of_their_cell() {
        let step =
            |cell, x| (cell, figure(vec![Layer::Step(Curve::new("", 0, [(x, Some(0.0)), (x + 1.0, Some(1.0))]))]));
        let all = together(&[step(0, 1.0), step(0, 2.0), step(1, 5.0)], &labels());
        let found: Vec<_> = curves(&all).into_iter().map(|(name, look, _)| (name, look)).collect();
        assert_eq!(found, [("a=1".to_owned(), 0), ("a=1".to_owned(), 0), ("a=2".to_owned(), 1)]);
    }

    #[test]
    fn bars_are_medians_too() {
        let bars = |cell, value| {
            let segment = Segment { name: "p50".to_owned(), values: vec![Some(value), None] };
            let categories = ["before", "during"].map(str::to_owned).to_vec();
            (cell, figure(vec![Layer::Bars(Bars { categories, segments: vec![segment], is_stacked: false })]))
        };
        let all = together(&[bars(0, 1.0), bars(0, 3.0), bars(1, 4.0)], &labels());
        let [Layer::Bars(found)] = all.layers.as_slice() else { panic!("{all:?}") };
        assert_eq!(found.categories, ["a=1: before", "a=1: during", "a=2: before", "a=2: during"]);
        assert_eq!(found.segments[0].values, [Some(2.0), None, Some(4.0), None]);
        assert_eq!(all.finding, "Medians over the runs of each cell.");
    }
}
