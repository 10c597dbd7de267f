//! What a trace is, as text.

use loader_trace::Report;
use loader_trace::describe::{Distribution, Level, Overview, Unit};
use loader_trace::edit::Difference;
use serde_json::{Map, Value, json};

use super::sampling::{difference, difference_json};
use super::table::{Rows, figures, pairs};
use super::units::{digits, duration, known, mib, percent, rate};

/// All that is known of a trace.
pub(crate) fn overview(overview: &Overview) -> String {
    let mut out = pairs(totals(overview).iter().map(|(name, value)| (*name, value.clone())));
    if !overview.triggers.is_empty() {
        let rows = overview.triggers.iter();
        let rows: Rows =
            rows.map(|share| vec![share.name.clone(), percent(share.functions), percent(share.invocations)]).collect();
        section(&mut out, &figures(&["TRIGGER", "FUNCTIONS", "INVOCATIONS"], rows));
    }
    section(&mut out, &distributions(&overview.distributions));
    let rows: Rows = overview
        .over_time
        .iter()
        .map(|interval| {
            let known_memory = known(interval.memory_mib, mib);
            vec![duration(interval.from), rate(interval.rate), known(interval.concurrency, digits), known_memory]
        })
        .collect();
    section(&mut out, &figures(&["FROM", "RATE", "UNDER WAY", "MEMORY"], rows));
    out
}

fn section(out: &mut String, table: &str) {
    out.push('\n');
    out.push_str(table);
}

/// Names and values of what a trace has once.
fn totals(overview: &Overview) -> Vec<(&'static str, String)> {
    let count = |number: Option<usize>| known(number, |number| number.to_string());
    let skew = |place: usize| known(overview.skew.get(place), |(_, share)| percent(*share));
    let level = |level: Option<Level>, text: fn(f64) -> String| {
        known(level, |level| format!("{}, at most {}", text(level.mean), text(level.peak)))
    };
    vec![
        ("functions", overview.functions.to_string()),
        ("apps", count(overview.apps)),
        ("owners", count(overview.owners)),
        ("length", duration(overview.length)),
        ("invocations", overview.invocations.to_string()),
        ("mean rate", rate(overview.mean_rate)),
        ("peak rate", rate(overview.peak_rate)),
        ("quietest hour, of the mean hour", known(overview.quietest_hour, percent)),
        ("invocations of 1 % of functions", skew(0)),
        ("invocations of 10 % of functions", skew(1)),
        ("invocations under way", level(overview.concurrency, digits)),
        ("memory of these", level(overview.memory_mib, mib)),
    ]
}

fn distributions(all: &[Distribution]) -> String {
    let names: Vec<String> = Distribution::PERCENTILES.map(|percentile| format!("P{percentile}")).into();
    let mut header = vec!["OF FUNCTIONS", "MEAN"];
    header.extend(names.iter().map(String::as_str));
    let rows = all.iter().map(|of| {
        let cells = std::iter::once(of.mean).chain(of.values).map(|value| amount(value, of.unit));
        std::iter::once(of.name.to_owned()).chain(cells).collect()
    });
    figures(&header, rows.collect())
}

fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{value:.1} %"),
        Unit::Seconds => format!("{} s", short(value)),
        Unit::Megabytes => mib(value),
        Unit::Plain => digits(value),
    }
}

/// Milliseconds are told where a second is long.
fn short(value: f64) -> String {
    if value < 1.0 { format!("{value:.3}") } else { digits(value) }
}

/// What was wrong with the data, with counts; empty where nothing was.
pub(crate) fn faults(report: &Report) -> String {
    let rows: Rows = faults_of(report).into_iter().map(|(what, count)| vec![what, count.to_string()]).collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", figures(&["FAULTS OF THE DATA", "COUNT"], rows)) }
}

fn faults_of(report: &Report) -> Vec<(String, u64)> {
    let left_out = report.left_out.iter().map(|(reason, of)| (format!("left out: {reason}"), of.count));
    let repaired = report.repaired.iter().map(|(repair, of)| (repair.note().to_owned(), of.count));
    left_out.chain(repaired).collect()
}

/// Two traces beside each other.
pub(crate) fn side_by_side(overviews: &[Overview; 2], differences: &Difference) -> String {
    let [first, second] = overviews.each_ref().map(totals);
    let rows = first.into_iter().zip(second).map(|((name, a), (_, b))| vec![name.to_owned(), a, b]);
    let mut out = figures(&["", "A", "B"], rows.collect());
    let [first, second] = overviews;
    let mut triggers: Rows = Vec::new();
    let share = |overview: &Overview, name: &str| {
        let found = overview.triggers.iter().find(|share| share.name == name);
        known(found, |share| format!("{} / {}", percent(share.functions), percent(share.invocations)))
    };
    let mut names: Vec<&str> = first.triggers.iter().chain(&second.triggers).map(|share| share.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    triggers.extend(names.into_iter().map(|name| vec![name.to_owned(), share(first, name), share(second, name)]));
    if !triggers.is_empty() {
        section(&mut out, &figures(&["FUNCTIONS / INVOCATIONS BY TRIGGER", "A", "B"], triggers));
    }
    section(&mut out, &difference(differences, 0));
    out
}

/// The same as JSON.
pub(crate) fn side_by_side_json(overviews: &[Overview; 2], differences: &Difference) -> Value {
    let [first, second] = overviews.each_ref().map(value);
    json!({ "first": first, "second": second, "difference": difference_json(differences) })
}

/// All that is known of a trace, as JSON; what is not known is null.
pub(crate) fn overview_json(overview: &Overview, report: &Report) -> Value {
    let mut value = value(overview);
    let faults: Map<String, Value> =
        faults_of(report).into_iter().map(|(what, count)| (what, Value::from(count))).collect();
    value["faults"] = Value::Object(faults);
    value
}

fn value(overview: &Overview) -> Value {
    let level = |level: Option<Level>| level.map(|level| json!({ "mean": level.mean, "peak": level.peak }));
    let triggers = overview
        .triggers
        .iter()
        .map(|share| json!({ "trigger": share.name, "functions": share.functions, "invocations": share.invocations }));
    let skew = overview.skew.iter().map(|(functions, share)| json!({ "functions": functions, "invocations": share }));
    let distributions = overview.distributions.iter().map(|of| {
        let percentiles = Distribution::PERCENTILES.iter().zip(of.values);
        let percentiles: Map<String, Value> =
            percentiles.map(|(percentile, value)| (format!("p{percentile}"), Value::from(value))).collect();
        json!({ "quantity": of.name, "functions": of.functions, "mean": of.mean, "percentiles": percentiles })
    });
    let over_time = overview.over_time.iter().map(|interval| {
        json!({
            "fromSeconds": interval.from.as_secs_f64(), "rate": interval.rate, "concurrency": interval.concurrency,
            "memoryMib": interval.memory_mib,
        })
    });
    json!({
        "functions": overview.functions,
        "apps": overview.apps,
        "owners": overview.owners,
        "seconds": overview.length.as_secs_f64(),
        "invocations": overview.invocations,
        "meanRate": overview.mean_rate,
        "peakRate": overview.peak_rate,
        "quietestHour": overview.quietest_hour,
        "triggers": triggers.collect::<Vec<_>>(),
        "skew": skew.collect::<Vec<_>>(),
        "concurrency": level(overview.concurrency),
        "memoryMib": level(overview.memory_mib),
        "distributions": distributions.collect::<Vec<_>>(),
        "overTime": over_time.collect::<Vec<_>>(),
    })
}
