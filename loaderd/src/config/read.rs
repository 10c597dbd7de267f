//! Reads a TOML document key by key, and records every fault with its line.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use loader_proto::json::bracketed;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Jaro-Winkler similarity from which a known key is suggested for an unknown one.
const MIN_SIMILARITY: f64 = 0.7;

/// Reads a document with `read`.
///
/// # Errors
/// Every fault, in the order of the document.
pub(super) fn document<T>(text: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> Result<T, Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<_> = errors
        .iter()
        .map(|error| Fault {
            line: line(text, error.span().map_or(0, |span| span.start)),
            key: String::new(),
            description: error.message().to_owned(),
        })
        .collect();
    let mut section =
        Section { text, name: String::new(), table: table.get_ref(), known: Vec::new(), faults: &mut faults };
    let value = read(&mut section);
    section.finish();
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(value) } else { Err(faults) }
}

/// What was meant by an address of IPv6 without its brackets; empty for other values.
fn meant(given: &DeValue<'_>) -> String {
    let of_text = |value: &DeValue<'_>| value.as_str().and_then(bracketed);
    let items = given.as_array().into_iter().flatten().find_map(|item| of_text(item.get_ref()));
    of_text(given).or(items).map(|right| format!("; did you mean {right}?")).unwrap_or_default()
}

/// The line of a byte, from 1.
fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// A table of the document, read key by key.
pub(super) struct Section<'a> {
    text: &'a str,
    name: String,
    table: &'a DeTable<'a>,
    known: Vec<&'static str>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Section<'a> {
    /// Reads the key into `value`, if it exists.
    pub(super) fn take<T: FromToml>(&mut self, key: &'static str, value: &mut T) {
        self.known.push(key);
        let Some((at, given)) = self.find(key) else { return };
        match T::from_toml(given) {
            Ok(read) => *value = read,
            Err(wanted) => self.fault(at, key, format!("must be {wanted}, not {}{}", show(given), meant(given))),
        }
    }

    /// Reads a number that must lie within bounds.
    pub(super) fn take_within<T>(&mut self, key: &'static str, value: &mut T, bounds: RangeInclusive<T>)
    where
        T: FromToml + PartialOrd + std::fmt::Display,
    {
        let mut read = None;
        self.take(key, &mut read);
        let Some(read) = read else { return };
        if bounds.contains(&read) {
            *value = read;
        } else if let Some((at, _)) = self.find(key) {
            let description = format!("must be between {} and {}, not {read}", bounds.start(), bounds.end());
            self.fault(at, key, description);
        }
    }

    /// Reads a table within this one, if it exists.
    pub(super) fn section(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_>)) {
        self.known.push(key);
        let Some((at, given)) = self.find(key) else { return };
        let DeValue::Table(table) = given else {
            return self.fault(at, key, format!("must be a section, [{key}], not {}", show(given)));
        };
        let name = self.path(key);
        let mut section = Section { text: self.text, name, table, known: Vec::new(), faults: self.faults };
        read(&mut section);
        section.finish();
    }

    /// Notes a fault for each key that was not read.
    fn finish(&mut self) {
        for (key, value) in self.table {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                let description = unknown(name, &self.known);
                self.fault(value.span().start.min(key.span().start), name, description);
            }
        }
    }

    fn find(&self, key: &str) -> Option<(usize, &'a DeValue<'a>)> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(name, value)| (name.span().start, value.get_ref()))
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn fault(&mut self, at: usize, key: &str, description: String) {
        self.faults.push(Fault { line: line(self.text, at), key: self.path(key), description });
    }
}

/// A value as a fault shows it.
fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        DeValue::Boolean(boolean) => boolean.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a section".to_owned(),
    }
}

fn unknown(key: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(key, known), known))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY);
    match nearest {
        Some((_, nearest)) => format!("unknown key; did you mean {nearest}?"),
        None => format!("unknown key; known are {}", known.join(", ")),
    }
}

/// A value that can be read from TOML; the error says what is expected.
pub(super) trait FromToml: Sized {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str>;
}

impl<T: FromToml> FromToml for Option<T> {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        T::from_toml(value).map(Some)
    }
}

impl<T: FromToml> FromToml for Vec<T> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a single value is a list of one")]
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        match value {
            DeValue::Array(items) => {
                items.iter().map(|item: &Spanned<DeValue<'_>>| T::from_toml(item.get_ref())).collect()
            }
            one => T::from_toml(one).map(|one| vec![one]),
        }
    }
}

/// A value in the form of a string.
fn parsed<T: FromStr>(value: &DeValue<'_>, wanted: &'static str) -> Result<T, &'static str> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or(wanted)
}

impl FromToml for String {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        parsed(value, "text")
    }
}

impl FromToml for PathBuf {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        parsed(value, "a path")
    }
}

impl FromToml for SocketAddr {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        parsed(value, "an address such as \"127.0.0.1:9470\"")
    }
}

impl FromToml for log::LevelFilter {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        parsed(value, "one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\"")
    }
}

impl FromToml for bool {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        value.as_bool().ok_or("true or false")
    }
}

/// The entries of a table, each read by `read`.
pub(super) fn named<T>(value: &DeValue<'_>, read: impl Fn(String, &DeValue<'_>) -> Option<T>) -> Option<Vec<T>> {
    let DeValue::Table(table) = value else { return None };
    let one = |(name, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        read(name.get_ref().clone().into_owned(), value.get_ref())
    };
    table.iter().map(one).collect()
}

impl FromToml for Duration {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        let wanted = "a duration such as \"30s\" or \"500ms\"";
        value.as_str().and_then(|text| humantime::parse_duration(text).ok()).ok_or(wanted)
    }
}

impl FromToml for f64 {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only these two are numbers")]
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        let text = match value {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) => integer.as_str(),
            _ => return Err("a number"),
        };
        text.replace('_', "").parse().map_err(|_| "a number")
    }
}

/// A whole number that is not negative.
fn whole<T: TryFrom<u64>>(value: &DeValue<'_>) -> Result<T, &'static str> {
    let number = value.as_integer().and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok());
    number.and_then(|number| T::try_from(number).ok()).ok_or("a whole number")
}

impl FromToml for u64 {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        whole(value)
    }
}

impl FromToml for u32 {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        whole(value)
    }
}

impl FromToml for usize {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        whole(value)
    }
}

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The key with its section, such as `local.max_instances`; empty for the whole file.
    pub key: String,
    /// The problem, and what is expected.
    pub description: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.key.is_empty() { "" } else { ": " };
        write!(f, "line {}: {}{separator}{}", self.line, self.key, self.description)
    }
}
