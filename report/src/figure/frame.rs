//! Where in a figure the plot is, and where in the plot values are. What is named takes room from the plot, or makes the figure higher.

use std::collections::BTreeSet;

use super::{
    axis::{Axis, Fitted, Scale},
    layer::Layer,
    legend::Legend,
    names::{Below, LINE, beside},
    parts::Figure,
    style::Style,
    text,
};

/// Most of the width that names of bars take.
const NAMES: f64 = 0.42;

/// What the axis of x takes below the plot, in sizes of the text.
const BELOW: f64 = 3.1;

/// Least height of a plot, in sizes of the text.
const LEAST_HEIGHT: f64 = 2.0;

/// The same, where the figure may grow.
const GROWN: f64 = 6.0;

/// Most lines of the name of a bar, where the figure may grow.
const LINES: usize = 5;

/// The plot: its place in px, and its axes.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Fitted,
    pub(super) y: Fitted,
    /// The names of bars in lines, from top to bottom, in place of y's ticks; empty without bars.
    pub(super) names: Vec<Vec<String>>,
    /// The names of the places of x, in place of its ticks; absent of numbers.
    pub(super) below: Option<Below>,
    /// The looks that stand beside each other at a place, and how far from one to the next, in px.
    looks: Vec<usize>,
    between_looks: f64,
}

impl Frame {
    /// The frame of a figure below its legend.
    pub(super) fn of(figure: &Figure, style: &Style, legend: &Legend) -> Self {
        let size = style.font_size;
        let (xs, ys) = extents(figure);
        let top = legend.height + size * 0.7;
        let height = (style.height - top - size * BELOW).max(size * LEAST_HEIGHT);
        let bars = categories(figure);
        let lines = crate::number::place((height / bars.len().max(1) as f64 / size / LINE).floor());
        let names = beside(bars, style.width * NAMES / size, lines.min(LINES));
        let fit_y = |height: f64| figure.y.fit(ys.0, ys.1, most_ticks(height, size * 2.4));
        let y = fit_y(height);
        let labels: Vec<&str> = if names.is_empty() {
            y.ticks.iter().map(|(_, text)| text.as_str()).collect()
        } else {
            names.iter().flatten().map(String::as_str).collect()
        };
        let widest = labels.iter().map(|label| text::width(label)).fold(1.0, f64::max) * size;
        let left = widest + size * if names.is_empty() { 2.2 } else { 1.0 };
        let width = (style.width - left - size * 1.4).max(size * 4.0);
        let x = fit_x(&figure.x, xs, width, size);
        let below = below(figure, style, left, width);
        let height = (height - below.as_ref().map_or(0.0, |below| below.extra)).max(size * LEAST_HEIGHT);
        let y = if below.is_some() { fit_y(height) } else { y };
        let looks = looks(figure);
        let room = 0.6 * width / (figure.x.names.len().max(1) * looks.len().max(1)) as f64;
        let between_looks = if below.is_some() { room.min(size) } else { room.min(size * 0.45) };
        Self { left, top, width, height, x, y, names, below, looks, between_looks }
    }

    /// Whether the places of x have names.
    pub(super) fn is_over_names(&self) -> bool {
        self.below.is_some()
    }

    /// Whether what is drawn has whiskers.
    pub(super) fn has_whiskers(&self) -> bool {
        !self.looks.is_empty()
    }

    /// By how much what has this look stands beside its place, in px, so that no whiskers hide others.
    pub(super) fn beside(&self, look: usize) -> f64 {
        let Some(place) = self.looks.iter().position(|other| *other == look) else { return 0.0 };
        (place as f64 - (self.looks.len() as f64 - 1.0) / 2.0) * self.between_looks
    }

    /// The place of a value of x, in px.
    pub(super) fn at_x(&self, value: f64) -> f64 {
        self.left + self.x.place(value) * self.width
    }

    /// The place of a value of y, in px.
    pub(super) fn at_y(&self, value: f64) -> f64 {
        self.top + (1.0 - self.y.place(value)) * self.height
    }

    /// Where the plot ends on the right.
    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Where it ends below.
    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// The axis of x with as many ticks as there is room for: how wide they are is known only when they are made.
fn fit_x(axis: &Axis, (low, high): (f64, f64), width: f64, size: f64) -> Fitted {
    let mut most = most_ticks(width, size * 4.5);
    loop {
        let fitted = axis.fit(low, high, most);
        let widest = fitted.ticks.iter().map(|(_, label)| text::width(label)).fold(0.0, f64::max) * size;
        let places: Vec<f64> = fitted.ticks.iter().map(|(at, _)| fitted.place(*at) * width).collect();
        let crowded = places.windows(2).any(|two| two[1] - two[0] < widest + size * 0.6);
        if !crowded || most <= 1 {
            return fitted;
        }
        most -= 1;
    }
}

fn most_ticks(room: f64, each: f64) -> usize {
    crate::number::place((room / each).floor()).clamp(1, 12)
}

/// From the least to the greatest value of x and of y, with what is shaded and marked.
fn extents(figure: &Figure) -> ((f64, f64), (f64, f64)) {
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for layer in &figure.layers {
        let (x, y) = layer.values();
        xs.extend(x);
        ys.extend(y);
    }
    ys.extend(figure.limits.iter().map(|limit| limit.at));
    xs.extend(figure.marks.iter().map(|mark| mark.at));
    (extent(&xs, &figure.x), extent(&ys, &figure.y))
}

fn extent(values: &[f64], axis: &Axis) -> (f64, f64) {
    let shown = |value: &&f64| value.is_finite() && (axis.scale == Scale::Linear || **value > 0.0);
    let shown = values.iter().filter(shown).copied();
    let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)));
    if low > high { (0.0, 0.0) } else { (low, high) }
}

/// The names of bars.
pub(super) fn categories(figure: &Figure) -> &[String] {
    let bars = figure.layers.iter().find_map(|layer| if let Layer::Bars(bars) = layer { Some(bars) } else { None });
    bars.map_or(&[], |bars| &bars.categories)
}

/// The looks of what has whiskers, each once.
fn looks(figure: &Figure) -> Vec<usize> {
    let of = |layer: &Layer| if let Layer::Whiskers(whiskers) = layer { Some(whiskers.look) } else { None };
    let looks: BTreeSet<usize> = figure.layers.iter().filter_map(of).collect();
    if looks.is_empty() && figure.x.names.is_empty() {
        return Vec::new();
    }
    figure.layers.iter().flat_map(Layer::names).map(|(_, look)| look).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The names of the places of x.
fn below(figure: &Figure, style: &Style, left: f64, width: f64) -> Option<Below> {
    let names = &figure.x.names;
    let each = width / names.len().max(1) as f64;
    (!names.is_empty()).then(|| Below::of(names, each, left + each / 2.0, style.font_size, style.height))
}

impl Style {
    /// The style with the height that a figure needs for its names: those of bars need a row of all of their lines, those below an axis
    /// leave the plot its height.
    pub(super) fn for_figure(&self, figure: &Figure) -> Self {
        if !self.may_grow {
            return *self;
        }
        let legend = Legend::of(figure, self);
        let size = self.font_size;
        let bars = beside(categories(figure), self.width * NAMES / size, LINES);
        let rows = bars.iter().map(Vec::len).max().unwrap_or(0) as f64 * LINE + 0.4;
        let plot = (rows * bars.len() as f64).max(GROWN);
        let least = legend.height + size * (0.7 + BELOW + plot);
        let below = Frame::of(figure, self, &legend).below.map_or(0.0, |below| below.extra);
        Self { height: self.height.max(least) + below, may_grow: false, ..*self }
    }
}
