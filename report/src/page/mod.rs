//! A run's report: one HTML file with everything inside.
//!
//! Nothing is loaded, and a policy in the file forbids it; without scripts everything can be read, and with them values are shown at the
//! pointer, curves hidden, and tables sorted. The same run gives the same bytes: no clock is read. Verdicts come first.

mod about;
mod comparison;
mod disturbances;
mod document;
mod expectations;
mod findings;
mod key;
mod loader;
mod outlook;
mod sheet;
mod study;
pub(crate) mod table;
mod tables;
pub(crate) mod units;
mod verdict;
mod verdicts;
mod workers;

pub use comparison::comparison_html;
pub(crate) use document::hash;
pub use document::policy;
pub use outlook::{Outlook, outlook};
pub use sheet::{Listing, Section, Sheet, sheet_html};
pub use study::{STUDY_FIGURES, StudyEntry, study_figure, study_html};

use disturbances::disturbances;
use document::{document, each_chart};
use verdict::{Weight, lead};

use crate::{
    catalogue::{FIGURES, Panel},
    figure::text::{escaped, sentence, visible},
    run::Run,
};

/// The report of a run; of several runs their figures laid over each other.
pub fn html(runs: &[Run]) -> String {
    let labels: Vec<_> = runs.iter().map(|run| escaped(&visible(run.label()))).collect();
    let header: String = runs.iter().zip(&labels).map(|(run, label)| header(run, label)).collect();
    document(&labels.join(", "), &header, &panels(runs))
}

/// What a run is, and whether it can be trusted.
fn header(run: &Run, title: &str) -> String {
    let verdicts = verdicts::verdicts(run);
    let lead = lead(&verdicts);
    let file = run.documents.run.clone().unwrap_or_default();
    let told = [
        file.mode.clone(),
        if file.platform.is_empty() { String::new() } else { format!("on {}", file.platform) },
        units::instant(run.t0_unix_us()),
        file.run_id,
    ];
    let told: Vec<_> = told.iter().filter(|text| !text.is_empty()).map(|text| escaped(&visible(text))).collect();
    let shown = verdicts.iter().map(|it| {
        let (class, word) = (it.weight.class(), it.weight.word());
        let (title, text) = (escaped(&it.title), sentence(it.text.trim()));
        format!("<li class=\"{class}\"><b title=\"{word}\">{title}</b> <span>{text}</span></li>\n")
    });
    let shown: String = shown.collect();
    let class = lead.weight.class();
    let (first, rest) = (escaped(&lead.title), sentence(&lead.text));
    format!(
        "<h1><bdi>{title}</bdi></h1>\n<p class=\"soft\">{}</p>\n\
         <div class=\"lead {class}\"><strong>{first}</strong>{rest}</div>\n<ul class=\"verdicts\" aria-label=\"Verdicts\">\n{shown}</ul>\n",
        told.join(" · ")
    )
}

/// The panels in order: name, id, content.
fn panels(runs: &[Run]) -> Vec<(&'static str, &'static str, String)> {
    let charts = |panel: Panel| charts(runs, panel);
    let found =
        |run: &Run| run.summary().map(|it| findings::findings(it) + &disturbances(it).html()).unwrap_or_default();
    let expected = |run: &Run| run.summary().map(|it| expectations::expectations(it).html()).unwrap_or_default();
    let stalls = |run: &Run| run.summary().map(|it| tables::stalls(it).html()).unwrap_or_default();
    let sent_by = |run: &Run| run.summary().map(|it| workers::workers(it).html()).unwrap_or_default();
    let slots = |run: &Run| run.summary().map(|it| tables::slots(it).html()).unwrap_or_default();
    let rest = |run: &Run| tables::statuses(run).html() + &tables::events(run).html() + &slots(run);
    vec![
        ("Expectations", "expectations", each(runs, expected)),
        ("What was run", "about", each(runs, about::about)),
        ("Key figures", "key", each(runs, key::key)),
        ("Over time", "time", charts(Panel::Time)),
        ("Distributions", "distributions", charts(Panel::Distributions)),
        ("Cold starts", "cold", charts(Panel::ColdStarts)),
        ("By function", "functions", charts(Panel::Functions) + &each(runs, |run| tables::functions(run).html())),
        ("What the mode set out to find", "mode", each(runs, found) + &charts(Panel::Mode)),
        ("How true the figures are", "quality", charts(Panel::Quality) + &each(runs, stalls)),
        ("Workers", "workers", each(runs, sent_by)),
        ("Tables", "tables", each(runs, rest)),
    ]
}

/// Of each run its part, below its name where there are several.
fn each(runs: &[Run], part: impl Fn(&Run) -> String) -> String {
    let of_one = |run: &Run| match part(run) {
        content if content.is_empty() || runs.len() == 1 => content,
        content => format!("<h3><bdi>{}</bdi></h3>\n{content}", escaped(&visible(run.label()))),
    };
    runs.iter().map(of_one).collect()
}

fn charts(runs: &[Run], panel: Panel) -> String {
    each_chart(FIGURES.iter().filter(|entry| entry.panel == panel).filter_map(|entry| entry.draw(runs)))
}

/// Whether nothing speaks against the figures of a run, and the first thing that does.
pub fn judged(run: &Run) -> (bool, String) {
    let lead = lead(&verdicts::verdicts(run));
    (lead.weight == Weight::Good, format!("{}: {}", lead.title, lead.text))
}
