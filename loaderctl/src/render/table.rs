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

/// Takes those of some columns out of a table that have the same text in all of its rows: these as text, and the rest.
pub(super) fn without_common<'a>(header: &[&'a str], some: &[&str], rows: Rows) -> (String, Vec<&'a str>, Rows) {
    let is_common = |column: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(column));
        let first = cells.next();
        rows.len() > 1 && cells.all(|cell| Some(cell) == first)
    };
    let (common, rest): (Vec<_>, Vec<_>) =
        (0..header.len()).partition(|&column| some.contains(&header[column]) && is_common(column));
    let texts = common.iter().filter_map(|&column| Some(format!("{} {}", header[column], rows.first()?.get(column)?)));
    let common = texts.collect::<Vec<_>>().join(", ");
    let kept = rest.iter().map(|&column| header[column]).collect();
    let keep = |row: Vec<String>| rest.iter().filter_map(|&column| row.get(column).cloned()).collect();
    (common, kept, rows.into_iter().map(keep).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_rows_have_in_common_is_said_once() {
        let rows = |cells: &[[&str; 3]]| -> Rows { cells.iter().map(|row| row.map(str::to_owned).to_vec()).collect() };
        let header = ["slot", "phase", "failed"];
        let table = rows(&[["0", "measure", "3"], ["1", "measure", "3"]]);
        let (common, kept, left) = without_common(&header, &["phase", "slot"], table);
        assert_eq!((common.as_str(), kept), ("phase measure", vec!["slot", "failed"]));
        assert_eq!(left, [["0", "3"], ["1", "3"]]);
        let (common, kept, _) = without_common(&header, &["phase"], rows(&[["0", "measure", "3"]]));
        assert_eq!((common.as_str(), kept), ("", header.to_vec()), "of one row, nothing is common");
    }
}
