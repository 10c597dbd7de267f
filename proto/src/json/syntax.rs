//! What is wrong with a text that is no YAML, in words for its author.

use serde_saphyr::{Error, UserMessageFormatter};

/// The first line of what is wrong, without hints for programmers.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library words all other errors well")]
pub(super) fn describe(error: &Error) -> String {
    let place = error.location().map(|at| format!("line {} column {}: ", at.line(), at.column())).unwrap_or_default();
    match error.without_snippet() {
        Error::MultipleDocuments { .. } => {
            format!("{place}a second document begins: a file holds one, so leave out \"---\" or split the file")
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map(|key| format!(" {key}")).unwrap_or_default();
            format!("{place}the key{key} is there twice: leave one of them out")
        }
        _ => {
            let text = error.render_with_formatter(&UserMessageFormatter);
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            format!("not readable as YAML or JSON: {first}")
        }
    }
}
