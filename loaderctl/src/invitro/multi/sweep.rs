//! A swept key, as an axis of a study: which field of the spec it changes, and to what.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{document::set, invitro::loader::Converted};

use super::member::member;

/// The axis of a sweep. `converted` gives the conversion with a value of its key.
///
/// # Errors
/// Why it has none.
pub(super) fn axis(sweep: &Value, converted: impl Fn(&str, &Value) -> Converted) -> Result<Value, String> {
    let fields = sweep.as_object().ok_or("must hold Field and Values")?;
    let key = member(fields, "Field").and_then(Value::as_str).filter(|key| !key.is_empty()).ok_or("has no Field")?;
    let values = member(fields, "Values").and_then(Value::as_array).filter(|values| !values.is_empty());
    let values = values.ok_or_else(|| format!("{key} has no Values"))?;
    if key.eq_ignore_ascii_case("PreScript") || key.eq_ignore_ascii_case("PostScript") {
        return Err(format!(
            "sweeps {key}, which has no counterpart: the hooks of a study are the same for all of its runs, and find what varies in \
             their environment"
        ));
    }
    let format = member(fields, "Format").and_then(Value::as_str).filter(|format| !format.is_empty());
    let values: Vec<Value> = values.iter().map(|value| formatted(format, value)).collect();
    let mut leaves = Vec::with_capacity(values.len());
    for value in &values {
        let Converted { document, faults, .. } = converted(key, value);
        if let Some(fault) = faults.into_iter().find(|fault| fault.field.ends_with(key)) {
            return Err(format!("{key} with {value}: {}", fault.description));
        }
        leaves.push((leaves_of(&Value::Object(document.clone())), Value::Object(document)));
    }
    let differing = differing(&leaves.iter().map(|(leaves, _)| leaves).collect::<Vec<_>>());
    let field = match differing.as_slice() {
        [] if values.len() > 1 => return Err(format!("sweeps {key}, which has no counterpart in a spec")),
        [] => return Err(format!("sweeps {key} over one value: put it into Config")),
        [only] => only.clone(),
        several => {
            let group = several[0].split('.').next().unwrap_or_default().to_owned();
            if several.iter().any(|path| path.split('.').next() != Some(&group)) {
                return Err(format!("sweeps {key}, which changes {}: vary these by hand", several.join(", ")));
            }
            group
        }
    };
    let of_field = |document: &Value| {
        field.split('.').try_fold(document, |value, step| value.get(step)).cloned().unwrap_or(Value::Null)
    };
    let values: Vec<Value> = leaves.iter().map(|(_, document)| of_field(document)).collect();
    if values.contains(&Value::Null) {
        return Err(format!("sweeps {key}, which leaves {field} away for some values: vary it by hand"));
    }
    Ok(json!({ "field": field, "values": values }))
}

/// A value in its format, where there is one.
fn formatted(format: Option<&str>, value: &Value) -> Value {
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format.map_or_else(|| value.clone(), |format| Value::String(format.replace("{}", &text())))
}

/// Sets a field of a spec by its path.
pub(super) fn put(spec: &mut Value, path: &str, value: Value) {
    if let Value::Object(document) = spec {
        set(document, path, Some(value));
    }
}

/// The values of a document by their paths.
fn leaves_of(document: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    flatten("", document, &mut found);
    found
}

fn flatten(path: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    let fields = value.as_object().filter(|fields| !fields.is_empty());
    let Some(fields) = fields else {
        found.insert(path.to_owned(), value.clone());
        return;
    };
    for (name, value) in fields {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        flatten(&inner, value, found);
    }
}

/// The paths at which documents differ.
fn differing(documents: &[&BTreeMap<String, Value>]) -> Vec<String> {
    let mut paths: Vec<&String> = documents.iter().flat_map(|document| document.keys()).collect();
    paths.sort();
    paths.dedup();
    let differs = |path: &&String| {
        let first = documents.first().and_then(|document| document.get(*path));
        documents.iter().any(|document| document.get(*path) != first)
    };
    paths.into_iter().filter(differs).cloned().collect()
}
