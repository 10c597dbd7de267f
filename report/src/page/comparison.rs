//! The page of a comparison: what is shown of B against A before any number, then the figures, the runs, and in what they differ.

use super::{
    document::{document, each_chart},
    table::{Cell, Table},
    units::{self, UNKNOWN},
};
use crate::{
    compare::{Comparison, Difference, Group, Method, Row, Side, Verdict},
    figure::{
        Axis, Facts, Figure, Layer, Mark, Points, Quantity, Scale,
        text::{escaped, visible},
    },
    statistics::{Interval, size},
};

/// The comparison as one HTML file, of the same making as a report.
pub fn comparison_html(comparison: &Comparison) -> String {
    let lead = escaped(&comparison.lead());
    let class = if comparison.figures(Verdict::Worse).is_empty() { "open" } else { "care" };
    let notes: String =
        comparison.notes.iter().map(|note| format!("<p>{}</p>\n", escaped(&visible_sentence(note)))).collect();
    let counts = [&comparison.a, &comparison.b].map(counted).join(" · ");
    let header = format!(
        "<h1>B against A</h1>\n<p class=\"soft\">{}</p>\n<div class=\"lead {class}\"><strong>{lead}</strong>{notes}</div>\n",
        escaped(&counts)
    );
    let sections = [
        ("Figures", "figures", figures(comparison).html() + &method(comparison)),
        ("Each run", "each", each_chart(comparison.rows.iter().filter_map(|row| values(row, comparison)))),
        ("Runs", "runs", runs(comparison).html()),
        ("What the runs asked for differently", "differences", differences(&comparison.differences).html()),
    ];
    document("B against A", &header, &sections)
}

/// How many runs a group has, and why how many others are left out.
fn counted(group: &Group) -> String {
    let left: Vec<_> = group.reasons().into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let left = if left.is_empty() { String::new() } else { format!(" (left out: {})", left.join(", ")) };
    format!("{}: {} runs{left}", group.name, group.samples.len())
}

fn visible_sentence(text: &str) -> String {
    text.split(' ').map(visible).collect::<Vec<_>>().join(" ")
}

/// A value in its unit.
fn shown(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Micros => units::micros(value),
        Quantity::Share => units::percent(value),
        Quantity::PerSecond => units::rate(value),
        Quantity::Number | Quantity::Seconds | Quantity::Mib | Quantity::Millicores | Quantity::Percentile => {
            units::ratio(value)
        }
    }
}

fn figures(comparison: &Comparison) -> Table {
    let head = ["figure", "verdict", "A", "B", "B/A", "B − A", "p (Holm)", "δ"];
    let mut table = Table::new("Medians of runs with their 95 % intervals", &head);
    table.rows = comparison.rows.iter().map(row).collect();
    table
}

fn row(row: &Row) -> Vec<Cell> {
    let quantity = row.measure.quantity;
    let span = |it: Interval, text: &dyn Fn(f64) -> String| format!("{} – {}", text(it.low), text(it.high));
    let side = |side: &Side| {
        let bounds = side.interval.or(side.within.map(|within| within.interval));
        let within = match side.within.map(|within| within.method) {
            Some(Method::Blocks(seconds)) => format!("within the run, blocks of {}", units::seconds(seconds)),
            Some(Method::Independent) => "within the run, if invocations are independent".to_owned(),
            None => String::new(),
        };
        let below = bounds.map(|it| span(it, &|value| shown(quantity, value))).unwrap_or_default();
        Cell::number(side.median, |value| shown(quantity, value)).with(format!("{below} {within}").trim())
    };
    let ratio = row.ratio.map(|ratio| {
        let text = |value: f64| format!("{value:.3}");
        let range = ratio.range.map(|it| format!("range {}", span(it, &text)));
        ratio.interval.map(|it| span(it, &text)).or(range).unwrap_or_default()
    });
    // A difference has a sign, which durations and shares are not written with.
    let signed = |value: f64| format!("{}{}", if value < 0.0 { "−" } else { "" }, shown(quantity, value.abs()));
    vec![
        Cell::text(row.measure.name).with(row.measure.about),
        Cell::text(row.verdict.words()),
        side(&row.a),
        side(&row.b),
        Cell::number(row.ratio.map(|ratio| ratio.value), |value| format!("{value:.3}")).with(ratio.unwrap_or_default()),
        Cell::number(row.shift, signed).with(row.shift_interval.map(|it| span(it, &signed)).unwrap_or_default()),
        Cell::number(row.p_holm, probability).with(row.p.map(|p| format!("p {}", probability(p))).unwrap_or_default()),
        Cell::number(row.delta, |delta| format!("{delta:+.2}")).with(row.delta.map_or("", |delta| size(delta).word())),
    ]
}

