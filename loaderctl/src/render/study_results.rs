//! The results of a study, for people and for programs.

use loader_report::{
    figure::Quantity,
    study::{Compared, Results, Study},
};
use serde_json::{Value, json};

use super::{
    table::{self, Rows},
    units::{digits, known, mib, micros, percent, rate},
};

/// Each cell against its baseline, and what is to be known of it.
pub(crate) fn study_results(study: &Study, results: &Results) -> String {
    let mut text = results.lead(study).sentences().map(|line| format!("{line}\n")).collect::<String>();
    for remark in &results.remarks {
        text.push_str(&format!("{remark}\n"));
    }
    text.push('\n');
    if results.compared.is_empty() {
        return text;
    }
    let header = ["it is", "figure", "cell", "against", "its median", "ratio", "95 %", "p (Holm)", "runs"];
    let rows: Rows = results.compared.iter().map(|compared| row(study, results, compared)).collect();
    text.push_str(&table::text(&header, rows));
    text
}

fn row(study: &Study, results: &Results, compared: &Compared) -> Vec<String> {
    let of_cell = results.cells.iter().find(|it| it.cell == compared.cell && it.indicator == compared.indicator);
    let quantity = compared.indicator.quantity();
    vec![
        compared.verdict.words().to_owned(),
        compared.indicator.name.clone(),
        study.label(compared.cell),
        study.label(compared.baseline),
        known(of_cell.and_then(|it| it.median), |median| in_unit(quantity, median)),
        known(compared.ratio, digits),
        known(compared.interval, |interval| format!("{} to {}", digits(interval.low), digits(interval.high))),
        known(compared.p_holm, |p| format!("{p:.3}")),
        format!("{} / {}", compared.n.0, compared.n.1),
    ]
}

fn in_unit(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Micros => micros(super::units::whole(value)),
        Quantity::Share => percent(value),
        Quantity::PerSecond => rate(value),
        Quantity::Mib => mib(value),
        Quantity::Number | Quantity::Seconds | Quantity::Millicores | Quantity::Percentile => digits(value),
    }
}

/// The same for programs.
pub(crate) fn study_results_json(study: &Study, results: &Results) -> Value {
    let interval = |interval: Option<loader_report::statistics::Interval>| {
        interval.map(|interval| json!({ "low": interval.low, "high": interval.high }))
    };
    let compared = results.compared.iter().map(|it| {
        json!({
            "cell": study.label(it.cell), "baseline": study.label(it.baseline), "figure": it.indicator.name,
            "verdict": it.verdict.name(), "runs": it.n.0, "baselineRuns": it.n.1, "ratio": it.ratio,
            "interval": interval(it.interval), "p": it.p, "pHolm": it.p_holm, "delta": it.delta,
        })
    });
    let cells = results.cells.iter().map(|it| {
        json!({
            "cell": study.label(it.cell), "figure": it.indicator.name, "runs": it.n, "leftOut": it.left_out,
            "median": it.median, "interval": interval(it.interval),
        })
    });
    json!({
        "studyId": study.id,
        "lead": results.lead(study).sentences().collect::<Vec<_>>(),
        "remarks": results.remarks,
        "compared": compared.collect::<Vec<_>>(),
        "cells": cells.collect::<Vec<_>>(),
    })
}
