//! Where values of an axis lie in a figure, and the effect of each axis.

use loader_proto::json::parse_duration;

use crate::{
    figure::{Axis, Curve, Facts, Figure, Layer, Mark, Quantity, Scale, Whiskers},
    study::{AxisEffect, Results, Study, distinct},
};

/// Where the values of an axis lie.
pub(super) struct Places {
    /// The axis of the figure.
    pub(super) x: Axis,
    places: Vec<(String, f64)>,
}

impl Places {
    /// The places of the values of an axis: durations and numbers where they are, anything else by its name.
    pub(super) fn of(study: &Study, axis: usize) -> Self {
        let values = distinct(study, axis);
        let field = study.axes.get(axis).map_or("", String::as_str);
        let all =
            |read: &dyn Fn(&str) -> Option<f64>| values.iter().map(|value| read(value)).collect::<Option<Vec<_>>>();
        let durations = all(&|text| parse_duration(text).ok().map(|it| it.seconds as f64 + f64::from(it.nanos) / 1e9));
        let numbers = all(&|text| text.parse().ok().filter(|number: &f64| number.is_finite()));
        let (x, places) = match (numbers, durations) {
            (Some(numbers), _) => (of_numbers(field, Quantity::Number, &numbers), numbers),
            (None, Some(durations)) => (of_numbers(field, Quantity::Seconds, &durations), durations),
            (None, None) => {
                let names = values.iter().map(|value| (*value).clone()).collect();
                (Axis::of_names(field, names), (1..=values.len()).map(|number| number as f64).collect())
            }
        };
        Self { x, places: values.into_iter().cloned().zip(places).collect() }
    }

    /// What a figure says of the intervals of its layers.
    pub(super) fn intervals(layers: &[Layer]) -> &'static str {
        let has_some = layers.iter().any(|layer| matches!(layer, Layer::Whiskers(_)));
        if has_some { ", with their intervals" } else { "; too few runs for intervals" }
    }

    /// The place of a value.
    pub(super) fn at(&self, value: &str) -> Option<f64> {
        self.places.iter().find(|(known, _)| known == value).map(|(_, at)| *at)
    }

    /// A figure over this axis.
    pub(super) fn figure(&self, name: &str, title: &str, y: Axis) -> Figure {
        Figure::new(name, title, self.x.clone(), y)
    }
}

/// An axis from zero over all values, also over those that a figure has nothing at, so that all figures of a study have the same; with
/// some room beside the outer ones.
fn of_numbers(field: &str, quantity: Quantity, values: &[f64]) -> Axis {
    const ROOM: f64 = 0.04;
    let (least, most) = values.iter().fold((0.0_f64, 0.0_f64), |(least, most), at| (least.min(*at), most.max(*at)));
    let room = ROOM * if most > least { most - least } else { 1.0 };
    let begin = if values.iter().any(|at| *at < room) { least - room } else { 0.0 };
    Axis::new(field, quantity, Scale::Linear).ranging(Some(begin), Some(most + room))
}

/// Of each of these axes a figure: what its values do to each of the figures that are compared.
pub(super) fn effects(study: &Study, results: &Results, axes: &[usize]) -> Vec<Figure> {
    axes.iter().filter_map(|axis| effect(study, results, *axis)).collect()
}

fn effect(study: &Study, results: &Results, axis: usize) -> Option<Figure> {
    let of_axis: Vec<&AxisEffect> = results.axes.iter().filter(|it| it.axis == axis).collect();
    let reference = &of_axis.first()?.reference;
    let places = Places::of(study, axis);
    let field = study.axes.get(axis)?;
    let y = Axis::new("ratio", Quantity::Number, Scale::Linear).ranging(None, None);
    let mut figure = places.figure(&format!("effect-{axis}"), &format!("Effect of {field}, against {reference}"), y);
    for (look, indicator) in study.compared_figures().into_iter().enumerate() {
        let found: Vec<_> = of_axis.iter().filter(|it| it.indicator == indicator).collect();
        let itself = places.at(reference).map(|at| (at, 1.0, None)).filter(|_| !found.is_empty());
        let values = found
            .iter()
            .filter_map(|it| Some((places.at(&it.value)?, it.ratio, it.interval.map(|it| (it.low, it.high)))));
        let mut values: Vec<_> = values.chain(itself).collect();
        values.sort_by(|one, other| one.0.total_cmp(&other.0));
        let whiskers = values.iter().filter_map(|(at, _, bounds)| bounds.map(|(low, high)| (*at, low, high)));
        let name = indicator.name.clone();
        figure.layers.push(Layer::Whiskers(Whiskers {
            name: format!("{name}, 95 %"),
            look,
            points: whiskers.collect(),
        }));
        figure.layers.push(Layer::Line(Curve::new(
            &name,
            look,
            values.iter().map(|(at, ratio, _)| (*at, Some(*ratio))),
        )));
    }
    figure.layers.retain(|layer| !layer.is_empty());
    figure.limits.push(Mark { at: 1.0, label: "no effect".to_owned() });
    figure.finding = format!("Ratios of medians to {field}={reference}{}.", Places::intervals(&figure.layers));
    let pairs = of_axis.iter().map(|it| it.pairs).max().unwrap_or_default();
    figure.facts = Facts::new(
        format!("{pairs} {} of cells that differ in this alone", if pairs == 1 { "pair" } else { "pairs" }),
        "",
        "geometric mean of ratios of medians; bootstrap",
    );
    (!figure.is_empty()).then_some(figure)
}
