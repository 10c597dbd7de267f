//! Tables without lines, two spaces between columns, nothing behind the last.

use comfy_table::{CellAlignment, Table, presets};

pub(super) type Rows = Vec<Vec<String>>;

/// A table of figures: the first column is text, the others are right-aligned numbers.
pub(super) fn figures(header: &[&str], rows: Rows) -> String {
    render(Some(header), rows, CellAlignment::Right)
}

/// A table of text, left-aligned.
pub(super) fn text(header: &[&str], rows: Rows) -> String {
    render(Some(header), rows, CellAlignment::Left)
}

/// Names and values; those without a value are left out.
pub(super) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let rendered = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    render(None, rendered.map(|(name, value)| vec![name.to_owned(), value]).collect(), CellAlignment::Left)
}

/// At most `shown` rows of a table, and how many there are more.
pub(super) fn first(header: &[&str], rows: Rows, shown: usize) -> String {
    let more = rows.len().saturating_sub(shown);
    let mut text = figures(header, rows.into_iter().take(shown).collect());
    if more > 0 {
        text.push_str(&format!("... and {more} more\n"));
    }
    text
}

fn render(header: Option<&[&str]>, rows: Rows, alignment: CellAlignment) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(header) = header {
        table.set_header(header.to_vec());
    }
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index > 0 {
            column.set_cell_alignment(alignment);
        }
    }
    table.trim_fmt() + "\n"
}
