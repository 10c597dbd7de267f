//! What every page is made of: a document that holds its own style and script, and figures with their data.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

use crate::figure::{self, Figure, Style, text::escaped};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A page: its title and its header, as HTML, and its sections that are not empty: name, id, content.
pub(super) fn document(title: &str, header: &str, sections: &[(&str, &str, String)]) -> String {
    let mut html = head(title);
    html += &format!("<header>\n{header}</header>\n<main>\n");
    for (name, id, content) in sections {
        if !content.is_empty() {
            html += &format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{name}</h2>\n{content}</section>\n");
        }
    }
    html += "</main>\n<footer><p>Made by loader from the run's directory. What each figure means: docs/definitions.md. \
             Each figure alone, for papers: <code>loaderctl plot</code>.</p></footer>\n";
    html + &format!("<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

/// The source of a style or a script in the policy.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())))
}

fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"\
         default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title} – loader report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Figures beside each other.
pub(super) fn each_chart(figures: impl Iterator<Item = Figure>) -> String {
    let drawn: String = figures.map(|figure| chart(&figure)).collect();
    if drawn.is_empty() { drawn } else { format!("<div class=\"charts\">\n{drawn}</div>\n") }
}

/// A figure with its caption and its data.
fn chart(figure: &Figure) -> String {
    let figure = figure.thinned().presentable();
    let (name, title) = (&figure.name, escaped(&figure.title));
    let (finding, facts) = (escaped(&figure.finding), escaped(&figure.facts.text()));
    let svg = figure::svg(&figure, &Style::PAGE);
    let data = escaped(&figure::csv(&figure));
    format!(
        "<figure class=\"chart\" id=\"{name}\">\n<figcaption><h3>{title}</h3><p>{finding}</p></figcaption>\n{svg}\
         <p class=\"facts\">{facts}</p>\n<details class=\"data\"><summary>Data as CSV</summary><pre class=\"data\" tabindex=\"0\">{data}</pre></details>\n</figure>\n"
    )
}
