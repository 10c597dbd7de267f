//! Draws a figure as SVG.
//!
//! Text stays text. Colours are attributes, so that the SVG is whole on its own, and classes, so that the style of a page may replace
//! them; text and axes have the colour of the text around them.

use std::fmt::Write as _;

use super::{
    axis::{Axis, Scale},
    frame::{Frame, categories},
    layer::Layer,
    legend::Legend,
    names::{Below, DEGREES, LINE},
    paint::draw_layer,
    parts::Figure,
    style::{DARK, Style},
    text::{self, escaped, number, visible},
};

/// Labels of marks that are shown; more would lie over each other.
const LABELS: usize = 4;

/// The figure as SVG.
pub fn svg(figure: &Figure, style: &Style) -> String {
    let style = &style.for_figure(figure);
    let size = format!(" width=\"{}\" height=\"{}\"", number(style.width), number(style.height));
    drawn(figure, style, if style.is_alone { &size } else { "" })
}

/// The same with these attributes of its root, such as its size.
pub(super) fn drawn(figure: &Figure, style: &Style, attributes: &str) -> String {
    let figure = figure.thinned();
    let legend = Legend::of(&figure, style);
    let frame = Frame::of(&figure, style, &legend);
    let mut svg = open(&figure, style, &frame, attributes);
    shades(&mut svg, &figure, &frame, style);
    grid(&mut svg, &frame);
    for (number, layer) in figure.layers.iter().enumerate() {
        let name = called(&figure, layer).map(|name| escaped(&visible(name)));
        let named = name.map_or(String::new(), |name| format!(" data-name=\"{name}\""));
        let _written = write!(svg, "<g data-layer=\"{number}\"{named}>");
        draw_layer(&mut svg, layer, &frame, style);
        svg.push_str("</g>");
    }
    marks(&mut svg, &figure, &frame, style);
    axes(&mut svg, &figure, &frame, style);
    legend.draw(&mut svg, style);
    svg.push_str("</svg>\n");
    svg
}

/// What a layer is called, by which a page shows and hides it: whiskers by what they are intervals of.
fn called<'f>(figure: &'f Figure, layer: &'f Layer) -> Option<&'f str> {
    match layer {
        Layer::Line(curve) | Layer::Step(curve) => Some(&curve.name),
        Layer::Scatter(points) => Some(&points.name),
        Layer::Whiskers(whiskers) => {
            let curve = |other: &'f Layer| if let Layer::Line(curve) = other { Some(curve) } else { None };
            let of = figure.layers.iter().filter_map(curve).find(|curve| curve.look == whiskers.look);
            Some(of.map_or(&whiskers.name, |curve| &curve.name))
        }
        Layer::Bars(_) | Layer::Heat(_) => None,
    }
}

fn open(figure: &Figure, style: &Style, frame: &Frame, attributes: &str) -> String {
    let (width, height) = (number(style.width), number(style.height));
    let name = &figure.name;
    let scale = |axis: &Axis, begin: f64, end: f64| {
        let scale = if axis.scale == Scale::Log { "log" } else { "linear" };
        format!("{scale} {begin} {end} {:?}", axis.quantity)
    };
    let pointer = match figure.layers.first() {
        _ if !figure.x.names.is_empty() => "",
        Some(Layer::Line(_) | Layer::Step(_)) => " data-pointer=\"x\"",
        Some(Layer::Scatter(_)) => " data-pointer=\"point\"",
        Some(Layer::Whiskers(_) | Layer::Bars(_) | Layer::Heat(_)) | None => "",
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"{name}-t {name}-d\" \
         viewBox=\"0 0 {width} {height}\"{attributes} font-family=\"system-ui, 'Liberation Sans', 'DejaVu Sans', Arial, sans-serif\" \
         font-size=\"{}\" fill=\"currentColor\" data-plot=\"{} {} {} {}\" data-x=\"{}\" data-y=\"{}\"{pointer}>",
        number(style.font_size),
        number(frame.left),
        number(frame.top),
        number(frame.width),
        number(frame.height),
        scale(&figure.x, frame.x.begin, frame.x.end),
        scale(&figure.y, frame.y.begin, frame.y.end),
    );
    let (title, finding) = (escaped(&visible(&figure.title)), escaped(&figure.finding));
    let _written = write!(svg, "<title id=\"{name}-t\">{title}</title><desc id=\"{name}-d\">{finding}</desc>");
    if style.is_alone && !style.is_bw {
        svg.push_str(&dark());
    }
    svg
}

