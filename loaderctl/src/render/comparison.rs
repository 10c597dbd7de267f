//! Two groups of runs, compared.

use loader_report::{
    compare::{Comparison, Difference, Group, Method, Ratio, Row, Side, Verdict, Within},
    figure::Quantity,
    statistics::{Interval, size},
};
use serde_json::{Value, json};

use super::{
    table::{self, Rows},
    units::{digits, known, micros, percent, rate},
};

/// Runs that are named one by one.
const NAMED: usize = 6;

/// The comparison, for people.
pub(crate) fn comparison(comparison: &Comparison) -> String {
    let mut text = format!("{}\n\n", comparison.lead());
    text += &group(&comparison.a);
    text += &group(&comparison.b);
    text.push('\n');
    text += &if comparison.is_single() { single(comparison) } else { figures(comparison) };
    for note in &comparison.notes {
        text += &format!("\n{note}\n");
    }
    text + &differences(&comparison.differences)
}

/// How many runs a group has, and which were left out.
fn group(group: &Group) -> String {
    let runs = |count: usize| if count == 1 { "1 run".to_owned() } else { format!("{count} runs") };
    let mut labels: Vec<_> = group.samples.iter().map(|sample| sample.label.as_str()).collect();
    labels.dedup();
    let mut line = format!("{}  {}: {}", group.name, runs(group.samples.len()), named(&labels));
    for (reason, count) in group.reasons() {
        let left = group.left_out.iter().filter(|it| it.reason == reason);
        let ids: Vec<_> = left.map(|it| if it.id.is_empty() { it.label.as_str() } else { it.id.as_str() }).collect();
        line += &format!("\n   left out, {reason}: {} ({})", runs(count), named(&ids));
    }
    line + "\n"
}

/// The first of some names, without what would disturb a terminal.
fn named(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED).map(|name| loader_report::figure::text::visible(name));
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { vec![format!("and {more} more")] } else { Vec::new() };
    shown.chain(more).collect::<Vec<_>>().join(", ")
}

fn figures(comparison: &Comparison) -> String {
    let header = ["B is", "figure", "A", "B", "B/A", "95 %", "p (Holm)", "effect"];
    let rows: Rows = comparison.rows.iter().map(row).collect();
    table::figures(&header, rows) + &verdicts_mean(comparison.margin)
}

/// What verdicts mean, in a line below their table.
pub(super) fn verdicts_mean(margin: f64) -> String {
    let margin = percent(margin);
    format!("Medians of runs. Better, worse: p of at most 0.05. Same: within {margin}. Not shown is not the same.\n")
}

/// A verdict in a table that says below what it means.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Better | Verdict::Worse | Verdict::NotShown => verdict.words(),
    }
}

fn row(row: &Row) -> Vec<String> {
    let span = |it: Interval| format!("{} – {}", factor(it.low), factor(it.high));
    let bounds = row.ratio.map(|Ratio { interval, range, .. }| {
        interval.map(span).or(range.map(|it| format!("range {}", span(it)))).unwrap_or_default()
    });
    let effect = row.delta.map(|delta| format!("{delta:+.2} {}", size(delta).word()));
    let value = |side: &Side| known(side.median, |value| shown(row.measure.quantity, value));
    vec![
        word(row.verdict).to_owned(),
        row.measure.name.to_owned(),
        value(&row.a),
        value(&row.b),
        known(row.ratio.map(|ratio| ratio.value), factor),
        bounds.unwrap_or_default(),
        known(row.p_holm, probability),
        effect.unwrap_or_default(),
    ]
}

/// With one run a group: each value with its interval within the run, and nothing between the runs.
fn single(comparison: &Comparison) -> String {
    let header = ["figure", "A", "within the run", "B", "within the run"];
    let side = |row: &Row, side: &Side| {
        let quantity = row.measure.quantity;
        let span = |it: Interval| format!("{} – {}", shown(quantity, it.low), shown(quantity, it.high));
        let mark = |within: Within| if within.method == Method::Independent { " *" } else { "" };
        let within = side.within.map(|within| format!("{}{}", span(within.interval), mark(within)));
        [known(side.median, |value| shown(quantity, value)), within.unwrap_or_default()]
    };
    let rows = comparison.rows.iter().map(|row| {
        [row.measure.name.to_owned()].into_iter().chain(side(row, &row.a)).chain(side(row, &row.b)).collect()
    });
    let is_marked = |side: &Side| side.within.is_some_and(|within| within.method == Method::Independent);
    let has_marks = comparison.rows.iter().any(|row| is_marked(&row.a) || is_marked(&row.b));
    let foot = if has_marks {
        "* as if invocations did not depend on each other: the run is too short for blocks\n"
    } else {
        ""
    };
    table::figures(&header, rows.collect()) + foot
}

