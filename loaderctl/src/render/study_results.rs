//! The results of a study, for people and for programs.

use loader_report::{
    figure::Quantity,
    study::{Compared, Results, Study},
};
use serde_json::{Value, json};

use super::{
    comparison::{verdicts_mean, word},
    table,
    units::{digits, known, mib, micros, percent, rate},
};

/// What a table of a cell has.
const HEADER: [&str; 8] = ["it is", "figure", "baseline", "cell", "ratio", "95 %", "p (Holm)", "runs"];

/// Each cell against its baseline, and what is to be known of it.
pub(crate) fn study_results(study: &Study, results: &Results) -> String {
    let mut text = results.lead(study).sentences().map(|line| format!("{line}\n")).collect::<String>();
    for remark in &results.remarks {
        text.push_str(&format!("{remark}\n"));
    }
    text.push('\n');
    let mut cells: Vec<(usize, usize)> = results.compared.iter().map(|it| (it.cell, it.baseline)).collect();
    cells.sort_unstable();
    cells.dedup();
    for (cell, baseline) in cells {
        text.push_str(&format!("{} against {}\n", study.label(cell), study.label(baseline)));
        let of_cell = results.compared.iter().filter(|compared| compared.cell == cell);
        text.push_str(&table::text(&HEADER, of_cell.map(|compared| row(results, compared)).collect()));
        text.push('\n');
    }
    if !results.compared.is_empty() {
        text.push_str(&verdicts_mean(study.margin));
    }
    text
}

fn row(results: &Results, compared: &Compared) -> Vec<String> {
    let median = |cell| {
        let found = results.cells.iter().find(|it| it.cell == cell && it.indicator == compared.indicator);
        known(found.and_then(|it| it.median), |median| in_unit(compared.indicator.quantity(), median))
    };
    let (n, of_baseline) = compared.n;
    vec![
        word(compared.verdict).to_owned(),
        compared.indicator.name.clone(),
        median(compared.baseline),
        median(compared.cell),
        known(compared.ratio, digits),
        known(compared.interval, |interval| format!("{} – {}", digits(interval.low), digits(interval.high))),
        known(compared.p_holm, |p| format!("{p:.3}")),
        if n == of_baseline { n.to_string() } else { format!("{n}, {of_baseline}") },
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
        "figures": study.compared_figures().into_iter().map(|figure| figure.name.as_str()).collect::<Vec<_>>(),
        "chosenAfterwards": study.is_chosen_afterwards,
        "compared": compared.collect::<Vec<_>>(),
        "cells": cells.collect::<Vec<_>>(),
    })
}
