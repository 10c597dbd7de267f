//! Lines, markers and areas of a series: in its colour, which a page's style may replace by the class, and without it.

use std::fmt::Write as _;

use super::{
    style::{Marker, Style, marker},
    text::number,
};

/// How a series looks in a legend; the number is that of its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Look {
    Line(usize),
    Point(usize),
    Area(usize),
    Heat(usize),
}

/// A line along a path.
pub(super) fn line(svg: &mut String, style: &Style, look: usize, path: &str) {
    let dashes = style.dashes(look);
    let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
    let _written = write!(
        svg,
        "<path class=\"c{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dashes} d=\"{path}\"/>",
        look % 8,
        style.colour(look),
        number(style.line),
    );
}

/// Whiskers along a path: thinner than a line, and never dashed.
pub(super) fn whiskers(svg: &mut String, style: &Style, look: usize, path: &str) {
    let _written = write!(
        svg,
        "<path class=\"c{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" d=\"{path}\"/>",
        look % 8,
        style.colour(look),
        number(style.line * 0.75),
    );
}

/// Markers at these places.
pub(super) fn markers(svg: &mut String, style: &Style, look: usize, places: &[(f64, f64)]) {
    if places.is_empty() {
        return;
    }
    let size = style.font_size * 0.26;
    let path: String = places.iter().map(|place| of_marker(marker(look), *place, size)).collect();
    let is_stroke = matches!(marker(look), Marker::Cross | Marker::Plus);
    let paint = if is_stroke {
        format!(
            "class=\"c{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"",
            look % 8,
            style.colour(look),
            number(style.line)
        )
    } else {
        format!("class=\"d{}\" fill=\"{}\"", look % 8, style.colour(look))
    };
    let _written = write!(svg, "<path {paint} d=\"{path}\"/>");
}

/// A filled path.
pub(super) fn filled(svg: &mut String, style: &Style, look: usize, opacity: &str, path: &str) {
    let _written = write!(
        svg,
        "<path class=\"d{}\" fill=\"{}\" fill-opacity=\"{opacity}\" d=\"{path}\"/>",
        look % 8,
        style.colour(look)
    );
}

/// A rectangle of a bar; without colours they are told apart by how dark they are.
pub(super) fn area(svg: &mut String, style: &Style, look: usize, (x, y): (f64, f64), (width, height): (f64, f64)) {
    const DARKNESS: [&str; 5] = ["1", "0.5", "0.2", "0.75", "0.35"];
    let path = format!("M{} {}h{}v{}h-{}z", number(x), number(y), number(width), number(height), number(width));
    let opacity = if style.is_bw { DARKNESS[look % DARKNESS.len()] } else { "0.85" };
    filled(svg, style, look, opacity, &path);
    if style.is_bw {
        let _written = write!(svg, "<path fill=\"none\" stroke=\"#000000\" stroke-width=\"0.5\" d=\"{path}\"/>");
    }
}

fn of_marker(marker: Marker, (x, y): (f64, f64), size: f64) -> String {
    let at = |dx: f64, dy: f64| format!("{} {}", number(x + dx * size), number(y + dy * size));
    let n = number;
    match marker {
        Marker::Circle => {
            // Rounded first: of a chord that is no diameter an arc is none of a circle.
            let radius = (size * 10.0).round() / 10.0;
            let (r, d) = (n(radius), n(radius * 2.0));
            format!("M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0z", n(x - radius), n(y))
        }
        Marker::Square => format!("M{}h{}v{}h-{}z", at(-0.9, -0.9), n(size * 1.8), n(size * 1.8), n(size * 1.8)),
        Marker::Triangle => format!("M{}L{}L{}z", at(0.0, -1.2), at(1.1, 0.9), at(-1.1, 0.9)),
        Marker::Diamond => format!("M{}L{}L{}L{}z", at(0.0, -1.3), at(1.3, 0.0), at(0.0, 1.3), at(-1.3, 0.0)),
        Marker::Cross => format!("M{}L{}M{}L{}", at(-1.0, -1.0), at(1.0, 1.0), at(-1.0, 1.0), at(1.0, -1.0)),
        Marker::Plus => format!("M{}L{}M{}L{}", at(-1.2, 0.0), at(1.2, 0.0), at(0.0, -1.2), at(0.0, 1.2)),
    }
}
