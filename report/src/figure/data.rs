//! The values of a figure as CSV.

use csv::Writer;

use super::{
    axis::Axis,
    layer::{Bars, Curve, Layer},
    parts::Figure,
};

/// The values as CSV, with a header: a column of x and one for each curve where all curves have the same x, else a row for each
/// value with the name of its curve.
pub fn csv(figure: &Figure) -> String {
    let curves: Vec<&Curve> = figure.layers.iter().filter_map(curve).collect();
    let xs = |curve: &Curve| curve.points.iter().map(|(x, _)| x.to_bits()).collect::<Vec<_>>();
    let first = curves.first().map(|curve| xs(curve));
    let is_wide = curves.len() == figure.layers.len() && curves.iter().all(|curve| Some(xs(curve)) == first);
    if is_wide { text(|writer| wide(writer, &figure.x, &curves)) } else { long_csv(figure) }
}

/// The values as CSV, with a header: a row for each value with the name of its curve.
pub(super) fn long_csv(figure: &Figure) -> String {
    text(|writer| long(writer, figure))
}

/// What is written, as text.
pub(super) fn text(write: impl FnOnce(&mut Writer<Vec<u8>>) -> csv::Result<()>) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    // A vector takes whatever is written to it.
    drop(write(&mut writer));
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn curve(layer: &Layer) -> Option<&Curve> {
    match layer {
        Layer::Line(curve) | Layer::Step(curve) => Some(curve),
        Layer::Whiskers(_) | Layer::Scatter(_) | Layer::Bars(_) | Layer::Heat(_) => None,
    }
}

fn wide(writer: &mut Writer<Vec<u8>>, axis: &Axis, curves: &[&Curve]) -> csv::Result<()> {
    writer.write_record(std::iter::once("x").chain(curves.iter().map(|curve| curve.name.as_str())))?;
    let points = curves.first().map_or(0, |curve| curve.points.len());
    for place in 0..points {
        let x = curves.first().and_then(|curve| curve.points.get(place)).map(|(x, _)| at(axis, *x));
        let ys = curves.iter().map(|curve| known(curve.points.get(place).and_then(|(_, y)| *y)));
        writer.write_record(x.into_iter().chain(ys))?;
    }
    Ok(())
}

fn long(writer: &mut Writer<Vec<u8>>, figure: &Figure) -> csv::Result<()> {
    writer.write_record(["series", "x", "y", "more"])?;
    for layer in &figure.layers {
        match layer {
            Layer::Line(curve) | Layer::Step(curve) => {
                for (x, y) in &curve.points {
                    writer.write_record([&curve.name, &at(&figure.x, *x), &known(*y), ""])?;
                }
            }
            Layer::Whiskers(whiskers) => {
                for (x, low, high) in &whiskers.points {
                    writer.write_record([&whiskers.name, &at(&figure.x, *x), &number(*low), &number(*high)])?;
                }
            }
            Layer::Scatter(points) => {
                for (x, y, name) in &points.points {
                    writer.write_record([&points.name, &at(&figure.x, *x), &number(*y), name])?;
                }
            }
            Layer::Bars(bars) => bars_of(writer, bars)?,
            Layer::Heat(heat) => {
                let rows = heat.y.len().saturating_sub(1).max(1);
                for (place, count) in heat.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    let edge =
                        |edges: &[f64], place: usize| edges.get(place).map_or(String::new(), |edge| number(*edge));
                    let (x, y) = (edge(&heat.x, place / rows), edge(&heat.y, place % rows));
                    writer.write_record([&heat.name, &x, &y, &count.to_string()])?;
                }
            }
        }
    }
    Ok(())
}

fn bars_of(writer: &mut Writer<Vec<u8>>, bars: &Bars) -> csv::Result<()> {
    for (place, category) in bars.categories.iter().enumerate() {
        for segment in &bars.segments {
            let value = known(segment.values.get(place).copied().flatten());
            writer.write_record([&segment.name, &value, "", category])?;
        }
    }
    Ok(())
}

/// A value of x: where places have names, the name.
fn at(axis: &Axis, x: f64) -> String {
    axis.name(x).cloned().unwrap_or_else(|| number(x))
}

fn known(value: Option<f64>) -> String {
    value.map_or(String::new(), number)
}

/// A number with six significant digits, or all digits of a whole one.
fn number(value: f64) -> String {
    if (value - value.round()).abs() < f64::EPSILON * value.abs() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let before = crate::number::place(value.abs().max(1e-12).log10().floor().max(-12.0) + 13.0);
    let decimals = 18_usize.saturating_sub(before);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
