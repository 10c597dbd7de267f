//! What a file's beginning says of what it holds: the columns of a table, or the first key of a JSON object.

use super::files::Files;
use super::problem::Problem;
use super::table::columns;
use super::unpack::peek;

/// Bytes in which the first key of a JSON object is looked for.
const BEGINNING: usize = 4096;

/// What a file begins with.
#[derive(Debug)]
pub(super) enum Header {
    /// The names of a table's columns.
    Columns(Vec<String>),
    /// The first key of a JSON object.
    Json(String),
}

impl Header {
    /// Reads it from the file `name`.
    pub(super) fn of(files: &Files<'_>, name: &str) -> Result<Self, Problem> {
        let (head, file) = peek(files.open(name)?, BEGINNING)?;
        match first_key(&head) {
            Some(key) => Ok(Self::Json(key)),
            None => columns(file).map(Self::Columns),
        }
    }

    /// Whether it is that of a table with all these columns.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.any(|column| column == *name))
    }

    /// Whether it is that of a table with a column for which `is` holds.
    pub(super) fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        matches!(self, Self::Columns(columns) if columns.iter().any(|column| is(column)))
    }

    /// For messages: its first columns.
    pub(super) fn summary(&self) -> String {
        const SHOWN: usize = 4;
        match self {
            Self::Json(key) => format!("a JSON object that begins with {key:?}"),
            Self::Columns(columns) => {
                let mut shown: Vec<String> =
                    columns.iter().take(SHOWN).map(|column| column.chars().take(24).collect()).collect();
                if columns.len() > SHOWN {
                    shown.push("…".to_owned());
                }
                format!("columns {}", shown.join(", "))
            }
        }
    }
}

/// The first key of a JSON object; none of other text.
fn first_key(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let inner = text.trim_start_matches('\u{feff}').trim_start().strip_prefix('{')?;
    let quoted = inner.trim_start().strip_prefix('"')?;
    quoted.split_once('"').map(|(key, _)| key.to_owned())
}

/// Whether a file of this kind can be told by its header at all, for messages about others.
pub(super) fn told(header: &Result<Header, Problem>) -> String {
    match header {
        Ok(header) => header.summary(),
        Err(problem) => problem.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_tables() {
        for (text, key) in [
            ("{\"IAT\":[1]}", Some("IAT")),
            ("\u{feff} {\n  \"iat\" : []", Some("iat")),
            ("{}", None),
            ("a,b\n", None),
            ("", None),
            ("[1]", None),
        ] {
            assert_eq!(first_key(text.as_bytes()).as_deref(), key, "{text:?}");
        }
    }
}
