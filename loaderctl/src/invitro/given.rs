//! The keys that a configuration gives, with their types, and the faults and notes on the way.

use std::collections::BTreeMap;

use loader_proto::json::Fault;
use serde_json::{Map, Value};

use super::keys::Key;

/// Minimum similarity (Jaro-Winkler) of a known name to be suggested.
const ALIKE: f64 = 0.8;

/// Most unknown keys that are named.
const NAMED: usize = 20;

/// What begins the field of a fault in a configuration of InVitro.
pub(crate) const LABEL: &str = "InVitro's ";

/// The keys of a configuration, as they are read one by one.
#[derive(Debug)]
pub(super) struct Given {
    /// All that there are.
    keys: &'static [Key],
    values: BTreeMap<&'static str, Value>,
    /// What the user should know, in the order of the keys.
    pub(super) notes: Vec<String>,
    /// What cannot be done.
    pub(super) faults: Vec<Fault>,
}

impl Given {
    /// Takes the keys of a document, which are some of `keys`. Unknown ones are faults, or with `lenient` notes.
    pub(super) fn new(document: &Map<String, Value>, keys: &'static [Key], lenient: bool) -> Self {
        let mut given = Self { keys, values: BTreeMap::new(), notes: Vec::new(), faults: Vec::new() };
        let mut unknown = Vec::new();
        let mut spelled = BTreeMap::new();
        for (name, value) in document {
            match Key::named(keys, name) {
                None => unknown.push(name),
                Some(key) => {
                    if let Some(other) = spelled.insert(key.name, name) {
                        given.fault(key.name, format!("is given twice, as {other} and {name}"));
                    }
                    // As there, null is as good as absent.
                    if !value.is_null() {
                        given.values.insert(key.name, value.clone());
                    }
                }
            }
        }
        for name in unknown.iter().take(NAMED) {
            let like = like(keys, name).map(|like| format!("; did you mean {like}?")).unwrap_or_default();
            if lenient {
                given.notes.push(format!("left out {name}: InVitro has no such key{like}"));
            } else {
                given.fault(name, format!("is no key of InVitro's{like} (--lenient leaves it out)"));
            }
        }
        if unknown.len() > NAMED {
            let more = format!("and {} more unknown keys", unknown.len() - NAMED);
            if lenient { given.notes.push(more) } else { given.fault("keys", more) }
        }
        given
    }

    /// The fields that the given keys may set, and the keys as messages name them. A 0 adds nothing to what others set.
    pub(super) fn origins(&self) -> Vec<(String, String)> {
        let sets = |key: &&Key| self.values.get(key.name).is_some_and(|value| value != 0);
        let given = self.keys.iter().filter(sets);
        let fields = given.flat_map(|key| key.fields.iter().map(move |field| (*field, key.name)));
        fields.map(|(field, key)| (field.to_owned(), format!("{LABEL}{key}"))).collect()
    }

    /// A text. An empty one is absent, as there.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.values.get(key)?;
        let Some(text) = value.as_str() else {
            self.mismatch(key, "text");
            return None;
        };
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A whole number from 0, of any size.
    pub(super) fn seed(&mut self, key: &'static str) -> Option<u64> {
        self.whole_to(key, u64::MAX)
    }

    /// A whole number from 0.
    pub(super) fn whole(&mut self, key: &'static str) -> Option<u64> {
        self.whole_to(key, u32::MAX.into())
    }

    fn whole_to(&mut self, key: &'static str, most: u64) -> Option<u64> {
        // 2.0 is a whole number in JSON, and not for the reader there.
        let whole = self.values.get(key)?.as_u64();
        match whole {
            Some(whole) if whole > most => self.mismatch(key, &format!("at most {most}")),
            None => self.mismatch(key, "a whole number from 0"),
            Some(_) => {}
        }
        whole.filter(|whole| *whole <= most)
    }

    /// A number from 0.
    pub(super) fn number(&mut self, key: &'static str) -> Option<f64> {
        let number = self.values.get(key)?.as_f64().filter(|number| *number >= 0.0);
        if number.is_none() {
            self.mismatch(key, "a number from 0");
        }
        number
    }

    /// Whether a key is true.
    pub(super) fn is_true(&mut self, key: &'static str) -> bool {
        let Some(value) = self.values.get(key) else { return false };
        let switch = value.as_bool();
        if switch.is_none() {
            self.mismatch(key, "true or false");
        }
        switch == Some(true)
    }

    /// Notes that a key that is given is left out.
    pub(super) fn drop(&mut self, key: &'static str) {
        let reason = Key::named(self.keys, key).map(|key| key.reason).unwrap_or_default();
        self.drop_for(key, reason);
    }

    /// Notes that a key that is given is left out, for a reason of its own.
    pub(super) fn drop_for(&mut self, key: &'static str, reason: &str) {
        if let Some(value) = self.values.get(key) {
            self.notes.push(format!("dropped {key} ({value}): {reason}"));
        }
    }

    /// Notes what is taken for a key that is absent.
    pub(super) fn absent(&mut self, key: &'static str, taken: &str) {
        self.notes.push(format!("{key} is absent: {taken}"));
    }

    /// Notes what a key that is taken means here.
    pub(super) fn note(&mut self, key: &'static str, meaning: &str) {
        self.notes.push(format!("{key}: {meaning}"));
    }

    /// Notes what is wrong with a key, once.
    pub(super) fn fault(&mut self, key: &str, description: String) {
        let field = format!("{LABEL}{key}");
        if !self.faults.iter().any(|fault| fault.field == field) {
            self.faults.push(Fault { field, description });
        }
    }

    fn mismatch(&mut self, key: &'static str, expected: &str) {
        if let Some(value) = self.values.get(key) {
            let description = format!("must be {expected}, not {value}");
            self.fault(key, description);
        }
    }
}

/// The known key that is most like a name.
fn like(keys: &[Key], name: &str) -> Option<&'static str> {
    let alike = |key: &Key| strsim::jaro_winkler(&key.name.to_lowercase(), &name.to_lowercase());
    let nearest = keys.iter().map(|key| (alike(key), key.name));
    nearest.filter(|(alike, _)| *alike >= ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name)
}
