//! The page of a study: what is shown against the baseline before any number, then the effect of each axis, the cells, what the order of
//! the runs does, and the runs.

mod axes;
mod figures;
mod tables;

use super::document::{document, each_chart};
use crate::{
    figure::text::{escaped, visible},
    study::{Outcome, Results, Study},
};

/// The results of a study as one HTML file, of the same making as a report.
pub fn study_html(study: &Study, results: &Results) -> String {
    let title = escaped(&visible(&study.name));
    let (class, lead) = results.lead(study);
    let lead: String = lead.iter().map(|line| format!("<strong>{}</strong>", escaped(&sentence(line)))).collect();
    let remarks = results.remarks.iter().map(|remark| format!("<p>{}</p>\n", escaped(&sentence(remark))));
    let header = format!(
        "<h1><bdi>{title}</bdi></h1>\n<p class=\"soft\">{}</p>\n<div class=\"lead {}\">{lead}{}</div>\n",
        escaped(&told(study)),
        class.class(),
        remarks.collect::<String>()
    );
    let charts = |drawn: Vec<_>| each_chart(drawn.into_iter());
    let sections = [
        ("Against the baseline", "compared", tables::compared(study, results).html() + &tables::method(study)),
        (
            "The effect of each axis",
            "axes",
            charts(axes::effects(study, results)) + &tables::axes(study, results).html(),
        ),
        ("By cell", "cells", charts(figures::by_axis(study, results)) + &tables::cells(study, results).html()),
        ("Order and rounds", "order", charts(figures::in_order(study)) + &tables::order(results).html()),
        ("Runs", "runs", tables::runs(study)),
    ];
    document(&title, &header, &sections)
}

/// What the study is, in a line.
fn told(study: &Study) -> String {
    let samples = study.runs.iter().filter(|run| matches!(run.outcome, Outcome::Sample(_))).count();
    let parts = [
        visible(&study.id),
        format!("{} cells", study.cells.len()),
        format!("{} runs, {samples} of them samples", study.runs.len()),
        if study.order.is_empty() {
            String::new()
        } else {
            format!("order {}, drawn from {}", visible(&study.order), study.seed)
        },
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// A sentence that may name what users wrote.
fn sentence(text: &str) -> String {
    text.split(' ').map(visible).collect::<Vec<_>>().join(" ")
}
