//! Where in a figure the plot is, and where in the plot values are.

use super::{
    axis::{Axis, Fitted, Scale},
    layer::Layer,
    legend::Legend,
    parts::Figure,
    style::Style,
    text,
};

/// Most of the width that names of bars take.
const NAMES: f64 = 0.42;

/// The plot: its place in px, and its axes.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Fitted,
    pub(super) y: Fitted,
    /// The names of bars, from top to bottom, in place of y's ticks; empty without bars.
    pub(super) names: Vec<String>,
}

impl Frame {
    /// The frame of a figure below its legend.
    pub(super) fn of(figure: &Figure, style: &Style, legend: &Legend) -> Self {
        let size = style.font_size;
        let (xs, ys) = extents(figure);
        let names = names(figure, style);
        let top = legend.height + size * 0.7;
        let bottom = size * 3.1;
        let height = (style.height - top - bottom).max(size * 2.0);
        let y = figure.y.fit(ys.0, ys.1, most_ticks(height, size * 2.4));
        let labels = if names.is_empty() {
            y.ticks.iter().map(|(_, text)| text.as_str()).collect()
        } else {
            names.iter().map(String::as_str).collect::<Vec<_>>()
        };
        let widest = labels.iter().map(|label| text::width(label)).fold(1.0, f64::max) * size;
        let left = widest + size * if names.is_empty() { 2.2 } else { 1.0 };
        let right = size * 1.4;
        let width = (style.width - left - right).max(size * 4.0);
        let x = fit_x(&figure.x, xs, width, size);
        Self { left, top, width, height, x, y, names }
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

fn names(figure: &Figure, style: &Style) -> Vec<String> {
    let bars = figure.layers.iter().find_map(|layer| if let Layer::Bars(bars) = layer { Some(bars) } else { None });
    let room = style.width * NAMES / style.font_size;
    bars.iter().flat_map(|bars| &bars.categories).map(|name| text::cut(&text::visible(name), room)).collect()
}
