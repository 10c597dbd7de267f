//! What was run.

use super::units::{instant, seconds};
use crate::{
    catalogue::load_end,
    figure::text::{escaped, sentence, visible},
    run::{Remark, Run},
};

/// Longest spec that is shown whole, in bytes.
const LONGEST: usize = 64 << 10;

/// Remarks that are shown.
const REMARKS: usize = 50;

/// The panel.
pub(super) fn about(run: &Run) -> String {
    let mut html = facts(run);
    if let Some(spec) = &run.documents.spec_text {
        let end = (0..=spec.len().min(LONGEST)).rev().find(|end| spec.is_char_boundary(*end)).unwrap_or_default();
        let (shown, more) = spec.split_at(end);
        let more = if more.is_empty() { "" } else { "\n…" };
        let shown = loader_proto::visible::visible_lines(shown);
        html += &format!(
            "<details open><summary>The spec as it was submitted</summary><pre tabindex=\"0\">{}{more}</pre></details>\n",
            escaped(&shown)
        );
    }
    html + &remarks(&run.remarks)
}

fn facts(run: &Run) -> String {
    let file = run.documents.run.clone().unwrap_or_default();
    let summary = run.summary();
    let or = |one: &str, other: Option<&str>| {
        if one.is_empty() { other.unwrap_or_default().to_owned() } else { one.to_owned() }
    };
    let arrivals = run.documents.spec.as_ref().map(|spec| spec.arrivals.clone()).filter(|name| !name.is_empty());
    let planned = run.samples.slots.iter().filter(|slot| slot.phase == "measure").count();
    let known = [
        ("run", or(&file.run_id, summary.map(|it| it.run_id.as_str()))),
        ("name", or(&file.name, summary.map(|it| it.name.as_str()))),
        ("mode", or(&file.mode, summary.map(|it| it.mode.as_str()))),
        ("platform", or(&file.platform, summary.map(|it| it.platform.as_str()))),
        ("seed", summary.map(|it| it.seed.to_string()).unwrap_or_default()),
        ("arrivals", arrivals.unwrap_or_default()),
        ("submitted", instant(file.submitted_unix_us)),
        ("started", instant(file.started_unix_us)),
        ("start of the load", instant(run.t0_unix_us())),
        ("load", load_end(run).map(seconds).unwrap_or_default()),
        ("finished", instant(file.finished_unix_us)),
        ("measured slots", planned.to_string()),
        ("functions", functions(run)),
        ("rows", run.row_count().to_string()),
        ("version of the report", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let known = known.into_iter().filter(|(_, value)| !value.is_empty());
    let shown = known.map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>", escaped(&visible(&value))));
    format!("<dl class=\"facts-of-run\">{}</dl>\n", shown.collect::<String>())
}

fn functions(run: &Run) -> String {
    let of_summary = run.summary().map_or(0, |summary| summary.functions.len());
    of_summary.max(run.rows.functions.len()).to_string()
}

fn remarks(remarks: &[Remark]) -> String {
    if remarks.is_empty() {
        return String::new();
    }
    let shown = remarks.iter().take(REMARKS).map(|it| format!("<li>{}</li>", sentence(&it.text)));
    format!("<h3>Remarks on the files</h3><ul>{}</ul>\n", shown.collect::<String>())
}
