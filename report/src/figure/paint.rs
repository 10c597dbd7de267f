//! Draws the layers of a figure.

use std::fmt::Write as _;

use super::{
    frame::Frame,
    layer::{Bars, Curve, Heat, Layer, Points, Whiskers},
    shapes,
    style::{Style, VIRIDIS},
    text::number,
};

/// Markers on a curve, at most.
const MARKERS: usize = 7;

/// Draws a layer.
pub(super) fn draw_layer(svg: &mut String, layer: &Layer, frame: &Frame, style: &Style) {
    match layer {
        Layer::Line(curve) => draw_curve(svg, curve, frame, style, false),
        Layer::Step(curve) => draw_curve(svg, curve, frame, style, true),
        Layer::Whiskers(whiskers) => draw_whiskers(svg, whiskers, frame, style),
        Layer::Scatter(points) => draw_points(svg, points, frame, style),
        Layer::Bars(bars) => draw_bars(svg, bars, frame, style),
        Layer::Heat(heat) => draw_heat(svg, heat, frame),
    }
}

fn draw_curve(svg: &mut String, curve: &Curve, frame: &Frame, style: &Style, is_step: bool) {
    let (mut path, mut pen_down, mut places) = (String::new(), false, Vec::new());
    for (x, y) in &curve.points {
        let Some(y) = y else {
            pen_down = false;
            continue;
        };
        let place = (frame.at_x(*x) + frame.beside(curve.look), frame.at_y(*y));
        let (x, y) = (number(place.0), number(place.1));
        let _written = match (pen_down, is_step) {
            (false, _) => write!(path, "M{x} {y}"),
            (true, true) => write!(path, "H{x}V{y}"),
            (true, false) => write!(path, "L{x} {y}"),
        };
        pen_down = true;
        places.push(place);
    }
    // Nothing lies between two names.
    if !frame.is_over_names() {
        shapes::line(svg, style, curve.look, &path);
    }
    // Each whisker has its marker.
    let all = frame.is_over_names() || frame.has_whiskers();
    let marked = if all { places } else { apart(&places, frame, curve.look) };
    shapes::markers(svg, style, curve.look, &marked);
}

/// Some of the places of a curve, far enough from each other, and not where another curve has them.
fn apart(places: &[(f64, f64)], frame: &Frame, look: usize) -> Vec<(f64, f64)> {
    if places.len() <= MARKERS {
        return places.to_vec();
    }
    let step = frame.width / MARKERS as f64;
    let mut next = frame.left + step * (0.5 + 0.17 * (look % 6) as f64);
    let mut kept = Vec::new();
    for place in places {
        if place.0 >= next {
            kept.push(*place);
            next = place.0 + step;
        }
    }
    kept
}

fn draw_whiskers(svg: &mut String, whiskers: &Whiskers, frame: &Frame, style: &Style) {
    let half = style.font_size * 0.3;
    let mut path = String::new();
    for (x, low, high) in &whiskers.points {
        let x = frame.at_x(*x) + frame.beside(whiskers.look);
        let (low, high, wide) = (number(frame.at_y(*low)), number(frame.at_y(*high)), number(half * 2.0));
        let (left, middle) = (number(x - half), number(x));
        let _written = write!(path, "M{left} {low}h{wide}M{left} {high}h{wide}M{middle} {low}V{high}");
    }
    shapes::whiskers(svg, style, whiskers.look, &path);
}

fn draw_points(svg: &mut String, points: &Points, frame: &Frame, style: &Style) {
    let places: Vec<_> = points.points.iter().map(|(x, y, _)| (frame.at_x(*x), frame.at_y(*y))).collect();
    shapes::markers(svg, style, points.look, &places);
}

fn draw_bars(svg: &mut String, bars: &Bars, frame: &Frame, style: &Style) {
    let room = frame.height / bars.categories.len().max(1) as f64;
    let parts = if bars.is_stacked { 1.0 } else { bars.segments.len().max(1) as f64 };
    let thick = (room * 0.76 / parts).min(style.font_size * 2.2);
    for category in 0..bars.categories.len() {
        let middle = frame.top + room * (category as f64 + 0.5);
        let (mut sum, mut y) = (0.0, middle - thick * parts / 2.0);
        for (look, segment) in bars.segments.iter().enumerate() {
            let value = segment.values.get(category).copied().flatten();
            if let Some(value) = value {
                let (from, to) = (frame.at_x(sum), frame.at_x(sum + value));
                shapes::area(svg, style, look, (from, y), ((to - from).max(0.5), thick));
            }
            if bars.is_stacked {
                sum += value.unwrap_or_default();
            } else {
                y += thick;
            }
        }
    }
}

fn draw_heat(svg: &mut String, heat: &Heat, frame: &Frame) {
    let most = heat.counts.iter().copied().max().unwrap_or_default().max(2) as f64;
    let rows = heat.y.len().saturating_sub(1).max(1);
    let mut paths = vec![String::new(); VIRIDIS.len()];
    for (column, counts) in heat.counts.chunks(rows).enumerate() {
        let (Some(left), Some(right)) = (heat.x.get(column), heat.x.get(column + 1)) else { continue };
        let (left, right) = (frame.at_x(*left), frame.at_x(*right));
        for (row, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (Some(low), Some(high)) = (heat.y.get(row), heat.y.get(row + 1)) else { continue };
            let (low, high) = (frame.at_y(*low), frame.at_y(*high));
            let level = (*count as f64).ln() / most.ln() * (VIRIDIS.len() - 1) as f64;
            let (x, y, width, height) = (number(left), number(high), number(right - left), number(low - high));
            if let Some(path) = paths.get_mut(crate::number::place(level)) {
                let _written = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
            }
        }
    }
    for (path, colour) in paths.iter().zip(VIRIDIS).filter(|(path, _)| !path.is_empty()) {
        let _written = write!(svg, "<path fill=\"{colour}\" d=\"{path}\"/>");
    }
}
