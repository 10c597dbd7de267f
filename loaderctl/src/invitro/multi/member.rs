//! The members of objects, by names in any letter case.

use serde_json::{Map, Value};

/// The member of an object, in any letter case, as InVitro reads it.
pub(crate) fn member<'d>(document: &'d Map<String, Value>, key: &str) -> Option<&'d Value> {
    document.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}
