//! The quick form of a study: a part of the file that replaces others.

use loader_proto::json::Fault;
use serde_json::Value;

use super::fault::fault;

/// The field of a study file that has its quick form.
const QUICK: &str = "quick";

/// Takes the quick form out of a document, and lays it over the rest if it is wanted.
///
/// # Errors
/// There is none.
pub(super) fn choose(document: &mut Value, is_wanted: bool) -> Result<(), Fault> {
    let quick = document.as_object_mut().and_then(|fields| fields.shift_remove(QUICK));
    match quick {
        Some(quick @ Value::Object(_)) if is_wanted => merge(document, quick),
        Some(Value::Object(_)) => {}
        Some(_) => return Err(fault(QUICK, "must hold fields: those that it replaces")),
        None if is_wanted => return Err(fault("--quick", "the study has no quick form: the file has no field quick")),
        None => {}
    }
    Ok(())
}

/// Lays `patch` over `target`: groups field by field, all else as a whole; what is null is removed (JSON Merge Patch, RFC 7396).
fn merge(target: &mut Value, patch: Value) {
    let (Value::Object(fields), Value::Object(patch)) = (&mut *target, &patch) else {
        *target = patch;
        return;
    };
    for (name, value) in patch {
        match value {
            Value::Null => {
                fields.shift_remove(name);
            }
            Value::Object(_) => merge(
                fields.entry(name.as_str()).or_insert_with(|| Value::Object(serde_json::Map::new())),
                value.clone(),
            ),
            other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                fields.insert(name.clone(), other.clone());
            }
        }
    }
}
