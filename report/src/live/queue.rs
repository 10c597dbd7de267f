//! The queue, and the platforms.

use crate::{
    figure::text::{escaped, sentence, visible},
    page::{
        table::{Cell, Table},
        units,
    },
};

/// Runs of the queue that are shown.
const SHOWN: usize = 20;

/// A run that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queued {
    /// Its id.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// Its mode.
    pub mode: String,
    /// Its platform.
    pub platform: String,
    /// When it was submitted, Unix microseconds.
    pub submitted_unix_us: i64,
}

/// A platform: its name, and what it reports, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    /// Its name.
    pub name: String,
    /// What it reports.
    pub facts: Vec<(String, String)>,
}

/// The part of the page about the queue, whose first runs are given.
pub fn queue(first: &[Queued], all: usize) -> String {
    let title = format!("<h2 id=\"waiting\">Queue ({all})</h2>\n");
    if first.is_empty() {
        return title + "<p>No run waits.</p>\n";
    }
    let mut table = Table::new("Runs in the order in which they start", &["run", "mode", "platform", "submitted"]);
    table.rows.extend(first.iter().take(SHOWN).map(|run| {
        let name = if run.name.is_empty() { &run.id } else { &run.name };
        let below = if run.name.is_empty() { String::new() } else { visible(&run.id) };
        vec![
            Cell::text(name).with(below),
            Cell::text(&run.mode),
            Cell::text(&run.platform),
            Cell::text(units::instant(Some(run.submitted_unix_us))),
        ]
    }));
    let more = all.saturating_sub(table.rows.len());
    let more = if more > 0 { format!("<p class=\"note\">And {more} more.</p>\n") } else { String::new() };
    title + &table.html() + &more
}

/// The part of the page about the platforms.
pub fn platforms(all: &[Platform]) -> String {
    let mut html = "<h2 id=\"status\">Platforms</h2>\n".to_owned();
    for platform in all {
        html += &format!("<h3>{}</h3>\n", escaped(&visible(&platform.name)));
        if platform.facts.is_empty() {
            html += "<p class=\"soft\">It reports nothing.</p>\n";
            continue;
        }
        let facts = platform.facts.iter();
        let facts = facts.map(|(name, value)| {
            format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(&visible(name)), sentence(value))
        });
        html += &format!("<dl class=\"facts-of-run\">\n{}</dl>\n", facts.collect::<String>());
    }
    html
}
