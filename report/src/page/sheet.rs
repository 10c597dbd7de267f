//! A page of figures and tables that are of no run, such as those of a trace.

use super::{
    document::{each_chart, with_footer},
    table::{Cell, Table},
};
use crate::figure::{
    Figure,
    text::{escaped, visible},
};

/// A page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// What it is of.
    pub title: String,
    /// The most important of it, in few words.
    pub lead: String,
    /// What it is of, in more words.
    pub about: String,
    /// Its sections, in their order.
    pub sections: Vec<Section>,
    /// From what it was made, and where is said what it means.
    pub source: String,
}

/// A part of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// Its heading.
    pub name: &'static str,
    /// Its name in links: lower case letters, digits and hyphens.
    pub id: &'static str,
    /// Its figures.
    pub figures: Vec<Figure>,
    /// Its tables, below the figures.
    pub listings: Vec<Listing>,
}

/// A table of text and of numbers as they are shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    /// What it shows.
    pub caption: String,
    /// The names of its columns.
    pub head: Vec<String>,
    /// Its rows; the first of each is its name.
    pub rows: Vec<Vec<String>>,
}

/// The page as one HTML file that loads nothing; the same content gives the same bytes.
pub fn sheet_html(sheet: &Sheet) -> String {
    let Sheet { title, lead, about, sections, source } = sheet;
    let [title, lead, about, source] = [title, lead, about, source].map(|text| shown(text));
    let header = format!(
        "<h1><bdi>{title}</bdi></h1>\n<p class=\"soft\">{about}</p>\n<div class=\"lead open\"><strong>{lead}</strong></div>\n"
    );
    let sections: Vec<_> = sections.iter().map(|section| (section.name, section.id, content(section))).collect();
    with_footer(&title, &header, &sections, &source)
}

/// Text from wherever, word by word, as it is shown in HTML.
fn shown(text: &str) -> String {
    escaped(&text.split(' ').map(visible).collect::<Vec<_>>().join(" "))
}

fn content(section: &Section) -> String {
    let drawn = section.figures.iter().filter(|figure| !figure.is_empty()).cloned();
    let tables: String = section.listings.iter().map(|listing| table(listing).html()).collect();
    each_chart(drawn) + &tables
}

fn table(listing: &Listing) -> Table {
    let head: Vec<&str> = listing.head.iter().map(String::as_str).collect();
    let mut table = Table::new(&listing.caption, &head);
    for row in &listing.rows {
        let mut cells = row.iter();
        let name = cells.next().map(Cell::text);
        table.rows.push(name.into_iter().chain(cells.map(|cell| Cell::word(&visible(cell)))).collect());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Curve, Layer, Quantity, Scale};

    fn sheet(name: &str) -> Sheet {
        let axis = || Axis::new("value", Quantity::Number, Scale::Linear);
        let mut figure = Figure::new("rate", "Rate", axis(), axis());
        figure.layers.push(Layer::Line(Curve::new(name, 0, [(0.0, Some(1.0)), (1.0, Some(2.0))])));
        let empty = Figure::new("nothing", "Nothing", axis(), axis());
        let listing = Listing {
            caption: "Load".to_owned(),
            head: vec!["of".to_owned(), "mean".to_owned()],
            rows: vec![vec![name.to_owned(), "5/s".to_owned()]],
        };
        let section = Section { name: "Over time", id: "time", figures: vec![figure, empty], listings: vec![listing] };
        let none = Section { name: "Sizes", id: "sizes", ..Section::default() };
        let texts = |text: &str| format!("{text} {name}");
        Sheet {
            title: texts("Trace"),
            lead: texts("Lead"),
            about: texts("About"),
            sections: vec![section, none],
            source: texts("Made of"),
        }
    }

    #[test]
    fn a_page_has_what_there_is_and_nothing_else() {
        let page = sheet_html(&sheet("day"));
        assert!(
            page.contains("<h2 id=\"time\">Over time</h2>") && !page.contains("Sizes") && !page.contains("Nothing")
        );
        assert!(page.contains("<td class=\"text\">day</td><td>5/s</td>"), "{page}");
        assert!(page.contains("Content-Security-Policy") && page.contains("<footer><p>Made of day</p></footer>"));
        assert_eq!(page, sheet_html(&sheet("day")));
    }

    #[test]
    fn names_from_a_trace_are_text() {
        let page = sheet_html(&sheet("<script>alert(1)</script>\u{202e}"));
        assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'));
    }
}
