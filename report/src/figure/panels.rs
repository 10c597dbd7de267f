//! Small multiples: several figures as one SVG, and their values as one table.

use std::fmt::Write as _;

use csv::{ReaderBuilder, Writer};

use super::{
    data::{self, csv},
    draw::{dark, drawn, svg},
    parts::Figure,
    style::Style,
    text::{escaped, number, visible},
};

/// Figures side by side, so many in a row. The style's width is that of all, its height that of each row.
pub fn panels(figures: &[Figure], style: &Style, columns: usize) -> String {
    if let [figure] = figures {
        return svg(figure, style);
    }
    let columns = columns.clamp(1, figures.len().max(1));
    let panel = Style { width: style.width / columns as f64, is_alone: false, ..*style };
    let highest = figures.iter().map(|figure| panel.for_figure(figure).height).fold(panel.height, f64::max);
    let panel = Style { height: highest, may_grow: false, ..panel };
    let rows = figures.len().div_ceil(columns);
    let (width, height) = (number(style.width), number(panel.height * rows as f64));
    let size = if style.is_alone { format!(" width=\"{width}\" height=\"{height}\"") } else { String::new() };
    let titles = figures.iter().map(|figure| escaped(&visible(&figure.title))).collect::<Vec<_>>().join("; ");
    let mut all = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"group\" aria-label=\"{titles}\" viewBox=\"0 0 {width} {height}\"{size}>"
    );
    if style.is_alone && !style.is_bw {
        all.push_str(&dark());
    }
    for (place, figure) in figures.iter().enumerate() {
        let (row, column) = (place / columns, place % columns);
        let attributes = format!(
            " x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            number(panel.width * column as f64),
            number(panel.height * row as f64),
            number(panel.width),
            number(panel.height)
        );
        let _written = write!(all, "\n{}", drawn(figure, &panel, &attributes));
    }
    all.push_str("</svg>\n");
    all
}

/// The values of several figures as CSV: those of one as [`csv()`] has them, else a row for each value with the title of its figure.
pub fn panels_csv(figures: &[Figure]) -> String {
    if let [figure] = figures {
        return csv(figure);
    }
    data::text(|writer| rows(writer, figures))
}

fn rows(writer: &mut Writer<Vec<u8>>, figures: &[Figure]) -> csv::Result<()> {
    for (place, figure) in figures.iter().enumerate() {
        let values = data::long_csv(figure);
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(values.as_bytes());
        for (line, row) in reader.records().enumerate() {
            let row = row?;
            let first = if line == 0 { "figure" } else { figure.title.as_str() };
            // One header is enough.
            if line > 0 || place == 0 {
                writer.write_record(std::iter::once(first).chain(row.iter()))?;
            }
        }
    }
    Ok(())
}
