//! The page of a study: what is shown against the baseline before any number, then the effect of each axis, the cells, what the order of
//! the runs does, and the runs.

mod axes;
mod catalogue;
mod figures;
mod presentable;
mod spread;
mod tables;

pub use catalogue::{STUDY_FIGURES, StudyEntry, study_figure};

use presentable::{presentable, shown};

use super::document::{document, each_chart};
use crate::{
    figure::text::{escaped, visible},
    study::{Outcome, Results, Study},
};

/// The order that is not drawn.
const AS_GIVEN: &str = "asGiven";

/// The results of a study as one HTML file, of the same making as a report.
pub fn study_html(study: &Study, results: &Results) -> String {
    let lead = results.lead(study);
    let (study, results) = (&presentable(study), &shown(results));
    let title = escaped(&study.name);
    let paragraphs =
        lead.cells.iter().chain(&results.remarks).map(|text| format!("<p>{}</p>\n", escaped(&sentence(text))));
    let header = format!(
        "<h1><bdi>{title}</bdi></h1>\n<p class=\"soft\">{}</p>\n<div class=\"lead {}\"><strong>{}</strong>{}</div>\n",
        escaped(&told(study)),
        lead.tone.class(),
        escaped(&lead.title),
        paragraphs.collect::<String>()
    );
    let charts = |drawn: Vec<_>| each_chart(drawn.into_iter());
    let all: Vec<usize> = (0..study.axes.len()).collect();
    let sections = [
        ("Against the baseline", "compared", compared(study, results)),
        (
            "The effect of each axis",
            "axes",
            charts(axes::effects(study, results, &all)) + &tables::axes(study, results).html(),
        ),
        ("By cell", "cells", charts(figures::by_axis(study, results, &all)) + &tables::cells(study, results).html()),
        ("Between cells and within", "spread", charts(spread::panels(results)) + &spread::table(results).html()),
        ("Order and rounds", "order", charts(figures::in_order(study)) + &tables::order(results).html()),
        ("Runs", "runs", tables::runs(study)),
    ];
    document(&title, &header, &sections)
}

/// Cells against their baselines, with how that is found; nothing of a study of one cell.
fn compared(study: &Study, results: &Results) -> String {
    let table = tables::compared(study, results).html();
    if table.is_empty() { table } else { table + &tables::method(study, results) }
}

/// What the study is, in a line.
fn told(study: &Study) -> String {
    let samples = study.runs.iter().filter(|run| matches!(run.outcome, Outcome::Sample(_))).count();
    let parts = [
        study.id.clone(),
        format!("{} {}", study.cells.len(), if study.cells.len() == 1 { "cell" } else { "cells" }),
        format!("{} runs, {samples} of them samples", study.runs.len()),
        match study.order.as_str() {
            "" => String::new(),
            AS_GIVEN => "order of the file".to_owned(),
            drawn => format!("order {drawn}, drawn from {}", study.seed),
        },
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// A sentence that may name what users wrote.
fn sentence(text: &str) -> String {
    text.split(' ').map(visible).collect::<Vec<_>>().join(" ")
}
