//! Where values of an axis lie in a figure, and the effect of each axis.

use loader_proto::json::parse_duration;

use crate::{
    figure::{Axis, Band, Curve, Facts, Figure, Layer, Mark, Quantity, Scale},
    study::{AxisEffect, Results, Study, distinct},
};

/// Where the values of an axis lie.
pub(super) struct Places {
    /// The axis of the figure.
    pub(super) x: Axis,
    /// The values that have no place of their own, with their names.
    pub(super) marks: Vec<Mark>,
    places: Vec<(String, f64)>,
}

impl Places {
    /// The places of the values of an axis: durations and numbers where they are, anything else one after the other.
    pub(super) fn of(study: &Study, axis: usize) -> Self {
        let values = distinct(study, axis);
        let field = study.axes.get(axis).map_or("", String::as_str);
        let all =
            |read: &dyn Fn(&str) -> Option<f64>| values.iter().map(|value| read(value)).collect::<Option<Vec<_>>>();
        let durations = all(&|text| parse_duration(text).ok().map(|it| it.seconds as f64 + f64::from(it.nanos) / 1e9));
        let numbers = all(&|text| text.parse().ok().filter(|number: &f64| number.is_finite()));
        let (quantity, places, is_named) = match (numbers, durations) {
            (Some(numbers), _) => (Quantity::Number, numbers, false),
            (None, Some(durations)) => (Quantity::Seconds, durations, false),
            (None, None) => (Quantity::Number, (1..=values.len()).map(|number| number as f64).collect(), true),
        };
        let places: Vec<(String, f64)> = values.into_iter().cloned().zip(places).collect();
        let marks =
            places.iter().filter(|_| is_named).map(|(value, at)| Mark { at: *at, label: value.clone() }).collect();
        let label = if is_named { format!("{field} (number of the value)") } else { field.to_owned() };
        let x = Axis::new(&label, quantity, Scale::Linear);
        let x = if is_named { x.ranging(Some(0.5), Some(places.len() as f64 + 0.5)) } else { x };
        Self { x, marks, places }
    }

    /// The place of a value.
    pub(super) fn at(&self, value: &str) -> Option<f64> {
        self.places.iter().find(|(known, _)| known == value).map(|(_, at)| *at)
    }

    /// A figure over this axis.
    pub(super) fn figure(&self, name: &str, title: &str, y: Axis) -> Figure {
        let mut figure = Figure::new(name, title, self.x.clone(), y);
        figure.marks.clone_from(&self.marks);
        figure
    }
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
        let itself = places.at(reference).map(|at| (at, 1.0, Some((1.0, 1.0)))).filter(|_| !found.is_empty());
        let values = found
            .iter()
            .filter_map(|it| Some((places.at(&it.value)?, it.ratio, it.interval.map(|it| (it.low, it.high)))));
        let mut values: Vec<_> = values.chain(itself).collect();
        values.sort_by(|one, other| one.0.total_cmp(&other.0));
        let band = values.iter().filter_map(|(at, _, bounds)| bounds.map(|(low, high)| (*at, low, high)));
        let name = indicator.name.clone();
        figure.layers.push(Layer::Band(Band { name: format!("{name}, 95 %"), look, points: band.collect() }));
        figure.layers.push(Layer::Line(Curve::new(
            &name,
            look,
            values.iter().map(|(at, ratio, _)| (*at, Some(*ratio))),
        )));
    }
    figure.layers.retain(|layer| !layer.is_empty());
    figure.limits.push(Mark { at: 1.0, label: "no effect".to_owned() });
    figure.finding = format!("Ratio of medians to {field}={reference}, with the interval as a band.");
    let pairs = of_axis.iter().map(|it| it.pairs).max().unwrap_or_default();
    figure.facts = Facts::new(
        format!("{pairs} {} of cells that differ in this alone", if pairs == 1 { "pair" } else { "pairs" }),
        "",
        "geometric mean of ratios of medians; bootstrap",
    );
    (!figure.is_empty()).then_some(figure)
}
