//! What is drawn in a figure: curves, bands, points, bars, heat.

use super::{curve, text::visible};

/// Values of y by x, in order of x. A y that is not known is a gap.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// Its name in the legend.
    pub name: String,
    /// Number of its colour, dashes and markers.
    pub look: usize,
    /// Its points.
    pub points: Vec<(f64, Option<f64>)>,
}

impl Curve {
    /// A curve; a value that is no number is a gap.
    pub fn new(name: &str, look: usize, points: impl IntoIterator<Item = (f64, Option<f64>)>) -> Self {
        let known = points.into_iter().map(|(x, y)| (x, y.filter(|y| y.is_finite())));
        Self { name: name.to_owned(), look, points: known.collect() }
    }
}

/// Intervals of y by x, with bars at their ends.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Whiskers {
    /// Its name in the legend.
    pub name: String,
    /// Number of its colour.
    pub look: usize,
    /// x, least and greatest y.
    pub points: Vec<(f64, f64, f64)>,
}

/// Single points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    /// Their name in the legend.
    pub name: String,
    /// Number of their colour and marker.
    pub look: usize,
    /// x, y, and what the point is.
    pub points: Vec<(f64, f64, String)>,
}

/// One kind of values of [`Bars`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Segment {
    /// Its name in the legend.
    pub name: String,
    /// Its values, one for each category.
    pub values: Vec<Option<f64>>,
}

/// Bars from left to right, one for each category, from top to bottom.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bars {
    /// The names of the bars.
    pub categories: Vec<String>,
    /// Their values.
    pub segments: Vec<Segment>,
    /// Whether the segments of a category follow each other on one bar; else each has its own.
    pub is_stacked: bool,
}

/// How many values there are in each cell of x and y.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heat {
    /// What is counted.
    pub name: String,
    /// Bounds of the columns: one more than there are.
    pub x: Vec<f64>,
    /// Bounds of the rows: one more than there are.
    pub y: Vec<f64>,
    /// Counts, column by column from left to right, in each from bottom to top.
    pub counts: Vec<u64>,
}

/// A layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A line from point to point.
    Line(Curve),
    /// A value that holds until the next point.
    Step(Curve),
    /// Intervals of what is measured at some places, and not between them.
    Whiskers(Whiskers),
    /// Points.
    Scatter(Points),
    /// Bars.
    Bars(Bars),
    /// Heat.
    Heat(Heat),
}

impl Layer {
    /// Whether there is nothing to be seen of it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Line(curve) | Self::Step(curve) => curve.points.iter().all(|(_, y)| y.is_none()),
            Self::Whiskers(whiskers) => whiskers.points.is_empty(),
            Self::Scatter(points) => points.points.is_empty(),
            Self::Bars(bars) => bars.segments.iter().all(|it| it.values.iter().all(Option::is_none)),
            Self::Heat(heat) => heat.counts.iter().all(|count| *count == 0),
        }
    }

    /// What a legend calls it, with the number of its look; of bars each segment.
    pub(super) fn names(&self) -> Vec<(&str, usize)> {
        match self {
            Self::Line(curve) | Self::Step(curve) => vec![(&curve.name, curve.look)],
            Self::Whiskers(whiskers) => vec![(&whiskers.name, whiskers.look)],
            Self::Scatter(points) => vec![(&points.name, points.look)],
            Self::Bars(bars) => bars.segments.iter().enumerate().map(|(look, it)| (&*it.name, look)).collect(),
            Self::Heat(heat) => vec![(&heat.name, 0)],
        }
    }

    /// The values of x and of y that it has.
    pub(super) fn values(&self) -> (Vec<f64>, Vec<f64>) {
        match self {
            Self::Line(curve) | Self::Step(curve) => curve.points.iter().filter_map(|(x, y)| Some((*x, (*y)?))).unzip(),
            Self::Whiskers(whiskers) => {
                let x = whiskers.points.iter().map(|(x, _, _)| *x).collect();
                (x, whiskers.points.iter().flat_map(|(_, low, high)| [*low, *high]).collect())
            }
            Self::Scatter(points) => points.points.iter().map(|(x, y, _)| (*x, *y)).unzip(),
            Self::Bars(bars) => (bars.lengths(), Vec::new()),
            Self::Heat(heat) => (heat.x.clone(), heat.y.clone()),
        }
    }

    /// Names as they are shown.
    pub(super) fn make_presentable(&mut self) {
        match self {
            Self::Line(curve) | Self::Step(curve) => curve.name = visible(&curve.name),
            Self::Whiskers(whiskers) => whiskers.name = visible(&whiskers.name),
            Self::Scatter(points) => points.points.iter_mut().for_each(|(_, _, name)| *name = visible(name)),
            Self::Bars(bars) => bars.categories.iter_mut().for_each(|name| *name = visible(name)),
            Self::Heat(_) => {}
        }
    }

    pub(super) fn thin(&mut self, most: usize) {
        match self {
            Self::Line(curve) => curve.points = curve::thinned(&curve.points, most),
            Self::Step(curve) => curve.points = curve::thinned(&curve.points, most),
            Self::Whiskers(whiskers) => {
                let every = whiskers.points.len().div_ceil(most).max(1);
                whiskers.points = whiskers.points.iter().step_by(every).copied().collect();
            }
            Self::Scatter(points) => {
                let every = points.points.len().div_ceil(most).max(1);
                points.points = points.points.iter().step_by(every).cloned().collect();
            }
            Self::Bars(_) | Self::Heat(_) => {}
        }
    }
}

impl Bars {
    /// How long the bars are.
    fn lengths(&self) -> Vec<f64> {
        let of_category = |at: usize| self.segments.iter().filter_map(move |it| it.values.get(at).copied().flatten());
        let categories = 0..self.categories.len();
        if self.is_stacked {
            categories.map(|at| of_category(at).sum()).collect()
        } else {
            categories.flat_map(of_category).collect()
        }
    }
}
