//! The legend: what the layers of a figure are called, in rows above the plot.

use std::{collections::HashSet, fmt::Write as _};

use super::{
    layer::Layer,
    parts::Figure,
    shapes::{self, Look},
    style::{Style, VIRIDIS},
    text::{self, escaped, number, visible},
};

/// Longest name, in widths of the text's size.
const LONGEST: f64 = 26.0;

/// What is drawn beside a name, in widths of the text's size.
const SAMPLE: (f64, f64) = (4.2, 9.0);

/// The most that it takes of a figure's height.
const MOST_HEIGHT: f64 = 0.35;

/// The legend of a figure.
#[derive(Debug)]
pub(super) struct Legend {
    /// How much of the figure's height it takes, in px.
    pub(super) height: f64,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    /// Absent of what says how many have no entry.
    look: Option<Look>,
    x: f64,
    y: f64,
}

impl Legend {
    /// The legend; empty where there is one layer, which the title names.
    pub(super) fn of(figure: &Figure, style: &Style) -> Self {
        let size = style.font_size;
        let is_over_names = !figure.x.names.is_empty();
        // Whiskers have the look of what they are intervals of.
        let shown = figure.layers.iter().filter(|layer| !matches!(layer, Layer::Whiskers(_)));
        let named = shown.flat_map(|layer| {
            let look = match layer {
                Layer::Line(_) if is_over_names => Look::Point,
                Layer::Line(_) | Layer::Step(_) => Look::Line,
                Layer::Scatter(_) => Look::Point,
                Layer::Whiskers(_) | Layer::Bars(_) => Look::Area,
                Layer::Heat(_) => Look::Heat,
            };
            layer.names().into_iter().map(move |(name, number)| (name.to_owned(), look(number)))
        });
        let mut named: Vec<_> = named.filter(|(name, _)| !name.is_empty()).collect();
        let mut known = HashSet::new();
        named.retain(|entry| known.insert(entry.clone()));
        let is_needed = named.len() > 1 || named.iter().any(|(_, look)| matches!(look, Look::Heat(_)));
        let (mut entries, mut x, mut y) = (Vec::new(), size * 0.5, size);
        let count = named.len();
        for (name, look) in named.into_iter().filter(|_| is_needed) {
            let sample = if matches!(look, Look::Heat(_)) { SAMPLE.1 } else { SAMPLE.0 };
            let name = text::cut(&visible(&name), LONGEST.min(style.width / size - sample));
            let width = (text::width(&name) + sample) * size;
            if x + width > style.width && x > size {
                (x, y) = (size * 0.5, y + size * 1.5);
            }
            if y > MOST_HEIGHT * style.height && !entries.is_empty() {
                entries.push(Entry { name: format!("and {} more", count - entries.len()), look: None, x, y });
                break;
            }
            entries.push(Entry { name, look: Some(look), x, y });
            x += width;
        }
        let height = if entries.is_empty() { 0.0 } else { y + size * 0.5 };
        Self { height, entries }
    }

    /// Draws it.
    pub(super) fn draw(&self, svg: &mut String, style: &Style) {
        if self.entries.is_empty() {
            return;
        }
        svg.push_str("<g class=\"legend\">");
        for Entry { name, look, x, y } in &self.entries {
            let size = style.font_size;
            let (middle, wide) = (y - size * 0.35, size * 2.4);
            match look {
                None => {}
                Some(Look::Line(number)) => {
                    shapes::line(
                        svg,
                        style,
                        *number,
                        &format!("M{} {}h{}", text::number(*x), text::number(middle), text::number(wide)),
                    );
                    shapes::markers(svg, style, *number, &[(x + wide / 2.0, middle)]);
                }
                Some(Look::Point(number)) => shapes::markers(svg, style, *number, &[(x + wide / 2.0, middle)]),
                Some(Look::Area(number)) => {
                    shapes::area(svg, style, *number, (*x, y - size * 0.8), (wide, size * 0.85))
                }
                Some(Look::Heat(_)) => ramp(svg, style, *x, *y),
            }
            let right = match look {
                None => *x,
                Some(Look::Heat(_)) => x + size * 7.4,
                Some(Look::Line(_) | Look::Point(_) | Look::Area(_)) => x + wide + size * 0.5,
            };
            let _written = write!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", number(right), number(*y), escaped(name));
        }
        svg.push_str("</g>");
    }
}

/// The colours of heat, from few to many.
fn ramp(svg: &mut String, style: &Style, x: f64, y: f64) {
    let size = style.font_size;
    for (place, colour) in VIRIDIS.iter().enumerate() {
        let at = x + size * 0.85 * place as f64;
        let _written = write!(
            svg,
            "<path fill=\"{colour}\" d=\"M{} {}h{}v{}h-{}z\"/>",
            number(at),
            number(y - size * 0.8),
            number(size * 0.85),
            number(size * 0.85),
            number(size * 0.85)
        );
    }
}
