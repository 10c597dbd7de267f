//! A figure as plain data.

use super::{axis::Axis, layer::Layer};

/// Most points of a curve that are drawn.
const DRAWN: usize = 400;

/// What a caption must say of the values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// How many values there are, and of what, such as `n = 1800 invocations`.
    pub count: String,
    /// Which they are, such as `succeeded, of the measured phase`.
    pub filter: String,
    /// Which kind of mean or percentile is shown; empty where there is none.
    pub kind: String,
}

impl Facts {
    /// The facts of one figure.
    pub fn new(count: impl Into<String>, filter: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { count: count.into(), filter: filter.into(), kind: kind.into() }
    }

    /// As a line of text.
    pub fn text(&self) -> String {
        let parts = [&self.count, &self.filter, &self.kind].into_iter().filter(|part| !part.is_empty());
        parts.map(String::as_str).collect::<Vec<_>>().join("; ")
    }
}

/// A stretch of x that is shaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Shade {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// What it is.
    pub label: String,
}

/// A value that is marked by a line across the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The value.
    pub at: f64,
    /// What it is.
    pub label: String,
}

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name among the figures of a report: lower case letters, digits and hyphens.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// What is to be seen, in a sentence.
    pub finding: String,
    /// What its caption must say.
    pub facts: Facts,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top. Bars have names there instead.
    pub y: Axis,
    /// What is drawn, the last one on top.
    pub layers: Vec<Layer>,
    /// Stretches of x behind everything.
    pub shades: Vec<Shade>,
    /// Values of x.
    pub marks: Vec<Mark>,
    /// Values of y.
    pub limits: Vec<Mark>,
}

impl Figure {
    /// A figure without layers.
    pub fn new(name: &str, title: &str, x: Axis, y: Axis) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            finding: String::new(),
            facts: Facts::default(),
            x,
            y,
            layers: Vec::new(),
            shades: Vec::new(),
            marks: Vec::new(),
            limits: Vec::new(),
        }
    }

    /// Whether there is nothing to be seen.
    pub fn is_empty(&self) -> bool {
        self.layers.iter().all(Layer::is_empty)
    }

    /// The same with as many points as can be told apart: of each stretch of a curve its least and its greatest value, so that no peak
    /// is lost.
    #[must_use]
    pub fn thinned(&self) -> Self {
        let mut figure = self.clone();
        figure.layers.iter_mut().for_each(|layer| layer.thin(DRAWN));
        figure
    }

    /// The same with names as they are shown, whatever they hold.
    #[must_use]
    pub fn presentable(mut self) -> Self {
        self.layers.iter_mut().for_each(Layer::make_presentable);
        self.finding = loader_proto::visible::visible(&self.finding).into_owned();
        self
    }
}
