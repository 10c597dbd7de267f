//! The list of runs: searched, each with its report, and ticked to be compared.

use crate::{
    figure::text::{escaped, sentence, visible},
    page::{Outlook, units},
};

/// A run of the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// Its mode.
    pub mode: String,
    /// Its platform.
    pub platform: String,
    /// Its state, such as `succeeded`.
    pub state: String,
    /// When it was submitted, Unix microseconds.
    pub submitted_unix_us: i64,
    /// How many seconds passed from its start to its end; absent before that.
    pub seconds: Option<f64>,
    /// What is said of its figures; absent before its end.
    pub outlook: Option<Outlook>,
}

/// What was searched, and what of it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The text; empty: all runs.
    pub text: String,
    /// The id behind which the next page begins; absent on the last one.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub is_later_page: bool,
}

/// The part of the page about the runs.
pub fn runs(runs: &[Listed], search: &Search) -> String {
    let text = sentence(&search.text);
    let mut html = format!(
        "<h2 id=\"list\">Runs</h2>\n<form method=\"get\" action=\"/\" role=\"search\"><label>Search \
         <input type=\"search\" name=\"q\" maxlength=\"200\" value=\"{text}\"></label> <button>Find</button> \
         <span class=\"soft\">words of name, id, mode, platform or state</span></form>\n"
    );
    if runs.is_empty() {
        let nothing = if search.text.is_empty() { "There are no runs yet." } else { "No run has these words." };
        return html + &format!("<p>{nothing}</p>\n");
    }
    html += "<form method=\"get\" action=\"/compare\">\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Runs\">\
             <table class=\"runs\"><caption>Newest first. Tick runs as A and as B to compare them.</caption><thead><tr>\
             <th scope=\"col\" class=\"text\">run</th><th scope=\"col\" class=\"text\">state</th>\
             <th scope=\"col\" class=\"text\">verdict</th><th scope=\"col\" class=\"text\">mode</th>\
             <th scope=\"col\" class=\"text\">submitted</th><th scope=\"col\">took</th><th scope=\"col\">A</th><th scope=\"col\">B</th>\
             </tr></thead><tbody>\n";
    html.extend(runs.iter().map(row));
    html += "</tbody></table></div>\n<p><button>Compare B with A</button></p></form>\n";
    html + &pages(search)
}

fn pages(search: &Search) -> String {
    let query = |before: &str| {
        let pairs =
            [("q", search.text.as_str()), ("before", before)].into_iter().filter(|(_, value)| !value.is_empty());
        pairs.map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect::<Vec<_>>().join("&amp;")
    };
    let newest = search.is_later_page.then(|| format!("<a href=\"/?{}#list\">Newest</a>", query("")));
    let older = search.next.as_ref().map(|next| format!("<a href=\"/?{}#list\">Older</a>", query(next)));
    let links: Vec<_> = [newest, older].into_iter().flatten().collect();
    if links.is_empty() { String::new() } else { format!("<p>{}</p>\n", links.join(" · ")) }
}

/// Text for a query, all of whose bytes but letters and digits are encoded.
fn percent_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}

fn row(run: &Listed) -> String {
    let id = escaped(&visible(&run.id));
    let name = escaped(&visible(if run.name.is_empty() { &run.id } else { &run.name }));
    let (state, mode, platform) = (run.state.replace('_', " "), &run.mode, &run.platform);
    let [state, mode, platform] = [&state, mode, platform].map(|text| escaped(&visible(text)));
    let verdict = match &run.outlook {
        Some(outlook) => {
            let (class, title, text) = (outlook.class, sentence(&outlook.title), sentence(&outlook.text));
            format!("<span class=\"{class}\"><b>{title}</b></span><small>{text}</small>")
        }
        None => String::new(),
    };
    let shown = if run.outlook.is_some() {
        format!("<a href=\"/runs/{id}\"><bdi>{name}</bdi></a>")
    } else {
        format!("<bdi>{name}</bdi>")
    };
    let tick = |group: &str| {
        let field = group.to_lowercase();
        if run.outlook.is_none() {
            return "<td></td>".to_owned();
        }
        format!(
            "<td><input type=\"checkbox\" name=\"{field}\" value=\"{id}\" aria-label=\"{name} ({id}) in {group}\"></td>"
        )
    };
    format!(
        "<tr><td class=\"text\">{shown}<small>{id}</small></td><td class=\"text\">{state}</td><td class=\"text\">{verdict}</td>\
         <td class=\"text\">{mode}<small>{platform}</small></td><td class=\"text\">{}</td><td>{}</td>{}{}</tr>\n",
        units::instant(Some(run.submitted_unix_us)),
        run.seconds.map_or(units::UNKNOWN.to_owned(), units::seconds),
        tick("A"),
        tick("B"),
    )
}