/// The colours of a figure that stands alone, on a dark ground.
pub(super) fn dark() -> String {
    let rules =
        DARK.iter().enumerate().map(|(look, colour)| format!(".c{look}{{stroke:{colour}}}.d{look}{{fill:{colour}}}"));
    let rules: String = rules.collect();
    format!(
        "<style>@media (prefers-color-scheme:dark){{svg{{color:#e8e8e8}}{rules}}}@media print{{svg{{color:#000}}}}</style>"
    )
}

fn shades(svg: &mut String, figure: &Figure, frame: &Frame, style: &Style) {
    for shade in &figure.shades {
        let (from, to) = (frame.at_x(shade.from), frame.at_x(shade.to));
        if to - from < 0.5 {
            continue;
        }
        let (x, y, width, height) = (number(from), number(frame.top), number(to - from), number(frame.height));
        let label = escaped(&visible(&shade.label));
        let _written = write!(
            svg,
            "<g class=\"shade\"><title>{label}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             fill=\"currentColor\" fill-opacity=\"0.07\"/>"
        );
        if text::width(&shade.label) * style.font_size * 0.85 < to - from {
            let _written = write!(
                svg,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill-opacity=\"0.75\">{label}</text>",
                number(from + 3.0),
                number(frame.top + style.font_size),
                number(style.font_size * 0.85),
            );
        }
        svg.push_str("</g>");
    }
}

fn grid(svg: &mut String, frame: &Frame) {
    let mut path = String::new();
    let is_shown =
        |place: usize| frame.below.as_ref().is_none_or(|below| below.shown.iter().any(|(it, _)| *it == place));
    for (_, (at, _)) in frame.x.ticks.iter().enumerate().filter(|(place, _)| is_shown(*place)) {
        let _written = write!(path, "M{} {}v{}", number(frame.at_x(*at)), number(frame.top), number(frame.height));
    }
    for (at, _) in frame.y.ticks.iter().filter(|_| frame.names.is_empty()) {
        let _written = write!(path, "M{} {}h{}", number(frame.left), number(frame.at_y(*at)), number(frame.width));
    }
    let _written = write!(
        svg,
        "<path stroke=\"currentColor\" stroke-opacity=\"0.13\" stroke-width=\"1\" fill=\"none\" d=\"{path}\"/>"
    );
}

fn marks(svg: &mut String, figure: &Figure, frame: &Frame, style: &Style) {
    let small = style.font_size * 0.85;
    let opacity = if figure.marks.len() <= LABELS { "0.6" } else { "0.35" };
    for (number_of, mark) in figure.marks.iter().enumerate() {
        let (x, label) = (frame.at_x(mark.at), escaped(&visible(&mark.label)));
        let _written = write!(
            svg,
            "<g class=\"mark\"><title>{label}</title><path stroke=\"currentColor\" stroke-opacity=\"{opacity}\" \
             stroke-dasharray=\"2 3\" fill=\"none\" d=\"M{} {}v{}\"/>",
            number(x),
            number(frame.top),
            number(frame.height)
        );
        if figure.marks.len() <= LABELS {
            let is_left = x > frame.left + frame.width * 0.7;
            let (at, anchor) = if is_left { (x - 3.0, "end") } else { (x + 3.0, "start") };
            let y = frame.top + small * (2.3 + 1.2 * number_of as f64);
            let _written = write!(
                svg,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{anchor}\">{label}</text>",
                number(at),
                number(y),
                number(small)
            );
        }
        svg.push_str("</g>");
    }
    for limit in &figure.limits {
        let (y, label) = (frame.at_y(limit.at), escaped(&visible(&limit.label)));
        let above = if y - small < frame.top { y + small } else { y - 3.0 };
        let _written = write!(
            svg,
            "<g class=\"limit\"><path class=\"c1\" stroke=\"#D55E00\" stroke-width=\"1.2\" stroke-dasharray=\"7 4\" \
             fill=\"none\" d=\"M{} {}h{}\"/><text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"end\">{label}</text></g>",
            number(frame.left),
            number(y),
            number(frame.width),
            number(frame.right() - 3.0),
            number(above),
            number(small)
        );
    }
}

fn axes(svg: &mut String, figure: &Figure, frame: &Frame, style: &Style) {
    let (left, bottom) = (number(frame.left), number(frame.bottom()));
    let _written = write!(
        svg,
        "<path class=\"axis\" stroke=\"currentColor\" stroke-width=\"1\" fill=\"none\" d=\"M{left} {}V{bottom}H{}\"/>",
        number(frame.top),
        number(frame.right())
    );
    axis_of_x(svg, figure, frame, style);
    axis_of_y(svg, figure, frame, style);
}

