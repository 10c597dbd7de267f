//! How figures look: sizes, colours, dashes, markers.

/// The look of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Width in px, of which 96 are an inch.
    pub width: f64,
    /// Height in px.
    pub height: f64,
    /// Size of the text in px.
    pub font_size: f64,
    /// Width of lines in px.
    pub line: f64,
    /// Without colours: lines are told apart by dashes and markers.
    pub is_bw: bool,
    /// The SVG stands alone, with its own size; else it is part of a page, and fills what it is given.
    pub is_alone: bool,
    /// Whether a figure may be higher, where its names need the room.
    pub may_grow: bool,
}

impl Style {
    /// A figure of a page.
    pub const PAGE: Self =
        Self { width: 560.0, height: 270.0, font_size: 12.0, line: 1.6, is_bw: false, is_alone: false, may_grow: true };

    /// A figure of a paper: as wide as that many inches, with text of that many points.
    pub fn paper(inches: f64, height: f64, points: f64, is_bw: bool) -> Self {
        let font_size = points * 96.0 / 72.0;
        let (width, height, line) = (inches * 96.0, height * 96.0, 1.25 * 96.0 / 72.0);
        Self { width, height, font_size, line, is_bw, is_alone: true, may_grow: false }
    }

    /// The same, where a figure may be higher if its names need the room.
    #[must_use]
    pub fn growing(self) -> Self {
        Self { may_grow: true, ..self }
    }
}

/// Colours of Okabe and Ito, those first that stand out from white; the yellow is a darker one.
pub const COLOURS: [&str; 8] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#F5C710"];

/// The same on a dark ground.
pub const DARK: [&str; 8] = ["#56B4E9", "#F08A4B", "#2FC79A", "#E3A3C6", "#E69F00", "#9AD1F5", "#BBBBBB", "#F0E442"];

/// Greys without colours.
const GREYS: [&str; 8] = ["#000000", "#555555", "#000000", "#777777", "#333333", "#777777", "#000000", "#555555"];

/// Dashes, in widths of the line; empty for a solid one.
const DASHES: [&[f64]; 8] =
    [&[], &[5.0, 2.0], &[1.5, 1.5], &[6.0, 2.0, 1.5, 2.0], &[9.0, 2.5], &[3.0, 1.5], &[], &[5.0, 2.0]];

/// From few to many: viridis in eight steps.
pub(super) const VIRIDIS: [&str; 8] =
    ["#440154", "#46327E", "#365C8D", "#277F8E", "#1FA187", "#4AC16D", "#A0DA39", "#FDE725"];

/// The shape of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    Plus,
}

/// Markers in the order of series.
const MARKERS: [Marker; 6] =
    [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::Cross, Marker::Plus];

impl Style {
    /// The colour of a series.
    pub(super) fn colour(&self, series: usize) -> &'static str {
        let colours = if self.is_bw { GREYS } else { COLOURS };
        colours[series % colours.len()]
    }

    /// The dashes of a series, in px, as SVG has them; empty for a solid line.
    pub(super) fn dashes(&self, series: usize) -> String {
        let dashes = DASHES[series % DASHES.len()].iter().map(|dash| super::text::number(dash * self.line));
        dashes.collect::<Vec<_>>().join(" ")
    }
}

/// The marker of a series.
pub(super) fn marker(series: usize) -> Marker {
    MARKERS[series % MARKERS.len()]
}
