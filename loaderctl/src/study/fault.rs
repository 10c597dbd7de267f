//! Faults of a study file.

use loader_proto::json::Fault;

/// A fault of a field.
pub(super) fn fault(field: impl Into<String>, description: impl Into<String>) -> Fault {
    Fault { field: field.into(), description: description.into() }
}
