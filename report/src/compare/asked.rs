//! What a run asked for, field by field.

use std::collections::BTreeMap;

use loader_proto::json::{Integers, to_value};
use serde_json::Value;

use crate::run::Run;

/// What a run asked for, by field; absent where that is not known. Its name is no part of it.
pub(super) fn asked(run: &Run) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    flatten("", &to_value(run.documents.spec.as_ref()?, Integers::Numbers), &mut fields);
    fields.remove("name");
    if let Some(summary) = run.summary() {
        // The default platform is the daemon's, which the spec does not say.
        fields.insert("platform".to_owned(), summary.platform.clone());
        fields.insert("mode".to_owned(), summary.mode.clone());
    }
    Some(fields)
}

fn flatten(path: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| flatten(&inner(name), value, fields)),
        Value::Null => {}
        Value::String(text) => drop(fields.insert(path.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => drop(fields.insert(path.to_owned(), value.to_string())),
    }
}
