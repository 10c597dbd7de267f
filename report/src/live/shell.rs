//! The page around its parts, the login, and messages.

use crate::{figure::text::sentence, page::hash};

const STYLE: &str = concat!(include_str!("../page/style.css"), include_str!("live.css"));
const SCRIPT: &str = include_str!("live.js");

/// The parts that change, each as HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// The run under way.
    pub run: String,
    /// The queue.
    pub queue: String,
    /// The platforms.
    pub platforms: String,
}

/// The policy of the page, for its header: nothing is loaded from elsewhere, and nothing runs but its own script.
pub fn policy() -> String {
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// The whole page of a daemon on `host`: its parts, and the list of runs. Whoever has logged in may log out.
pub fn page(host: &str, version: &str, parts: &Parts, runs: &str, has_session: bool) -> String {
    let Parts { run, queue, platforms } = parts;
    let host = sentence(host);
    let out = if has_session {
        "<form method=\"post\" action=\"/session/end\" class=\"out\"><button>Log out</button></form>"
    } else {
        ""
    };
    let body = format!(
        "<header class=\"bar\"><h1>loader on <bdi>{host}</bdi></h1>{out}<p class=\"soft\">version {version} · \
         <span id=\"connection\" role=\"status\">as of the moment at which this page was loaded</span></p></header>\n<main>\n\
         <section id=\"run\" aria-labelledby=\"now\">\n{run}</section>\n<section id=\"queue\" aria-labelledby=\"waiting\">\n{queue}</section>\n\
         <section id=\"runs\" aria-labelledby=\"list\">\n{runs}</section>\n\
         <section id=\"platforms\" aria-labelledby=\"status\">\n{platforms}</section>\n</main>\n"
    );
    document(&format!("loader on {host}"), "live", &body)
}

/// The page for those who are not known yet, with the reason why.
pub fn login(reason: &str) -> String {
    let body = format!(
        "<header><h1>loader</h1></header>\n<main>\n<p id=\"reason\" role=\"status\">{}</p>\n<form method=\"post\" action=\"/session\">\
         <p><label>Token <input type=\"password\" name=\"token\" required maxlength=\"512\" autocomplete=\"off\"></label> \
         <button>Log in</button></p></form>\n<p class=\"soft\">Or run <code>loaderctl dashboard</code>, and open the address that it \
         prints.</p>\n</main>\n",
        sentence(reason)
    );
    document("loader: log in", "login", &body)
}

/// A page that says one thing.
pub fn message(title: &str, text: &str) -> String {
    let (title, text) = (sentence(title), sentence(text));
    let body =
        format!("<header><h1>{title}</h1></header>\n<main><p>{text}</p><p><a href=\"/\">All runs</a></p></main>\n");
    document(&title, "message", &body)
}

fn document(title: &str, kind: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body data-kind=\"{kind}\">\n{body}<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}