fn axis_of_x(svg: &mut String, figure: &Figure, frame: &Frame, style: &Style) {
    let size = style.font_size;
    svg.push_str("<g text-anchor=\"middle\">");
    for (at, label) in frame.x.ticks.iter().filter(|_| frame.below.is_none()) {
        // The last one must not reach beyond the figure.
        let half = text::width(label) * size / 2.0;
        let (x, y) = (frame.at_x(*at).min(style.width - half), frame.bottom() + size * 1.25);
        let _written = write!(svg, "<text x=\"{}\" y=\"{}\">{label}</text>", number(x), number(y));
    }
    let extra = frame.below.as_ref().map_or(0.0, |below| below.extra);
    let (title, x) = titled(&figure.x, &frame.x.unit, frame.left + frame.width / 2.0, style.width / size, size);
    let (x, y) = (number(x), number(frame.bottom() + size * 2.6 + extra));
    let _written = write!(svg, "<text x=\"{x}\" y=\"{y}\">{title}</text></g>");
    if let Some(below) = &frame.below {
        names_below(svg, figure, frame, below);
    }
}

fn names_below(svg: &mut String, figure: &Figure, frame: &Frame, below: &Below) {
    for (place, lines) in &below.shown {
        let x = frame.at_x(*place as f64 + 1.0);
        let whole = figure.x.names.get(*place).map_or("", String::as_str);
        if below.is_turned {
            let (x, y) = (number(x + below.size * 0.3), number(frame.bottom() + below.size));
            let turned = format!("text-anchor=\"end\" transform=\"translate({x} {y}) rotate(-{DEGREES})\"");
            named(svg, whole, lines, |_| turned.clone());
        } else {
            named(svg, whole, lines, |line| {
                let y = frame.bottom() + below.size * (1.25 + LINE * line as f64);
                format!("text-anchor=\"middle\" x=\"{}\" y=\"{}\"", number(x), number(y))
            });
        }
    }
}

/// The lines of a name, each with these attributes; one that is cut says the whole name where it is pointed at.
fn named(svg: &mut String, whole: &str, lines: &[String], attributes: impl Fn(usize) -> String) {
    let is_cut = lines.iter().any(|line| line.contains('…'));
    if is_cut {
        let _written = write!(svg, "<g><title>{}</title>", escaped(&visible(whole)));
    }
    for (number, line) in lines.iter().enumerate() {
        let _written = write!(svg, "<text {}>{}</text>", attributes(number), escaped(line));
    }
    if is_cut {
        svg.push_str("</g>");
    }
}

fn axis_of_y(svg: &mut String, figure: &Figure, frame: &Frame, style: &Style) {
    let size = style.font_size;
    svg.push_str("<g text-anchor=\"end\">");
    let edge = number(frame.left - size * 0.4);
    let room = frame.height / frame.names.len().max(1) as f64;
    for ((place, lines), whole) in frame.names.iter().enumerate().zip(categories(figure)) {
        let middle = frame.top + room * (place as f64 + 0.5) + size * 0.35;
        let first = middle - LINE * size * (lines.len().max(1) - 1) as f64 / 2.0;
        named(svg, whole, lines, |line| format!("x=\"{edge}\" y=\"{}\"", number(first + LINE * size * line as f64)));
    }
    for (at, label) in frame.y.ticks.iter().filter(|_| frame.names.is_empty()) {
        let y = number(frame.at_y(*at) + size * 0.35);
        let _written = write!(svg, "<text x=\"{edge}\" y=\"{y}\">{label}</text>");
    }
    svg.push_str("</g>");
    if frame.names.is_empty() {
        let (title, y) = titled(&figure.y, &frame.y.unit, frame.top + frame.height / 2.0, style.height / size, size);
        let (x, y) = (number(size), number(y));
        let _written =
            write!(svg, "<text text-anchor=\"middle\" transform=\"translate({x} {y}) rotate(-90)\">{title}</text>");
    }
}

/// The title of an axis with its unit, and where its middle is: beside the middle of the axis, where it would reach beyond the figure.
/// `room`: what the figure has along the axis, in sizes of the text.
fn titled(axis: &Axis, unit: &str, middle: f64, room: f64, size: f64) -> (String, f64) {
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    let label = text::cut(&axis.label, (room - text::width(&unit)).max(1.0));
    let title = label + &unit;
    let half = text::width(&title).min(room) / 2.0;
    (escaped(&title), middle.clamp(half * size, (room - half) * size))
}
