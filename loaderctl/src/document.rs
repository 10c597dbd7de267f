//! A spec as a JSON document, whose fields are set by their paths.

use serde_json::{Map, Value, json};

/// The fields of a document.
pub(crate) type Document = Map<String, Value>;

/// Sets a field by its path, and makes the groups on the way; without a value, makes a group. What exists and is no
/// group is left: the reader reports it.
pub(crate) fn set(document: &mut Document, path: &str, value: Option<Value>) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    if let (None, Some(value)) = (rest, &value) {
        document.insert(first.to_owned(), value.clone());
        return;
    }
    let group = document.entry(first).or_insert(Value::Null);
    if group.is_null() {
        *group = json!({});
    }
    if let (Some(rest), Value::Object(group)) = (rest, group) {
        set(group, rest, value);
    }
}