fn differences(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let mut text = "\nThe runs asked for different things:\n".to_owned();
    for difference in differences {
        let choices = difference.choices.iter().map(|choice| {
            let value =
                choice.value.as_deref().map_or_else(|| "not set".to_owned(), loader_report::figure::text::visible);
            let runs: Vec<_> = choice.runs.iter().map(|(group, run)| format!("{group} {run}")).collect();
            let group = choice.runs.first().map_or("", |(group, _)| group).to_owned();
            let whose = if difference.is_between_groups {
                group
            } else {
                named(&runs.iter().map(String::as_str).collect::<Vec<_>>())
            };
            format!("{value} ({whose})")
        });
        text += &format!("  {}: {}\n", difference.field, choices.collect::<Vec<_>>().join(", "));
    }
    text
}

/// A value in its unit.
fn shown(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Micros => micros_of(value),
        Quantity::Share => percent(value),
        Quantity::PerSecond => rate(value),
        Quantity::Number | Quantity::Seconds | Quantity::Mib | Quantity::Millicores | Quantity::Percentile => {
            digits(value)
        }
    }
}

fn micros_of(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    let whole = value.round() as u64;
    micros(whole)
}

fn factor(ratio: f64) -> String {
    format!("{ratio:.3}")
}

fn probability(p: f64) -> String {
    if p < 0.0005 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

/// The comparison, for programs. What is not known is absent.
pub(crate) fn comparison_json(comparison: &Comparison) -> Value {
    without_null(json!({
        "margin": comparison.margin,
        "lead": comparison.lead(),
        "groups": [group_json(&comparison.a), group_json(&comparison.b)],
        "figures": comparison.rows.iter().map(row_json).collect::<Vec<_>>(),
        "differences": comparison.differences.iter().map(difference_json).collect::<Vec<_>>(),
        "notes": comparison.notes,
    }))
}

fn group_json(group: &Group) -> Value {
    let runs = group.samples.iter().map(|it| json!({ "id": it.id, "name": it.label }));
    let left = group.left_out.iter().map(|it| json!({ "id": it.id, "name": it.label, "reason": it.reason }));
    json!({ "group": group.name, "runs": runs.collect::<Vec<_>>(), "leftOut": left.collect::<Vec<_>>(), "leftOutByReason": group.reasons() })
}

fn interval_json(interval: Option<Interval>) -> Value {
    interval.map_or(Value::Null, |it| json!({ "low": it.low, "high": it.high }))
}

fn row_json(row: &Row) -> Value {
    let side = |side: &Side| {
        let within = side.within.map(|within| {
            let (method, seconds) = match within.method {
                Method::Blocks(seconds) => ("blocks", Some(seconds)),
                Method::Independent => ("independent", None),
            };
            json!({ "interval": interval_json(Some(within.interval)), "method": method, "blockSeconds": seconds })
        });
        json!({
            "values": side.values.iter().map(|(_, value)| value).collect::<Vec<_>>(),
            "median": side.median,
            "interval": interval_json(side.interval),
            "within": within,
        })
    };
    let ratio = row.ratio.map(
        |it| json!({ "value": it.value, "interval": interval_json(it.interval), "range": interval_json(it.range) }),
    );
    json!({
        "figure": row.measure.name,
        "verdict": row.verdict.name(),
        "a": side(&row.a),
        "b": side(&row.b),
        "ratio": ratio,
        "shift": row.shift.map(|shift| json!({ "value": shift, "interval": interval_json(row.shift_interval) })),
        "p": row.p,
        "pHolm": row.p_holm,
        "delta": row.delta,
        "effect": row.delta.map(|delta| size(delta).word()),
    })
}

fn difference_json(difference: &Difference) -> Value {
    let choices = difference.choices.iter().map(|choice| {
        let runs: Vec<_> = choice.runs.iter().map(|(group, run)| json!({ "group": group, "run": run })).collect();
        json!({ "value": choice.value, "runs": runs })
    });
    json!({ "field": difference.field, "betweenGroups": difference.is_between_groups, "choices": choices.collect::<Vec<_>>() })
}

/// The same without members that are null.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, without_null(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_null).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