fn probability(p: f64) -> String {
    if p < 0.0005 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

fn method(comparison: &Comparison) -> String {
    format!(
        "<p class=\"note\">A sample is a run. A and B: median over runs, by order statistics. B/A: ratio of the medians, bootstrap over \
         runs. B − A: Hodges-Lehmann. p: Mann-Whitney, after Holm over all figures. δ: Cliff's. Better and worse: p of at most 0.05, and 1 \
         is outside the interval of B/A. Same: the interval lies within {:.3} – {:.3}. All else is not shown; that is not equality. \
         See docs/reports.md.</p>\n",
        1.0 / (1.0 + comparison.margin),
        1.0 + comparison.margin
    )
}

/// The values of the runs of both groups, one after the other, so that drift is seen.
fn values(row: &Row, comparison: &Comparison) -> Option<Figure> {
    let measure = row.measure;
    let x = Axis::new("run of its group", Quantity::Number, Scale::Linear);
    let y = Axis::new(measure.name, measure.quantity, Scale::Linear);
    let mut figure = Figure::new(&format!("runs-{}", measure.name), measure.about, x, y);
    for (look, (group, side)) in [(&comparison.a, &row.a), (&comparison.b, &row.b)].into_iter().enumerate() {
        let points = side.values.iter().map(|(place, value)| {
            let label =
                group.samples.get(*place).map(|sample| format!("{} {}", sample.label, sample.id)).unwrap_or_default();
            (*place as f64 + 1.0, *value, label)
        });
        figure.layers.push(Layer::Scatter(Points { name: group.name.to_owned(), look, points: points.collect() }));
        figure.limits.extend(side.median.map(|at| Mark { at, label: format!("median of {}", group.name) }));
    }
    let text = |side: &Side| side.median.map_or_else(|| UNKNOWN.to_owned(), |value| shown(measure.quantity, value));
    figure.finding = format!("{}: A {}, B {}.", row.verdict.words(), text(&row.a), text(&row.b));
    let count = format!("n = {} + {} runs", row.a.values.len(), row.b.values.len());
    figure.facts = Facts::new(count, "in the order in which they were named", "lines are medians");
    (!figure.is_empty()).then_some(figure)
}

fn runs(comparison: &Comparison) -> Table {
    let mut table =
        Table::new("Runs that are compared, and those that are left out", &["group", "run", "id", "left out"]);
    for group in [&comparison.a, &comparison.b] {
        let used = group.samples.iter().map(|it| (&it.label, &it.id, ""));
        let left = group.left_out.iter().map(|it| (&it.label, &it.id, it.reason));
        let rows = used.chain(left).map(|(label, id, reason)| {
            vec![Cell::text(group.name), Cell::text(label), Cell::text(id), Cell::text(reason)]
        });
        table.rows.extend(rows);
    }
    table
}

fn differences(differences: &[Difference]) -> Table {
    let mut table = Table::new("Fields of the specs", &["field", "value", "runs"]);
    for difference in differences {
        for choice in &difference.choices {
            let runs: Vec<_> = choice.runs.iter().map(|(group, run)| format!("{group}: {run}")).collect();
            let value = choice.value.as_deref().unwrap_or("not set");
            table.rows.push(vec![Cell::text(&difference.field), Cell::text(value), Cell::text(runs.join(", "))]);
        }
    }
    table
}
