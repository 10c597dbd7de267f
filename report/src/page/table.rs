//! Tables of a page.

use std::fmt::Write as _;

use crate::figure::text::{escaped, visible};

/// A cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    /// As it is shown.
    text: String,
    /// Below it, smaller.
    below: String,
    /// The value itself, by which rows are sorted.
    value: Option<f64>,
    /// Of which figure of the summary it is the value.
    figure: Option<String>,
    is_text: bool,
    is_name: bool,
}

impl Cell {
    /// Text from wherever.
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self { text: visible(text.as_ref()), is_text: true, ..Self::default() }
    }

    /// The name of a figure, which stays on one line.
    pub(crate) fn name(name: &str) -> Self {
        Self { is_name: true, ..Self::text(name) }
    }

    /// A number, which may not be known.
    pub(crate) fn number(value: Option<f64>, text: impl FnOnce(f64) -> String) -> Self {
        let shown = value.map_or_else(|| super::units::UNKNOWN.to_owned(), text);
        Self { text: shown, value, ..Self::default() }
    }

    /// A word in place of a number.
    pub(crate) fn word(word: &str) -> Self {
        Self { text: word.to_owned(), ..Self::default() }
    }

    /// A count.
    pub(crate) fn count(count: u64) -> Self {
        Self { text: count.to_string(), value: Some(count as f64), ..Self::default() }
    }

    /// The value of this figure of summary.json.
    pub(crate) fn of(mut self, figure: impl Into<String>) -> Self {
        self.figure = Some(figure.into());
        self
    }

    /// With more below it.
    pub(crate) fn with(mut self, below: impl Into<String>) -> Self {
        self.below = below.into();
        self
    }

    fn html(&self, html: &mut String) {
        let class = match (self.is_text, self.is_name) {
            (true, true) => " class=\"text name\"",
            (true, false) => " class=\"text\"",
            (false, _) => "",
        };
        let value = self.value.map(|value| format!(" data-v=\"{value}\"")).unwrap_or_default();
        let figure = self.figure.as_ref().map(|figure| format!(" data-f=\"{}\"", escaped(figure))).unwrap_or_default();
        let _written = write!(html, "<td{class}{figure}{value}>{}", escaped(&self.text));
        if !self.below.is_empty() {
            let _written = write!(html, "<small>{}</small>", escaped(&self.below));
        }
        html.push_str("</td>");
    }
}

/// A table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// What it shows.
    pub(crate) caption: String,
    /// Its columns.
    pub(crate) head: Vec<String>,
    /// Its rows.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Whether a reader may sort it.
    pub(crate) is_sortable: bool,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(caption: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|name| (*name).to_owned()).collect();
        Self { caption: caption.to_owned(), head, rows: Vec::new(), is_sortable: false }
    }

    /// The same, to be sorted by a reader.
    pub(crate) fn sortable(mut self) -> Self {
        self.is_sortable = true;
        self
    }

    /// As HTML; empty where it has no rows.
    pub(crate) fn html(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let class = if self.is_sortable { " class=\"sortable\"" } else { "" };
        let caption = escaped(&self.caption);
        let mut html = format!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\"><table{class}><caption>{caption}</caption><thead><tr>"
        );
        for (place, name) in self.head.iter().enumerate() {
            let is_text = self.rows.iter().any(|row| row.get(place).is_some_and(|cell| cell.is_text));
            let class = if is_text { " class=\"text\"" } else { "" };
            let _written = write!(html, "<th scope=\"col\"{class}>{}</th>", escaped(name));
        }
        html.push_str("</tr></thead><tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            row.iter().for_each(|cell| cell.html(&mut html));
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>\n");
        html
    }
}
